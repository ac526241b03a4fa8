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
pub mod one_time_link;
mod sealed;

pub use sealed::{SealedCookie, seal, unseal};

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
/// a malformed one cannot be trusted: both mean that nobody is logged in (SR-093).
pub fn presented_token(config: &Config, headers: &HeaderMap) -> Option<String> {
    let mut found = None;
    for header in headers.get_all(COOKIE) {
        for cookie in Cookie::split_parse(header.to_str().ok()?) {
            let cookie = cookie.ok()?;
            if cookie.name() == config.policy.cookie_name
                && found.replace(cookie.value().to_owned()).is_some()
            {
                return None;
            }
        }
    }
    found
}
