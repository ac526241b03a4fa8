//! Access control for pages: one check per page by its [`Access`], and extractors for the
//! permissions that handlers require.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, MatchedPath, Request},
    http::{Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};

use crate::{
    app::{
        page_context::{FailedForm, PageContext},
        paths::{self, Access},
    },
    domain::{AuditEvent, AuthError},
    server::{
        AppState,
        flows::{
            events::{self, EventDetails},
            sessions::{Admin, CurrentUser},
            users,
        },
        web::{
            cookies::{
                link_token::{link_token, without_token},
                typed_form,
            },
            form_data,
            middleware::authenticate::{RequestAuth, current_user},
            page_request::PageError,
            redirects::{after_login, login_url, reauthenticate_url, return_to_param},
            render,
        },
    },
};

/// Checks access to the matched page, loads the context that every page needs, and renders the
/// page.
pub async fn run(state: &AppState, request: Request, next: Next) -> Response {
    let (mut parts, body) = match check(state, request).await {
        Ok(request) => request.into_parts(),
        Err(response) => return response,
    };
    let mut context = match page_context(state, &parts).await {
        Ok(context) => context,
        Err(error) => return render::error_for(state, &parts, error),
    };
    let mut forget = None;
    if let Some((typed, cookie)) = typed_form::take(state, &parts) {
        context.typed_before_login = typed;
        forget = Some((header::SET_COOKIE, cookie));
    }
    let context = Arc::new(context);
    parts.extensions.insert(Arc::clone(&context));
    let mut response = next.run(Request::from_parts(parts, body)).await;
    response.headers_mut().extend(forget);
    match response.extensions().get() {
        Some(PageError(error)) => {
            let mut page = render::error_page_with(context, *error);
            let cookies = response.headers().get_all(header::SET_COOKIE).iter();
            page.headers_mut()
                .extend(cookies.map(|cookie| (header::SET_COOKIE, cookie.clone())));
            page
        }
        None => response,
    }
}

async fn page_context(state: &AppState, parts: &Parts) -> Result<PageContext, AuthError> {
    let auth = parts.extensions.get::<RequestAuth>();
    let admin = auth.and_then(|auth| Some((auth, auth.current.as_ref()?.admin().ok()?)));
    let pending_approvals = match admin {
        Some((auth, admin)) => users::list_pending(&auth.ctx(state), &admin).await?,
        None => 0,
    };
    Ok(render::page_context(state, parts, pending_approvals))
}

/// Checks a request against the [`Access`] of the matched page. A path without a page is rejected.
///
/// # Errors
/// The response to send instead: a redirect for a navigation, an error for a form.
pub async fn check(state: &AppState, request: Request) -> Result<Request, Response> {
    let (parts, body) = request.into_parts();
    check_head(state, &parts)
        .await
        .map(|()| Request::from_parts(parts, body))
}

async fn check_head(state: &AppState, parts: &Parts) -> Result<(), Response> {
    let matched = parts.extensions.get::<MatchedPath>();
    let page = matched.and_then(|matched| {
        paths::ALL
            .into_iter()
            .find(|page| page.path == matched.as_str())
    });
    let Some(page) = page else {
        return Err(render::error_for(state, parts, AuthError::NotFound));
    };
    let uri = &parts.uri;
    if page.link_cookie.is_some()
        && let Some(token) = form_data::parameter(uri, "token")
    {
        // Checked first, so that no redirect contains the token.
        return Err(
            match link_token(page).and_then(|cookie| cookie.set(state, &token)) {
                Some(cookie) => (
                    [(header::SET_COOKIE, cookie)],
                    Redirect::to(&without_token(page, uri)),
                )
                    .into_response(),
                None => render::error_for(state, parts, AuthError::Internal),
            },
        );
    }
    // A failed form is rerun as GET to show its error, so it must not be redirected as a
    // navigation.
    let has_failed = parts.extensions.get::<FailedForm>().is_some();
    let is_navigation = matches!(parts.method, Method::GET | Method::HEAD) && !has_failed;
    let auth = parts.extensions.get::<RequestAuth>();
    let current = auth.and_then(|auth| auth.current.as_ref());
    let redirect = |target: String| Redirect::to(&target).into_response();
    let is_old = |current: &CurrentUser| current.recent(state.clock.now()).is_err();
    match (page.access, current) {
        (Access::Public, _) | (Access::SignedOutOnly, None) => Ok(()),
        (Access::SignedOutOnly, Some(current)) if is_navigation => Err(redirect(after_login(
            state,
            current.user().is_verified,
            return_to_param(uri).as_ref(),
        ))),
        (_, None) if is_navigation => Err(redirect(login_url(uri))),
        (_, None) => Err(render::error_for(state, parts, AuthError::NotLoggedIn)),
        (Access::RecentLogin, Some(current)) if is_navigation && is_old(current) => {
            Err(redirect(reauthenticate_url(uri)))
        }
        (Access::Admin | Access::RecentAdmin, Some(current)) => match current.admin() {
            Ok(_) if page.access == Access::RecentAdmin && is_navigation && is_old(current) => {
                Err(redirect(reauthenticate_url(uri)))
            }
            Ok(_) => Ok(()),
            Err(error) => {
                if let Some(auth) = auth {
                    events::record_rate_limited(
                        &auth.ctx(state),
                        AuditEvent::AccessDenied,
                        EventDetails::for_user(current.user().id),
                    )
                    .await;
                }
                Err(render::error_for(state, parts, error))
            }
        },
        (Access::SignedOutOnly | Access::SignedIn | Access::RecentLogin, Some(_)) => Ok(()),
    }
}

impl FromRequestParts<AppState> for CurrentUser {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        current_user(parts)
            .cloned()
            .ok_or_else(|| render::error_for(state, parts, AuthError::NotLoggedIn))
    }
}

impl FromRequestParts<AppState> for Admin {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let current = CurrentUser::from_request_parts(parts, state).await?;
        current
            .admin()
            .map_err(|error| render::error_for(state, parts, error))
    }
}
