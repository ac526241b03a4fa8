//! The encrypted cookies of login attempts: one for each attempt, named after its `state`, so that
//! several tabs do not disturb each other (SR-051, SR-052).

use axum::http::{HeaderMap, HeaderValue};

use crate::server::{
    AppState,
    flows::oidc::{ATTEMPT_LIFETIME_SECONDS, LoginAttempt, PendingLink, fingerprint},
    web::cookies,
};

/// The most attempts of one browser; a further one drops the oldest.
const MAX_PARALLEL_LOGINS: usize = 5;
const ATTEMPT_PREFIX: &str = "oidc-attempt-";
const PENDING_LINK: &str = "pending-link";

/// The cookies that store a new attempt and drop the oldest ones beyond the limit.
pub fn set_login_attempt(
    state: &AppState,
    headers: &HeaderMap,
    attempt: &LoginAttempt,
) -> Vec<HeaderValue> {
    let key = state.tokens.attempt_cookie_key();
    let carried = cookies::unsealed(
        key,
        headers,
        &cookies::prefixed_name(&state.config, ATTEMPT_PREFIX),
    );
    let mut others: Vec<(i64, String)> = carried
        .into_iter()
        .filter_map(|(name, text)| {
            Some((
                serde_json::from_str::<LoginAttempt>(&text).ok()?.started_at,
                name,
            ))
        })
        .collect();
    others.sort();
    let surplus = (others.len() + 1).saturating_sub(MAX_PARALLEL_LOGINS);
    let dropped = others
        .into_iter()
        .take(surplus)
        .map(|(_, name)| cookies::unset(&state.config, &name));
    let text = serde_json::to_string(attempt).unwrap_or_default();
    let kept = cookies::sealed(
        &state.config,
        key,
        &name(state, &attempt.state),
        &text,
        ATTEMPT_LIFETIME_SECONDS,
    );
    dropped.chain([kept]).filter_map(Result::ok).collect()
}

/// The attempt with this state, if the browser has it, and the cookie that removes it: an attempt
/// is used once, whatever its result (SR-053).
#[must_use]
pub fn take_login_attempt(
    state: &AppState,
    headers: &HeaderMap,
    returned: &str,
) -> (Option<LoginAttempt>, Option<HeaderValue>) {
    let name = name(state, returned);
    let found = cookies::unsealed(state.tokens.attempt_cookie_key(), headers, &name).pop();
    let attempt = found
        .and_then(|(_, text)| serde_json::from_str::<LoginAttempt>(&text).ok())
        .filter(|attempt| attempt.state == returned);
    (attempt, cookies::unset(&state.config, &name).ok())
}

/// The cookie that stores an identity until the account's password is given.
#[must_use]
pub fn set_pending_link(state: &AppState, pending: &PendingLink) -> Option<HeaderValue> {
    let text = serde_json::to_string(pending).ok()?;
    cookies::sealed(
        &state.config,
        state.tokens.pending_link_cookie_key(),
        &cookies::prefixed_name(&state.config, PENDING_LINK),
        &text,
        ATTEMPT_LIFETIME_SECONDS,
    )
    .ok()
}

/// The identity that this browser is about to link, if it is in time.
pub fn pending_link(state: &AppState, headers: &HeaderMap) -> Option<PendingLink> {
    let (_, text) = cookies::unsealed(
        state.tokens.pending_link_cookie_key(),
        headers,
        &cookies::prefixed_name(&state.config, PENDING_LINK),
    )
    .pop()?;
    serde_json::from_str(&text)
        .ok()
        .filter(|pending: &PendingLink| pending.is_current(state.clock.now()))
}

/// The cookie that removes the pending link.
#[must_use]
pub fn clear_pending_link(state: &AppState) -> Option<HeaderValue> {
    cookies::unset(
        &state.config,
        &cookies::prefixed_name(&state.config, PENDING_LINK),
    )
    .ok()
}

/// Not the state itself, because cookie names end up in more logs than values do.
fn name(state: &AppState, returned: &str) -> String {
    let fingerprint = fingerprint("cookie", returned);
    cookies::prefixed_name(
        &state.config,
        &format!("{ATTEMPT_PREFIX}{}", &fingerprint[..16]),
    )
}
