//! The ID token of a session that began at the provider, for the logout there: several providers end
//! no session without it (OpenID Connect RP-Initiated Logout 1.0 §2). It is kept nowhere but in this
//! encrypted cookie of the browser, bound to the session and void when the session ends (SR-069).

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

use super::SealedCookie;
use crate::server::{
    AppState,
    crypto::tokens::Tokens,
    flows::{oidc::fingerprint, sessions::NewSession},
};

const NAME: &str = "id-token-hint";
/// A longer ID token is not kept: browsers refuse cookies above 4096 bytes, and proxies requests
/// with a long `Cookie` header.
const MAX_ID_TOKEN_BYTES: usize = 2048;
/// How long the login page may offer the logout at the provider with the hint, in seconds.
const OFFER_SECONDS: u32 = 60;

#[derive(Serialize, Deserialize)]
pub struct IdTokenHint {
    id_token: String,
    state: HintState,
}

#[derive(Serialize, Deserialize)]
enum HintState {
    /// The session is live; the fingerprint of its token.
    Session(String),
    /// The session has ended; the hint is for the next page until this time, in Unix seconds.
    LoggedOut { until: i64 },
}

fn cookie(lifetime_seconds: u32) -> SealedCookie<IdTokenHint> {
    SealedCookie::new(
        Cow::Borrowed(NAME),
        Tokens::attempt_cookie_key,
        lifetime_seconds,
    )
}

fn session_fingerprint(token: &str) -> String {
    fingerprint("id-token-hint", token)
}

/// The header that keeps the ID token of a new session, or clears the one of an earlier session if
/// this one is too long.
pub fn set(state: &AppState, session: &NewSession, id_token: String) -> Option<HeaderValue> {
    let cookie = cookie(session.lifetime);
    if id_token.len() > MAX_ID_TOKEN_BYTES {
        return cookie.clear(state);
    }
    let hint = IdTokenHint {
        id_token,
        state: HintState::Session(session_fingerprint(&session.token)),
    };
    cookie.set(state, &hint)
}

/// The header that clears the hint, if the browser has one.
pub fn clear(state: &AppState, headers: &HeaderMap) -> Option<HeaderValue> {
    has_cookie(state, headers)
        .then(|| cookie(0).clear(state))
        .flatten()
}

/// The header that passes the hint of this session, which has just ended, to the next page. Clears
/// the hint of another session.
pub fn offer(state: &AppState, headers: &HeaderMap, session: &str) -> Option<HeaderValue> {
    let cookie = cookie(OFFER_SECONDS);
    let hint = cookie.get(state, headers).filter(
        |hint| matches!(&hint.state, HintState::Session(of) if *of == session_fingerprint(session)),
    );
    let Some(hint) = hint else {
        return clear(state, headers);
    };
    let until = state.clock.now() + i64::from(OFFER_SECONDS);
    let hint = IdTokenHint {
        state: HintState::LoggedOut { until },
        ..hint
    };
    cookie.set(state, &hint)
}

/// The ID token of the session that has just ended.
pub fn offered(state: &AppState, headers: &HeaderMap) -> Option<String> {
    let hint = cookie(OFFER_SECONDS).get(state, headers)?;
    match hint.state {
        HintState::LoggedOut { until } if state.clock.now() < until => Some(hint.id_token),
        _ => None,
    }
}

/// Whether the browser has a hint, of whatever session.
pub fn has_cookie(state: &AppState, headers: &HeaderMap) -> bool {
    !cookie(0).all(state, headers).is_empty()
}

/// Written by hand, because it holds a token (SR-181).
impl std::fmt::Debug for IdTokenHint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}
