use axum::http::{
    HeaderMap, HeaderValue,
    header::{COOKIE, InvalidHeaderValue},
};
use cookie::{Cookie, CookieJar, Key, SameSite, time::Duration};

use crate::server::config::Config;

pub mod link_token;
pub mod login_attempts;
pub mod one_time_link;

/// The header that gives a browser its session (SR-092). `Secure` follows the public URL's scheme,
/// never a request header.
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

/// The header that takes it away again, with the same attributes, as browsers ask for.
///
/// # Errors
/// Never in practice.
pub fn clear_session(config: &Config) -> Result<HeaderValue, InvalidHeaderValue> {
    build(config, "", Duration::ZERO)
}

/// A cookie that only this program can read or write, and only under this name.
///
/// # Errors
/// Never in practice: encryption ends in base64.
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

/// The header that takes a sealed cookie away again.
///
/// # Errors
/// Never in practice: the name is one of ours.
pub fn unset(config: &Config, name: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    header(config, name, "", Duration::ZERO)
}

/// What is in the sealed cookies whose name begins so, with their names. One that somebody else has
/// written is as good as none.
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

/// The name of a cookie of ours: over https with the prefix that no other host or path can set (RFC
/// 6265bis §4.1.3.2).
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

/// Every cookie: not for scripts, not with requests that other sites make, for this host only.
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

/// The session token a browser presents. Two cookies of the name mean that somebody planted one,
/// and a malformed one that something is wrong: both mean nobody (SR-093).
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
