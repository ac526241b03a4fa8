//! What the body of a `#[server]` function needs of its request, and how it answers.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

use crate::{
    app::paths::{self, Page},
    domain::{AuthError, LinkToken, Notice, ProviderId, ReturnTo, return_to},
    server::{
        AppState,
        flows::{
            Ctx, devices,
            login::Login,
            oidc::{self, AuthorizationRequest, LinkRequest, LoginPurpose, PendingLink},
            password_reset::ResetLink,
            sessions::Admin,
        },
        web::{
            cookies::{
                self, id_token_hint,
                link_token::link_token,
                login_attempts::{self, LINK_REQUEST, PENDING_LINK},
                one_time_link::{ONE_TIME_LINK, Payload},
            },
            login_response,
            middleware::authenticate::{PresentedToken, RequestAuth, current_user},
        },
    },
};

/// The data that a logout on our pages clears in the browser. Cookies and storage stay, because
/// those of the application on the same origin belong to it; ours keeps nothing there.
const CLEAR_SITE_DATA: HeaderValue = HeaderValue::from_static("\"cache\"");

/// The state and the request's authentication. Every server function calls this first: it is a
/// public endpoint, whatever page it belongs to (SR-002).
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

/// The administrator who sent the request.
///
/// # Errors
/// `NotLoggedIn`, `Forbidden`.
pub fn admin(auth: &RequestAuth) -> Result<Admin, AuthError> {
    auth.current_user()?.admin()
}

/// The presented session token, for logging out.
pub fn presented_token(auth: &RequestAuth) -> Option<&str> {
    auth.token
        .as_ref()
        .map(|PresentedToken(token)| token.as_str())
}

/// Redirects to a page that shows the notice.
pub fn redirect(page: &Page, notice: Notice) {
    redirect_with(page.path, notice);
}

/// Redirects to the page of a user, which shows the notice.
pub fn redirect_to_user(id: uuid::Uuid, notice: Notice) {
    redirect_with(&paths::user(id), notice);
}

/// Redirects to the address of a page, which shows the notice to this browser.
pub fn redirect_with(address: &str, notice: Notice) {
    if let Some(cookie) =
        use_context::<AppState>().and_then(|state| cookies::notice::set(&state, notice))
    {
        set_cookie(cookie);
    }
    redirect_to(&notice.at(address));
}

/// Redirects to any path of this site.
pub fn redirect_to(address: &str) {
    leptos_axum::redirect(address);
}

/// Sets the cookies of a login and redirects to `return_to` (SR-120), or to the page about the
/// pending approval.
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn log_in_browser(
    state: &AppState,
    login: &Login,
    return_to: Option<&ReturnTo>,
) -> Result<(), AuthError> {
    let (_, auth) = request()?;
    let (cookies, path) = login_response::cookies_and_path(state, &auth.client, login, return_to)?;
    cookies.into_iter().for_each(set_cookie);
    redirect_to(&path);
    Ok(())
}

/// Makes the device known to the user whose password has just changed, which has revoked its cookie.
/// Without the cookie only the network is known, so a failure does not undo the change.
pub async fn renew_device(cx: &Ctx<'_>, user: uuid::Uuid) {
    if let Ok(device) = devices::renew(cx, user).await {
        cookies::device::set(cx.state, &cx.client.devices, &device)
            .into_iter()
            .for_each(set_cookie);
    }
}

/// Clears the session cookie, and our pages in the browser's cache (SR-096). Clears the ID token of
/// the session too.
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn clear_session_cookie(state: &AppState) -> Result<(), AuthError> {
    clear_session(state, id_token_hint::clear)
}

/// The same after a logout from a session that began at the provider: the next page offers the
/// logout there, with the ID token as a hint.
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn clear_session_cookie_and_offer_hint(
    state: &AppState,
    session: &str,
) -> Result<(), AuthError> {
    clear_session(state, |state, headers| {
        id_token_hint::offer(state, headers, session)
    })
}

fn clear_session(
    state: &AppState,
    hint: impl FnOnce(&AppState, &HeaderMap) -> Option<HeaderValue>,
) -> Result<(), AuthError> {
    let (_, parts) = state_and_parts()?;
    hint(state, &parts.headers).into_iter().for_each(set_cookie);
    set_cookie(cookies::clear_session(&state.config).map_err(|_| AuthError::Internal)?);
    if let Some(response) = use_context::<ResponseOptions>() {
        response.insert_header(HeaderName::from_static("clear-site-data"), CLEAR_SITE_DATA);
    }
    Ok(())
}

/// Starts a login with a provider, by default the first one. Returns the URL to send the browser to, which is a page of
/// ours if the provider cannot be used. A link leads here, so the function must not fail.
pub async fn start_oidc_login(provider: &str, return_to: Option<ReturnTo>) -> String {
    let return_to = return_to.filter(ReturnTo::is_short);
    let unavailable = return_to::with_target(paths::OIDC_ERROR.path, return_to.as_ref());
    let Ok((state, parts)) = state_and_parts() else {
        return unavailable;
    };
    let chosen = match provider {
        "" => state.providers.first(),
        id => state.providers.get(&ProviderId::new(id)),
    };
    let Some(provider) = chosen else {
        return paths::LOGIN.path.to_owned();
    };
    let is_logged_in = current_user(&parts).is_some();
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

/// The identity that waits in this browser for the account's password.
///
/// # Errors
/// `Internal` outside a request.
pub fn pending_link() -> Result<Option<PendingLink>, AuthError> {
    let (state, parts) = state_and_parts()?;
    Ok(login_attempts::pending_link(&state, &parts.headers))
}

/// Does what [`log_in_browser`] does, and clears the pending link.
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn finish_linking(
    state: &AppState,
    login: &Login,
    pending: &PendingLink,
) -> Result<(), AuthError> {
    set_cookie(PENDING_LINK.clear(state).ok_or(AuthError::Internal)?);
    log_in_browser(state, login, pending.return_to.as_ref())
}

/// Stores a request to link an identity until the browser goes to the provider.
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn store_link_request(state: &AppState, request: &LinkRequest) -> Result<(), AuthError> {
    set_cookie(
        LINK_REQUEST
            .set(state, request)
            .ok_or(AuthError::Internal)?,
    );
    Ok(())
}

/// Stores a one-time link for the page that shows it.
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn store_one_time_link(
    state: &AppState,
    admin: &Admin,
    user: uuid::Uuid,
    link: &ResetLink,
) -> Result<(), AuthError> {
    let payload = Payload::new(admin, user, link, state.clock.now());
    set_cookie(
        ONE_TIME_LINK
            .set(state, &payload)
            .ok_or(AuthError::Internal)?,
    );
    Ok(())
}

/// The token of the mailed link to this page that the browser has opened.
///
/// # Errors
/// `Internal` outside a request.
pub fn opened_link_token(page: &Page) -> Result<Option<LinkToken>, AuthError> {
    let (state, parts) = state_and_parts()?;
    let cookie = link_token(page).ok_or(AuthError::Internal)?;
    Ok(cookie.get(&state, &parts.headers).map(LinkToken::new))
}

/// Clears the token of the mailed link.
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn clear_link_token(state: &AppState, page: &Page) -> Result<(), AuthError> {
    let cleared = link_token(page).and_then(|cookie| cookie.clear(state));
    set_cookie(cleared.ok_or(AuthError::Internal)?);
    Ok(())
}

fn set_cookie(cookie: HeaderValue) {
    if let Some(response) = use_context::<ResponseOptions>() {
        // Appended, because inserting would overwrite other cookies.
        response.append_header(header::SET_COOKIE, cookie);
    }
}
