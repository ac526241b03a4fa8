//! The pages of the user's own account.

use leptos::view;
use uuid::Uuid;

use crate::{
    app::account::{
        AccountPage, AccountView, IdentityRow, SessionRow,
        delete::DeletePage,
        email::{ChangeEmailPage, ConfirmNewEmailPage},
        link_identity::{LinkIdentityPage, LinkRedirectPage, UnlinkIdentityPage},
        password::PasswordPage,
        reauthenticate::ReauthenticatePage,
        verify_email::VerifyEmailPage,
    },
    domain::{AuthError, LoginMethod},
    server::{
        AppState,
        db::{identities::Identity, sessions::Session},
        flows::{Ctx, account as flow, email_verification, mail, sessions::CurrentUser},
        user_agent,
        web::{
            page_request::{PageRequest, PageResult},
            render::timestamp,
        },
    },
    text::en::{UNNAMED_PROVIDER, pages::account as text},
};

/// `/account`
pub async fn show(cx: PageRequest, current: CurrentUser) -> PageResult {
    let needs_verification = mail::is_configured(&cx.state)
        && email_verification::needs_verification(&cx.state, current.user().id).await?;
    let account = account_view(&cx.ctx(), &current).await?;
    cx.render(move || view! { <AccountPage account needs_verification/> })
}

/// `/account/confirm`
pub async fn verify_email(cx: PageRequest, current: CurrentUser) -> PageResult {
    let email = current.user().email.clone();
    cx.render(move || view! { <VerifyEmailPage email/> })
}

/// `/account/address`
pub async fn change_email(cx: PageRequest, current: CurrentUser) -> PageResult {
    let email = current.user().email.clone();
    cx.render(move || view! { <ChangeEmailPage email/> })
}

/// `/account/new-address`
pub async fn confirm_email(cx: PageRequest, current: CurrentUser) -> PageResult {
    let (email, new_email) = (
        current.user().email.clone(),
        cx.context.hidden_value("address"),
    );
    cx.render(move || view! { <ConfirmNewEmailPage email new_email/> })
}

/// `/account/password`
pub async fn password(cx: PageRequest, current: CurrentUser) -> PageResult {
    let email = current.user().email.clone();
    cx.render(move || view! { <PasswordPage email/> })
}

/// `/account/connect`
pub async fn link_identity(cx: PageRequest, current: CurrentUser) -> PageResult {
    let provider = cx
        .context
        .provider()
        .ok_or(AuthError::NotFound)?
        .name
        .clone();
    let email = current.user().email.clone();
    cx.render(move || view! { <LinkIdentityPage email provider/> })
}

/// `/account/connect/go`
pub async fn link_redirect(cx: PageRequest, _: CurrentUser) -> PageResult {
    let provider = cx
        .context
        .provider()
        .ok_or(AuthError::NotFound)?
        .name
        .clone();
    cx.render(move || view! { <LinkRedirectPage provider/> })
}

/// `/account/disconnect`
pub async fn unlink_identity(cx: PageRequest, current: CurrentUser) -> PageResult {
    let id = cx.context.hidden_value("identity");
    let account = account_view(&cx.ctx(), &current).await?;
    let identity = account
        .identities
        .into_iter()
        .find(|identity| identity.id == id)
        .ok_or(AuthError::NotFound)?;
    cx.render(move || view! { <UnlinkIdentityPage identity/> })
}

/// `/account/delete`
pub async fn delete(cx: PageRequest, current: CurrentUser) -> PageResult {
    let email = current.user().email.clone();
    cx.render(move || view! { <DeletePage email/> })
}

/// `/account/log-in-again`
pub async fn reauthenticate(cx: PageRequest, current: CurrentUser) -> PageResult {
    let account = account_view(&cx.ctx(), &current).await?;
    let email = current.user().email.clone();
    cx.render(move || view! { <ReauthenticatePage email has_password=account.has_password has_identity=!account.identities.is_empty()/> })
}

async fn account_view(cx: &Ctx<'_>, current: &CurrentUser) -> Result<AccountView, AuthError> {
    let account = flow::details(cx, current).await?;
    Ok(AccountView {
        sessions: account
            .sessions
            .iter()
            .map(|session| session_row(cx.state, session, Some(current.session())))
            .collect(),
        identities: account
            .identities
            .iter()
            .map(|identity| identity_row(cx.state, identity))
            .collect(),
        has_password: account.has_password,
    })
}

/// A session as pages show it; `current` is the session of the request.
pub fn session_row(state: &AppState, session: &Session, current: Option<Uuid>) -> SessionRow {
    let provider = state
        .providers
        .first()
        .map_or(UNNAMED_PROVIDER, |provider| provider.config().name.as_str());
    let method = session.method.parse().unwrap_or(LoginMethod::Password);
    SessionRow {
        id: session.id.to_string(),
        browser: user_agent::describe(&session.user_agent),
        since: timestamp(session.created_at),
        client_ip: session.client_ip.clone(),
        login_method: text::login_method(method, provider),
        is_current: current == Some(session.id),
    }
}

/// A linked provider account as pages show it.
pub fn identity_row(state: &AppState, identity: &Identity) -> IdentityRow {
    let provider = state.providers.by_issuer(&identity.issuer);
    IdentityRow {
        id: identity.id.to_string(),
        is_configured: provider.is_some(),
        provider: provider.map_or_else(
            || identity.issuer.clone(),
            |provider| provider.config().name.clone(),
        ),
        email: identity.email.clone(),
        since: timestamp(identity.created_at),
        last_login: timestamp(identity.last_login_at),
    }
}
