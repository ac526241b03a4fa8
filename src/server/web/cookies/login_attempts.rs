//! The encrypted cookies of login attempts: one for each attempt, named after its `state`, so that
//! several tabs do not disturb each other (SR-051, SR-052).

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderValue};

use super::{SealedCookie, id_token_hint, surplus};
use crate::server::{
    AppState,
    crypto::tokens::Tokens,
    flows::oidc::{ATTEMPT_LIFETIME_SECONDS, LinkRequest, LoginAttempt, PendingLink, fingerprint},
};

/// The most attempts of one browser; a further one drops the oldest.
const MAX_PARALLEL_LOGINS: usize = 5;
/// The same beside an ID token: proxies refuse requests whose `Cookie` header is longer than 8 KiB,
/// and links of another site can start logins.
const MAX_PARALLEL_LOGINS_WITH_HINT: usize = 3;
const ATTEMPT_PREFIX: &str = "oidc-attempt-";

/// The cookie with an identity that is to be linked once the account's password is given.
pub const PENDING_LINK: SealedCookie<PendingLink> = SealedCookie::new(
    Cow::Borrowed("pending-link"),
    Tokens::pending_link_cookie_key,
    ATTEMPT_LIFETIME_SECONDS,
);

/// The cookie with a request to link an identity, until the browser goes to the provider.
pub const LINK_REQUEST: SealedCookie<LinkRequest> = SealedCookie::new(
    Cow::Borrowed("link-request"),
    Tokens::pending_link_cookie_key,
    ATTEMPT_LIFETIME_SECONDS,
);

/// The cookies that store a new attempt and drop the oldest ones beyond the limit.
pub fn set_login_attempt(
    state: &AppState,
    headers: &HeaderMap,
    attempt: &LoginAttempt,
) -> Vec<HeaderValue> {
    let others = attempt_cookie(Cow::Borrowed(ATTEMPT_PREFIX))
        .all(state, headers)
        .into_iter()
        .map(|(name, other)| (other.started_at, name))
        .collect();
    let max = if id_token_hint::has_cookie(state, headers) {
        MAX_PARALLEL_LOGINS_WITH_HINT
    } else {
        MAX_PARALLEL_LOGINS
    };
    let dropped = surplus(others, max).map(|name| attempt_cookie(Cow::Owned(name)).clear(state));
    let kept = attempt_cookie(name(&attempt.state)).set(state, attempt);
    dropped.chain([kept]).flatten().collect()
}

/// The attempt with this state, if the browser has it, and the cookie that removes it: an attempt is
/// used once, whatever its result (SR-053).
#[must_use]
pub fn take_login_attempt(
    state: &AppState,
    headers: &HeaderMap,
    returned: &str,
) -> (Option<LoginAttempt>, Option<HeaderValue>) {
    let cookie = attempt_cookie(name(returned));
    let attempt = cookie
        .get(state, headers)
        .filter(|attempt| attempt.state == returned);
    (attempt, cookie.clear(state))
}

/// The identity that this browser is about to link, if it is in time.
pub fn pending_link(state: &AppState, headers: &HeaderMap) -> Option<PendingLink> {
    PENDING_LINK
        .get(state, headers)
        .filter(|pending| pending.is_current(state.clock.now()))
}

fn attempt_cookie(name: Cow<'static, str>) -> SealedCookie<LoginAttempt> {
    SealedCookie::new(name, Tokens::attempt_cookie_key, ATTEMPT_LIFETIME_SECONDS)
}

/// Not the state itself, because cookie names end up in more logs than values do.
fn name(returned: &str) -> Cow<'static, str> {
    let fingerprint = fingerprint("cookie", returned);
    Cow::Owned(format!("{ATTEMPT_PREFIX}{}", &fingerprint[..16]))
}
