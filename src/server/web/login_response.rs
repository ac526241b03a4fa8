use axum::http::HeaderValue;

use crate::{
    domain::{AuthError, ReturnTo},
    server::{
        AppState,
        flows::{ClientInfo, login::Login, sessions::NewSession},
        web::{cookies, redirects::after_login},
    },
};

/// The cookies of a login, the session's first, and the path to redirect to (SR-120), which is the
/// page about the pending approval for an account without one.
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn cookies_and_path(
    state: &AppState,
    client: &ClientInfo,
    login: &Login,
    return_to: Option<&ReturnTo>,
) -> Result<(Vec<HeaderValue>, String), AuthError> {
    let Login::Complete(session) = login;
    Ok((
        cookies_of_login(state, client, session)?,
        after_login(state, session.user.is_verified, return_to),
    ))
}

/// The cookie of a new session, and those that make the device known to its user (SR-269).
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn cookies_of_login(
    state: &AppState,
    client: &ClientInfo,
    session: &NewSession,
) -> Result<Vec<HeaderValue>, AuthError> {
    let cookie = cookies::session(&state.config, &session.token, session.lifetime)
        .map_err(|_| AuthError::Internal)?;
    let mut cookies = cookies::device::set(state, &client.devices, &session.device);
    cookies.insert(0, cookie);
    Ok(cookies)
}
