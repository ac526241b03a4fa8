//! What happens to a reset link before its page is shown: the token moves from the address into a cookie, so that it stays out of
//! histories, of what is behind the page's own links, and of a glance over the shoulder (SR-045). Opening a link, as programs that look
//! through mail do, uses nothing up.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};

use crate::{
    domain::AuthError,
    server::{AppState, context, cookies, flows::password_reset, forms},
};

pub const PAGE: &str = "/login/reset-password";
const COOKIE: &str = "reset-link";
/// How long the page may stand open, in seconds; the token may end earlier.
const LIFETIME: u32 = 60 * 60;

/// Whose password the link may set, beside the request for its page.
#[derive(Clone)]
pub struct ResetFor(pub String);

/// The layer in front of the page.
pub async fn open(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    if request.uri().path() != PAGE {
        return next.run(request).await;
    }
    if let Some(token) = forms::parameter(request.uri(), "token") {
        let cookie = cookies::sealed(&state.config, state.tokens.link_key(), &cookies::own_name(&state.config, COOKIE), &token, LIFETIME);
        return match cookie {
            Ok(cookie) => ([(header::SET_COOKIE, cookie)], Redirect::to(PAGE)).into_response(),
            Err(_) => context::failure(&state, request, AuthError::ResetLinkInvalid).await,
        };
    }
    let checked = match token(&state, request.headers()) {
        Some(token) => password_reset::check(&state, &token).await,
        None => Err(AuthError::ResetLinkInvalid),
    };
    match checked {
        Ok(user) => {
            request.extensions_mut().insert(ResetFor(user.email));
            next.run(request).await
        }
        Err(error) => context::failure(&state, request, error).await,
    }
}

/// The old address of MediaManager's own mails leads here too.
pub async fn from_mediamanager(request: Request) -> Redirect {
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    Redirect::to(&format!("{PAGE}{query}"))
}

/// The token that this browser carries.
#[must_use]
pub fn token(state: &AppState, headers: &HeaderMap) -> Option<String> {
    let name = cookies::own_name(&state.config, COOKIE);
    cookies::unsealed(state.tokens.link_key(), headers, &name).pop().map(|(_, token)| token)
}

/// The cookie that takes it away.
#[must_use]
pub fn forget(state: &AppState) -> Option<HeaderValue> {
    cookies::unset(&state.config, &cookies::own_name(&state.config, COOKIE)).ok()
}
