//! What the body of a `#[server]` function may ask of the request it answers, and how it answers.

use axum::http::{HeaderName, HeaderValue, header, request::Parts};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

use crate::{
    app::{
        notice::Notice,
        paths::{self, Page},
    },
    domain::{AuthError, LinkToken, ReturnTo, return_to},
    server::{
        AppState,
        flows::{
            login::Login,
            oidc::{self, AuthorizationRequest, LinkRequest, LoginPurpose, PendingLink},
            password_reset::ResetLink,
            sessions::Admin,
        },
        web::{
            cookies::{self, link_token, login_attempts, one_time_link},
            link_identity, login_response,
            middleware::authenticate::{PresentedToken, RequestAuth},
        },
    },
};

/// What a log-out tells the browser to forget. Not the cookies: those of the application behind us
/// are not ours.
pub const CLEAR_SITE_DATA: HeaderValue = HeaderValue::from_static("\"cache\", \"storage\"");

/// The state and who is asking. Every server function calls this first: it is a public endpoint,
/// whatever page it belongs to (SR-002).
///
/// # Errors
/// `Internal` outside a request.
pub fn request() -> Result<(AppState, RequestAuth), AuthError> {
    let (state, parts) = state_and_parts()?;
    Ok((
        state,
        parts
            .extensions
            .get::<RequestAuth>()
            .cloned()
            .ok_or(AuthError::Internal)?,
    ))
}

fn state_and_parts() -> Result<(AppState, Parts), AuthError> {
    use_context::<AppState>()
        .zip(use_context::<Parts>())
        .ok_or(AuthError::Internal)
}

/// The administrator who is asking.
///
/// # Errors
/// `NotLoggedIn`, `Forbidden`.
pub fn admin(auth: &RequestAuth) -> Result<Admin, AuthError> {
    auth.current_user()?.admin()
}

/// The token that was presented, for logging out.
pub fn presented_token(auth: &RequestAuth) -> Option<&str> {
    auth.token
        .as_ref()
        .map(|PresentedToken(token)| token.as_str())
}

/// Ends a successful server function: the browser goes on to this page, which shows the notice.
pub fn redirect(page: &Page, notice: Notice) {
    redirect_to(&notice.on(page));
}

/// The same for one user's page.
pub fn redirect_to_user(id: uuid::Uuid, notice: Notice) {
    redirect_to(&notice.at(&paths::user(id)));
}

/// The same for any address of this site.
pub fn redirect_to(address: &str) {
    leptos_axum::redirect(address);
}

/// Gives the browser a new session and sends it where the person wanted to go (SR-120), or to the
/// page that says what they wait for.
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn log_in_browser(
    state: &AppState,
    login: &Login,
    return_to: Option<&ReturnTo>,
) -> Result<(), AuthError> {
    let (cookie, path) = login_response::session_cookie_and_path(state, login, return_to)?;
    set_cookie(cookie);
    redirect_to(&path);
    Ok(())
}

/// Takes the session away from the browser, and what it may have kept of our pages (SR-096).
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn clear_session_cookie(state: &AppState) -> Result<(), AuthError> {
    set_cookie(cookies::clear_session(&state.config).map_err(|_| AuthError::Internal)?);
    if let Some(response) = use_context::<ResponseOptions>() {
        response.insert_header(HeaderName::from_static("clear-site-data"), CLEAR_SITE_DATA);
    }
    Ok(())
}

/// Starts a login with the provider. Returns the address to send the browser to, which is a page of
/// ours if the provider cannot be used. Leptos calls it for a link, so it must not fail.
pub async fn start_oidc_login(return_to: Option<ReturnTo>) -> String {
    let unavailable = return_to::with_target(paths::OIDC_ERROR.path, return_to.as_ref());
    let Ok((state, parts)) = state_and_parts() else {
        return unavailable;
    };
    let Some(provider) = state.providers.first() else {
        return paths::LOGIN.path.to_owned();
    };
    let is_logged_in = parts
        .extensions
        .get::<RequestAuth>()
        .is_some_and(|auth| auth.current.is_some());
    let purpose = if is_logged_in {
        LoginPurpose::Reauthenticate { return_to }
    } else {
        LoginPurpose::LogIn { return_to }
    };
    let request = AuthorizationRequest::new(provider, purpose);
    match oidc::start_login(&state, request).await {
        Ok(begun) => {
            login_attempts::set_login_attempt(&state, &parts.headers, &begun.attempt)
                .into_iter()
                .for_each(set_cookie);
            begun.url
        }
        Err(_) => unavailable,
    }
}

/// The account at the provider that waits in this browser for the password of the account here.
///
/// # Errors
/// `Internal` outside a request.
pub fn pending_link() -> Result<Option<PendingLink>, AuthError> {
    let (state, parts) = state_and_parts()?;
    Ok(login_attempts::pending_link(&state, &parts.headers))
}

/// Like [`log_in_browser`], and clears the pending link.
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn finish_linking(
    state: &AppState,
    login: &Login,
    pending: &PendingLink,
) -> Result<(), AuthError> {
    set_cookie(login_attempts::clear_pending_link(state).ok_or(AuthError::Internal)?);
    log_in_browser(state, login, pending.return_to.as_ref())
}

/// Stores what somebody has asked to link until the browser starts for the provider.
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn store_link_request(state: &AppState, connects: &LinkRequest) -> Result<(), AuthError> {
    set_cookie(link_identity::set_link_request(state, connects).ok_or(AuthError::Internal)?);
    Ok(())
}

/// Stores a one-time link for the page that shows it.
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn store_one_time_link(
    state: &AppState,
    user: uuid::Uuid,
    link: &ResetLink,
) -> Result<(), AuthError> {
    set_cookie(one_time_link::set_one_time_link(state, user, link).ok_or(AuthError::Internal)?);
    Ok(())
}

/// The token of the link to this page that this browser has opened.
///
/// # Errors
/// `Internal` outside a request.
pub fn link_token(page: &Page) -> Result<Option<LinkToken>, AuthError> {
    let (state, parts) = state_and_parts()?;
    Ok(link_token::token(&state, &parts.headers, page).map(LinkToken::new))
}

/// Clears it.
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn clear_link_token(state: &AppState, page: &Page) -> Result<(), AuthError> {
    set_cookie(link_token::clear_link_token(state, page).ok_or(AuthError::Internal)?);
    Ok(())
}

fn set_cookie(cookie: HeaderValue) {
    if let Some(response) = use_context::<ResponseOptions>() {
        // Appended: inserting would overwrite the others.
        response.append_header(header::SET_COOKIE, cookie);
    }
}
