//! Cookies for the tokens of mailed links. Before the page of a link is shown, the token moves from
//! the URL into a cookie. This keeps the token out of the browser history, the `Referer` header and
//! the address bar (SR-045). Opening a link does not use it up, because mail scanners open links
//! too.

use std::borrow::Cow;

use axum::http::Uri;

use super::SealedCookie;
use crate::{
    app::paths::Page,
    server::{crypto::tokens::Tokens, web::form_data},
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

/// The cookie with the token of the link to a page; `None` for a page without links.
pub fn link_token(page: &Page) -> Option<SealedCookie<String>> {
    Some(SealedCookie::new(
        Cow::Borrowed(page.link_cookie?),
        Tokens::link_cookie_key,
        LIFETIME_SECONDS,
    ))
}
