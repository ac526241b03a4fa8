use std::sync::Once;

use axum::http::{
    HeaderMap, HeaderValue,
    header::{COOKIE, InvalidHeaderValue},
};
use cookie::{Cookie, SameSite, time::Duration};

use crate::server::config::Config;

pub mod device;
pub mod id_token_hint;
pub mod link_token;
pub mod login_attempts;
pub mod notice;
pub mod one_time_link;
mod sealed;
pub mod typed_form;

pub use sealed::{SealedCookie, seal, surplus, unseal};

/// The `Set-Cookie` header with the session token (SR-092). `Secure` follows the scheme of the
/// public URL, never a request header.
///
/// # Errors
/// Never in practice: name and token are visible ASCII.
pub fn session(
    config: &Config,
    token: &str,
    lifetime: u32,
) -> Result<HeaderValue, InvalidHeaderValue> {
    build(config, token, Duration::seconds(lifetime.into()))
}

/// The header that deletes the session cookie. It repeats the attributes, because browsers compare
/// them.
///
/// # Errors
/// Never in practice.
pub fn clear_session(config: &Config) -> Result<HeaderValue, InvalidHeaderValue> {
    build(config, "", Duration::ZERO)
}

fn build(
    config: &Config,
    value: &str,
    lifetime: Duration,
) -> Result<HeaderValue, InvalidHeaderValue> {
    header(config, &config.policy.cookie_name, value, lifetime)
}

/// The attributes of every cookie: no access by scripts, not sent with cross-site requests except
/// top-level navigations, for this host only.
fn header(
    config: &Config,
    name: &str,
    value: &str,
    lifetime: Duration,
) -> Result<HeaderValue, InvalidHeaderValue> {
    let cookie = Cookie::build((name, value))
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(config.is_https())
        .path("/")
        .max_age(lifetime);
    HeaderValue::from_str(&cookie.build().to_string())
}

/// The session token in the cookies. A duplicate cookie may have been injected by another host, and
/// one that cannot be read cannot be trusted: both mean that nobody is logged in (SR-093).
pub fn presented_token(config: &Config, headers: &HeaderMap) -> Option<String> {
    static REJECTED: Once = Once::new();
    let mut ours = pairs(headers).filter(|(name, _)| *name == config.policy.cookie_name.as_bytes());
    let (_, token) = ours.next()?;
    let token = token.filter(|_| ours.next().is_none());
    if token.is_none() {
        REJECTED.call_once(|| {
            tracing::warn!(
                event = "session_cookie_rejected",
                "a browser has two cookies of the name policy.cookie_name, or one that cannot be read, and counts as logged out; another program of the domain may have set it"
            );
        });
    }
    token.map(ToOwned::to_owned)
}

/// The names and values of all cookies. The value is `None` where it is missing or not visible ASCII:
/// other programs of the domain set cookies too, and theirs must not make ours unreadable.
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], Option<&str>)> {
    static IGNORED: Once = Once::new();
    let pieces = headers
        .get_all(COOKIE)
        .into_iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        .map(<[u8]>::trim_ascii)
        .filter(|piece| !piece.is_empty());
    pieces.map(|piece| {
        let mut halves = piece.splitn(2, |byte| *byte == b'=');
        let name = halves.next().unwrap_or_default().trim_ascii();
        let value = halves
            .next()
            .map(<[u8]>::trim_ascii)
            .filter(|value| value.iter().all(|byte| (b' '..=b'~').contains(byte)))
            .and_then(|value| str::from_utf8(value).ok());
        if value.is_none() {
            IGNORED.call_once(|| {
                tracing::warn!(
                    event = "foreign_cookie_ignored",
                    "a browser sends a cookie that cannot be read; another program of the domain has set it"
                );
            });
        }
        (name, value)
    })
}
