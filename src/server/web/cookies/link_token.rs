//! The cookies that carry the tokens of links. Before the page of a link is shown, the token moves
//! from the address into a cookie, so that it stays out of histories, of requests that the page
//! sends, and of a glance over the shoulder (SR-045). Opening a link, as mail scanners do, uses
//! nothing up.

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

/// The address of the page without the token. A new e-mail address stays in it, because the page
/// names it.
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

/// The token that this browser carries for a page.
pub fn token(state: &AppState, headers: &HeaderMap, page: &Page) -> Option<String> {
    cookies::unsealed(state.tokens.link_cookie_key(), headers, &name(state, page)?)
        .pop()
        .map(|(_, token)| token)
}

/// The cookie that carries the token, for its own page alone.
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

/// The header that clears the cookie.
#[must_use]
pub fn clear_link_token(state: &AppState, page: &Page) -> Option<HeaderValue> {
    cookies::unset(&state.config, &name(state, page)?).ok()
}

fn name(state: &AppState, page: &Page) -> Option<String> {
    Some(cookies::prefixed_name(&state.config, page.link_cookie?))
}
