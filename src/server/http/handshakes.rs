//! What a browser carries, encrypted, on its way to the provider and back: one cookie for each attempt, found by its `state`,
//! so that several tabs do not disturb each other (SR-051, SR-052).

use axum::http::{HeaderMap, HeaderValue};

use crate::server::{
    AppState, cookies,
    flows::oidc::{Handshake, LIFETIME, Pending, fingerprint},
};

/// The most attempts one browser has under way; the oldest gives way.
const MOST: usize = 5;
const HANDSHAKE: &str = "oidc-handshake-";
const PENDING: &str = "oidc-connect";

/// The cookies that keep a new handshake, and drop the oldest ones beyond the limit.
#[must_use]
pub fn keep(state: &AppState, headers: &HeaderMap, handshake: &Handshake) -> Vec<HeaderValue> {
    let key = state.tokens.handshake_key();
    let carried = cookies::unsealed(key, headers, &cookies::own_name(&state.config, HANDSHAKE));
    let mut others: Vec<(i64, String)> =
        carried.into_iter().filter_map(|(name, text)| Some((serde_json::from_str::<Handshake>(&text).ok()?.started_at, name))).collect();
    others.sort();
    let surplus = (others.len() + 1).saturating_sub(MOST);
    let dropped = others.into_iter().take(surplus).map(|(_, name)| cookies::unset(&state.config, &name));
    let text = serde_json::to_string(handshake).unwrap_or_default();
    let kept = cookies::sealed(&state.config, key, &name(state, &handshake.state), &text, LIFETIME);
    dropped.chain([kept]).filter_map(Result::ok).collect()
}

/// The handshake that belongs to this answer, if this browser has it, and the cookie that takes it away: it is for one use,
/// whatever comes of it (SR-053).
#[must_use]
pub fn take(state: &AppState, headers: &HeaderMap, returned: &str) -> (Option<Handshake>, Option<HeaderValue>) {
    let name = name(state, returned);
    let found = cookies::unsealed(state.tokens.handshake_key(), headers, &name).pop();
    let handshake = found.and_then(|(_, text)| serde_json::from_str::<Handshake>(&text).ok()).filter(|handshake| handshake.state == returned);
    (handshake, cookies::unset(&state.config, &name).ok())
}

/// The cookie that keeps what is to be connected until the account is proven.
#[must_use]
pub fn keep_pending(state: &AppState, pending: &Pending) -> Option<HeaderValue> {
    let text = serde_json::to_string(pending).ok()?;
    cookies::sealed(&state.config, state.tokens.pending_key(), &cookies::own_name(&state.config, PENDING), &text, LIFETIME).ok()
}

/// What this browser is about to connect, if it is still in time.
#[must_use]
pub fn pending(state: &AppState, headers: &HeaderMap) -> Option<Pending> {
    let (_, text) = cookies::unsealed(state.tokens.pending_key(), headers, &cookies::own_name(&state.config, PENDING)).pop()?;
    serde_json::from_str(&text).ok().filter(|pending: &Pending| pending.is_current(state.clock.now()))
}

/// The cookie that takes it away.
#[must_use]
pub fn drop_pending(state: &AppState) -> Option<HeaderValue> {
    cookies::unset(&state.config, &cookies::own_name(&state.config, PENDING)).ok()
}

/// Not the state itself: cookie names end up in more places than values do.
fn name(state: &AppState, returned: &str) -> String {
    let fingerprint = fingerprint("cookie", returned);
    cookies::own_name(&state.config, &format!("{HANDSHAKE}{}", &fingerprint[..16]))
}
