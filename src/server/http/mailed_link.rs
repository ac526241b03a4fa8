//! What happens to a link that was mailed or handed over before its page is shown: the token moves from the address into a cookie, so
//! that it stays out of histories, of what is behind the page's own links, and of a glance over the shoulder (SR-045). Opening a link,
//! as programs that look through mail do, uses nothing up.

use std::mem;

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Uri, header},
    response::{IntoResponse, Redirect, Response},
};

use crate::{
    domain::AuthError,
    server::{AppState, context, cookies, flows::password_reset, forms},
};

const RESET: &str = "/login/reset-password";
/// The pages that links lead to, and the cookies in which their tokens wait, each for its own page alone.
const PAGES: [(&str, &str); 3] = [(RESET, "reset-link"), ("/account/confirm", "proof-link"), ("/account/new-address", "address-link")];
/// How long the page may stand open, in seconds; the token may end earlier.
const LIFETIME: u32 = 60 * 60;

/// Whose password the link may set, beside the request for its page.
#[derive(Clone)]
pub struct ResetFor(pub String);

/// The step in front of these pages, and of the way to the login page: that carries no token either.
///
/// # Errors
/// The answer to send.
pub async fn open(state: &AppState, request: &mut Request) -> Result<(), Response> {
    let Some(page) = PAGES.into_iter().map(|(page, _)| page).find(|page| request.uri().path() == *page) else { return Ok(()) };
    if let Some(token) = forms::parameter(request.uri(), "token") {
        return Err(match keep(state, page, &token) {
            Some(cookie) => ([(header::SET_COOKIE, cookie)], Redirect::to(&without_token(page, request.uri()))).into_response(),
            None => context::failure(state, mem::take(request), AuthError::Internal).await,
        });
    }
    // The other pages are for people who are logged in, and look at the token when its form is sent.
    if page != RESET {
        return Ok(());
    }
    let checked = match token(state, request.headers(), page) {
        Some(token) => password_reset::check(state, &token).await,
        None => Err(AuthError::ResetLinkInvalid),
    };
    match checked {
        Ok(user) => {
            request.extensions_mut().insert(ResetFor(user.email));
            Ok(())
        }
        Err(error) => Err(context::failure(state, mem::take(request), error).await),
    }
}

/// Where the link leads on: a new address stays in it, because the page names it.
fn without_token(page: &str, link: &Uri) -> String {
    match forms::parameter(link, "address") {
        Some(address) => format!("{page}?{}", form_urlencoded::Serializer::new(String::new()).append_pair("address", &address).finish()),
        None => page.to_owned(),
    }
}

/// The old address of MediaManager's own mails leads here too.
pub async fn from_mediamanager(request: Request) -> Redirect {
    Redirect::to(&forms::with_query(RESET, request.uri()))
}

/// The token that this browser carries for a page.
#[must_use]
pub fn token(state: &AppState, headers: &HeaderMap, page: &str) -> Option<String> {
    cookies::unsealed(state.tokens.link_key(), headers, &name(state, page)?).pop().map(|(_, token)| token)
}

/// The cookie that carries it.
fn keep(state: &AppState, page: &str, token: &str) -> Option<HeaderValue> {
    cookies::sealed(&state.config, state.tokens.link_key(), &name(state, page)?, token, LIFETIME).ok()
}

/// The cookie that takes it away.
#[must_use]
pub fn forget(state: &AppState, page: &str) -> Option<HeaderValue> {
    cookies::unset(&state.config, &name(state, page)?).ok()
}

fn name(state: &AppState, page: &str) -> Option<String> {
    PAGES.into_iter().find(|(known, _)| *known == page).map(|(_, cookie)| cookies::own_name(&state.config, cookie))
}
