//! The sealed cookie of a notice: the address names the notice, and the cookie says that it is for
//! this browser. A link alone makes no page say that something has happened.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

use super::SealedCookie;
use crate::{
    domain::Notice,
    server::{AppState, crypto::tokens::Tokens},
};

/// Long enough to reload the page.
const LIFETIME_SECONDS: u32 = 5 * 60;

const COOKIE: SealedCookie<Payload> = SealedCookie::new(
    Cow::Borrowed("notice"),
    Tokens::page_cookie_key,
    LIFETIME_SECONDS,
);

#[derive(Serialize, Deserialize)]
struct Payload {
    code: String,
    /// Unix seconds.
    at: i64,
}

/// The cookie for a redirect to a page that shows the notice; `None` never in practice.
#[must_use]
pub fn set(state: &AppState, notice: Notice) -> Option<HeaderValue> {
    let payload = Payload {
        code: notice.code().to_owned(),
        at: state.clock.now(),
    };
    COOKIE.set(state, &payload)
}

/// The notice that the address asks for, if this browser has just been given it.
pub fn confirmed(state: &AppState, headers: &HeaderMap, asked: Option<&str>) -> Option<Notice> {
    let notice: Notice = asked?.parse().ok()?;
    let given = COOKIE.get(state, headers)?;
    let is_theirs = given.code == notice.code() && COOKIE.is_current(state, given.at);
    is_theirs.then_some(notice)
}
