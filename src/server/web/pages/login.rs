//! The public pages: login, sign-up, setup, password reset, and those of a login with the provider.

use axum::{
    Extension,
    extract::{Path, Request, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
};
use leptos::view;

use crate::{
    app::{
        login::LoginPage,
        logout::LogoutPage,
        oidc::ConfirmLinkPage,
        password_reset::{ForgotPasswordPage, ResetPasswordPage, ResetsDisabled},
        paths,
        pending_approval::{ConfirmEmailPage, PendingApprovalPage},
        setup::{SetupPage, SetupUnavailable},
        signup::SignupPage,
    },
    domain::{AuthError, Notice, return_to},
    server::{
        AppState,
        flows::{
            email_verification, mail, oidc::CallbackError, password_reset, sessions::CurrentUser,
            setup as setup_flow,
        },
        oidc::Provider,
        web::{
            cookies::{id_token_hint, link_token::link_token, login_attempts},
            form_data,
            middleware::authenticate::RequestAuth,
            page_request::{PageRequest, PageResult, redirect},
            redirects::{after_login, landing_page, return_to_param},
            render,
        },
    },
    text::en::error_message,
};

/// `/`: redirects to the login page, or to the landing page of somebody who is logged in.
pub async fn index(
    State(state): State<AppState>,
    Extension(auth): Extension<RequestAuth>,
) -> Redirect {
    if auth.current.is_some() {
        Redirect::to(&landing_page(&state, &auth))
    } else {
        Redirect::to(paths::LOGIN.path)
    }
}

/// `/login`
pub async fn show(cx: PageRequest, headers: HeaderMap) -> PageResult {
    let has_just_left = cx.context.notice == Some(Notice::LoggedOutHere);
    let provider = cx.state.providers.first().filter(|_| has_just_left);
    let hint = id_token_hint::offered(&cx.state, &headers);
    let back = cx.state.config.link(paths::LOGIN.path);
    let provider_logout_url =
        provider.and_then(|provider| provider.end_session_url(hint.as_deref(), &back));
    // Shown once.
    let clear = id_token_hint::clear(&cx.state, &headers).filter(|_| has_just_left);
    let mut response = cx.render(move || view! { <LoginPage provider_logout_url/> })?;
    let clear = clear.map(|cookie| (header::SET_COOKIE, cookie));
    response.headers_mut().extend(clear);
    Ok(response)
}

/// `/logout`
pub async fn logout(cx: PageRequest) -> PageResult {
    cx.render(|| view! { <LogoutPage/> })
}

/// `/login/signup`
pub async fn signup(cx: PageRequest) -> PageResult {
    if !cx.state.config.policy.registration {
        return Err(AuthError::RegistrationClosed.into());
    }
    cx.render(|| view! { <SignupPage/> })
}

/// `/setup`
pub async fn setup(cx: PageRequest) -> PageResult {
    let token = cx.context.hidden_value("token");
    match setup_flow::check_setup_link(&cx.ctx(), &token).await {
        Ok(()) => cx.render(move || view! { <SetupPage token/> }),
        Err(
            error @ (AuthError::AlreadySetUp
            | AuthError::UsersExistWithoutAdmin
            | AuthError::SetupLinkInvalid),
        ) => {
            let message = error_message(error);
            Ok(render::with_status(
                cx.render(move || view! { <SetupUnavailable error message/> })?,
                error,
            ))
        }
        Err(error) => Err(error.into()),
    }
}

/// `/login/forgot-password`
pub async fn forgot_password(cx: PageRequest) -> PageResult {
    if cx.context.features.password_reset {
        cx.render(|| view! { <ForgotPasswordPage/> })
    } else {
        cx.render(|| view! { <ResetsDisabled/> })
    }
}

/// `/login/reset-password`, after the link's token has moved from the address into a cookie.
pub async fn reset_password(cx: PageRequest, headers: HeaderMap) -> PageResult {
    let token = link_token(&paths::RESET_PASSWORD)
        .and_then(|cookie| cookie.get(&cx.state, &headers))
        .ok_or(AuthError::ResetLinkInvalid)?;
    let email = password_reset::check_link(&cx.state, &token).await?.email;
    cx.render(move || view! { <ResetPasswordPage email/> })
}

/// `/login/connect`
pub async fn confirm_link(cx: PageRequest, headers: HeaderMap) -> PageResult {
    let pending =
        login_attempts::pending_link(&cx.state, &headers).ok_or(AuthError::PendingLinkExpired)?;
    let provider = cx
        .context
        .provider()
        .ok_or(AuthError::PendingLinkExpired)?
        .name
        .clone();
    cx.render(move || view! { <ConfirmLinkPage email=pending.email provider/> })
}

/// `/login/verify`: explains a pending approval, or how to verify the address of an approved
/// account.
pub async fn pending_approval(cx: PageRequest, current: CurrentUser) -> PageResult {
    let needs_verification = mail::is_configured(&cx.state)
        && email_verification::needs_verification(&cx.state, current.user().id).await?;
    let email = current.user().email.clone();
    if !current.user().is_verified {
        return cx.render(move || view! { <PendingApprovalPage email needs_verification/> });
    }
    if needs_verification || cx.context.has_error() {
        return cx.render(move || view! { <ConfirmEmailPage email needs_verification/> });
    }
    redirect(&after_login(&cx.state, true, None))
}

/// `/login/provider`: explains why the provider cannot be used. Redirects to the login page once it
/// can.
pub async fn oidc_error(State(state): State<AppState>, request: Request) -> Response {
    let return_to = return_to_param(request.uri());
    match state.providers.first().and_then(Provider::last_error) {
        Some(failure) => {
            let is_logged = state.providers.first().is_some_and(Provider::may_log_page);
            if is_logged {
                failure.log();
            }
            let refused = CallbackError {
                return_to,
                is_logged,
                ..failure.error.into()
            };
            render::oidc_error_page(&state, &request.into_parts().0, refused)
        }
        None => {
            let login = return_to::with_target(paths::LOGIN.path, return_to.as_ref());
            Redirect::to(&login).into_response()
        }
    }
}

/// Redirects the paths of MediaManager's own pages to ours.
pub async fn redirect_legacy_path(Path(page): Path<String>) -> PageResult {
    match page.as_str() {
        "signup" => redirect(paths::SIGNUP.path),
        "forgot-password" => redirect(paths::FORGOT_PASSWORD.path),
        "verify" => redirect(paths::PENDING_APPROVAL.path),
        _ => Err(AuthError::NotFound.into()),
    }
}

/// Redirects the link in MediaManager's mails.
pub async fn redirect_legacy_reset(request: Request) -> Redirect {
    Redirect::to(&form_data::with_query(
        paths::RESET_PASSWORD.path,
        request.uri(),
    ))
}
