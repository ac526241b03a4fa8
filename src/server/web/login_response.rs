use axum::http::HeaderValue;

use crate::{
    domain::{AuthError, ReturnTo},
    server::{
        AppState,
        flows::login::Login,
        web::{cookies, redirects::after_login},
    },
};

/// What a browser gets for a login: a cookie, and the path to go on to (SR-120), which for somebody
/// who waits for approval is the page that says so.
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn session_cookie_and_path(
    state: &AppState,
    login: &Login,
    return_to: Option<&ReturnTo>,
) -> Result<(HeaderValue, String), AuthError> {
    match login {
        Login::Complete(session) => {
            let cookie = cookies::session(&state.config, &session.token, session.lifetime)
                .map_err(|_| AuthError::Internal)?;
            Ok((
                cookie,
                after_login(state, session.user.is_verified, return_to),
            ))
        }
    }
}
