use axum::http::{
    HeaderMap, HeaderValue,
    header::{COOKIE, InvalidHeaderValue},
};
use cookie::{Cookie, SameSite, time::Duration};

use crate::server::config::Config;

/// The header that gives a browser its session (SR-092). `Secure` follows the public URL's scheme, never a request header.
///
/// # Errors
/// Never in practice: name and token are visible ASCII.
pub fn session(config: &Config, token: &str, lifetime: u32) -> Result<HeaderValue, InvalidHeaderValue> {
    build(config, token, Duration::seconds(lifetime.into()))
}

/// The header that takes it away again, with the same attributes, as browsers ask for.
///
/// # Errors
/// Never in practice.
pub fn no_session(config: &Config) -> Result<HeaderValue, InvalidHeaderValue> {
    build(config, "", Duration::ZERO)
}

fn build(config: &Config, value: &str, lifetime: Duration) -> Result<HeaderValue, InvalidHeaderValue> {
    let cookie = Cookie::build((config.policy.cookie_name.as_str(), value))
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(config.is_https())
        .path("/")
        .max_age(lifetime);
    HeaderValue::from_str(&cookie.build().to_string())
}

/// The session token a browser presents. Two cookies of the name mean that somebody planted one, and a malformed one that
/// something is wrong: both mean nobody (SR-093).
#[must_use]
pub fn presented_token(config: &Config, headers: &HeaderMap) -> Option<String> {
    let mut found = None;
    for header in headers.get_all(COOKIE) {
        for cookie in Cookie::split_parse(header.to_str().ok()?) {
            let cookie = cookie.ok()?;
            if cookie.name() == config.policy.cookie_name && found.replace(cookie.value().to_owned()).is_some() {
                return None;
            }
        }
    }
    found
}
