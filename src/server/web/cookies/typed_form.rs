//! The sealed cookie with what was typed into a form that could not be sent because a login is
//! missing: shown on the form's page after the login, to the same account, once.

use std::{borrow::Cow, collections::BTreeMap};

use axum::http::{HeaderValue, request::Parts};
use serde::{Deserialize, Serialize};

use super::SealedCookie;
use crate::server::{
    AppState, crypto::tokens::Tokens, web::middleware::authenticate::current_user,
};

/// As long as the login may take.
const LIFETIME_SECONDS: u32 = 10 * 60;
/// What people type beside passwords.
const TYPED_FIELDS: [&str; 1] = ["email"];
/// In a form with a password, nothing else is typed.
const SECRET_FIELD: &str = "password";
/// Longer texts are no valid values, and would not fit into a cookie.
const MAX_BYTES: usize = 512;

const COOKIE: SealedCookie<TypedForm> = SealedCookie::new(
    Cow::Borrowed("typed-form"),
    Tokens::page_cookie_key,
    LIFETIME_SECONDS,
);

#[derive(Serialize, Deserialize)]
struct TypedForm {
    /// The field that binds the form to its account.
    account: String,
    /// The path of the form's page.
    path: String,
    values: BTreeMap<String, String>,
    /// Unix seconds.
    at: i64,
}

/// The cookie that keeps the fields; `None` if nothing was typed that may be kept.
#[must_use]
pub fn keep(
    state: &AppState,
    path: &str,
    account: Option<&str>,
    fields: &[(String, String)],
) -> Option<HeaderValue> {
    let is_secret = fields.iter().any(|(name, _)| name == SECRET_FIELD);
    let values: BTreeMap<_, _> = fields
        .iter()
        .filter(|(name, value)| TYPED_FIELDS.contains(&name.as_str()) && !value.is_empty())
        .cloned()
        .collect();
    let size: usize = values.values().map(String::len).sum();
    if is_secret || values.is_empty() || size > MAX_BYTES {
        return None;
    }
    let form = TypedForm {
        account: account?.to_owned(),
        path: path.to_owned(),
        values,
        at: state.clock.now(),
    };
    COOKIE.set(state, &form)
}

/// What the viewer has typed into the form of this page before the login, and the cookie that forgets
/// it.
#[must_use]
pub fn take(state: &AppState, parts: &Parts) -> Option<(BTreeMap<String, String>, HeaderValue)> {
    let current = current_user(parts)?;
    let form = COOKIE.get(state, &parts.headers)?;
    let is_theirs = state
        .tokens
        .check_form_account(&form.account, current.user().id)
        .is_ok();
    let is_shown = is_theirs && form.path == parts.uri.path() && COOKIE.is_current(state, form.at);
    is_shown.then_some((form.values, COOKIE.clear(state)?))
}
