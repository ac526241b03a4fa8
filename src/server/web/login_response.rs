use axum::http::HeaderValue;

use crate::{
    domain::{AuthError, ReturnTo},
    server::{
        AppState,
        flows::login::Login,
        web::{cookies, redirects::after_login},
    },
};

/// The session cookie of a login, and the path to redirect to (SR-120), which is the page about the
/// pending approval for an account without one.
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
