use axum::http::{
    HeaderMap, HeaderValue,
    header::{COOKIE, InvalidHeaderValue},
};
use cookie::{Cookie, CookieJar, Key, SameSite, time::Duration};

use crate::server::config::Config;

pub mod link_token;
pub mod login_attempts;
pub mod one_time_link;

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

/// An encrypted and authenticated cookie, bound to its name.
///
/// # Errors
/// Never in practice: the encrypted value is Base64.
pub fn sealed(
    config: &Config,
    key: &Key,
    name: &str,
    value: &str,
    lifetime: u32,
) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut jar = CookieJar::new();
    jar.private_mut(key)
        .add(Cookie::new(name.to_owned(), value.to_owned()));
    let encrypted = jar
        .get(name)
        .map(|cookie| cookie.value().to_owned())
        .unwrap_or_default();
    header(config, name, &encrypted, Duration::seconds(lifetime.into()))
}

/// The header that deletes a sealed cookie.
///
/// # Errors
/// Never in practice: the name is one of ours.
pub fn unset(config: &Config, name: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    header(config, name, "", Duration::ZERO)
}

/// The names and contents of the sealed cookies whose name starts with `prefix`. Forged cookies are
/// skipped.
pub fn unsealed(key: &Key, headers: &HeaderMap, prefix: &str) -> Vec<(String, String)> {
    let lines = headers
        .get_all(COOKIE)
        .into_iter()
        .filter_map(|line| line.to_str().ok());
    let cookies = lines
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .filter(|cookie| cookie.name().starts_with(prefix));
    let mut jar = CookieJar::new();
    cookies.for_each(|cookie| jar.add_original(cookie.into_owned()));
    let private = jar.private(key);
    jar.iter()
        .filter_map(|cookie| {
            Some((
                cookie.name().to_owned(),
                private.get(cookie.name())?.value().to_owned(),
            ))
        })
        .collect()
}

/// The name of a cookie, over HTTPS with the `__Host-` prefix, so that no other host or path can
/// set it (RFC 6265bis §4.1.3.2).
pub fn prefixed_name(config: &Config, name: &str) -> String {
    format!("{}{name}", if config.is_https() { "__Host-" } else { "" })
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
