//! Cookies for the tokens of mailed links. Before the page of a link is shown, the token moves from
//! the URL into a cookie. This keeps the token out of the browser history, the `Referer` header and
//! the address bar (SR-045). Opening a link does not use it up, because mail scanners open links
//! too.

use axum::http::{HeaderMap, HeaderValue, Uri};

use crate::{
    app::paths::Page,
    server::{
        AppState,
        web::{cookies, form_data},
    },
};

/// How long the page may stay open, in seconds; the token may expire earlier.
const LIFETIME_SECONDS: u32 = 60 * 60;

/// The URL of the page without the token. A new email address stays in the URL, because the page
/// shows it.
pub fn without_token(page: &Page, link: &Uri) -> String {
    match form_data::parameter(link, "address") {
        Some(address) => format!(
            "{}?{}",
            page.path,
            form_urlencoded::Serializer::new(String::new())
                .append_pair("address", &address)
                .finish()
        ),
        None => page.path.to_owned(),
    }
}

/// The token in this browser's cookie for a page.
pub fn token(state: &AppState, headers: &HeaderMap, page: &Page) -> Option<String> {
    cookies::unsealed(state.tokens.link_cookie_key(), headers, &name(state, page)?)
        .pop()
        .map(|(_, token)| token)
}

/// The header that sets the cookie with the token, for one page only.
#[must_use]
pub fn set_link_token(state: &AppState, page: &Page, token: &str) -> Option<HeaderValue> {
    cookies::sealed(
        &state.config,
        state.tokens.link_cookie_key(),
        &name(state, page)?,
        token,
        LIFETIME_SECONDS,
    )
    .ok()
}

/// The header that deletes the cookie.
#[must_use]
pub fn clear_link_token(state: &AppState, page: &Page) -> Option<HeaderValue> {
    cookies::unset(&state.config, &name(state, page)?).ok()
}

fn name(state: &AppState, page: &Page) -> Option<String> {
    Some(cookies::prefixed_name(&state.config, page.link_cookie?))
}
