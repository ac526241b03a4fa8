use std::{borrow::Cow, marker::PhantomData};

use axum::http::{HeaderMap, HeaderValue};
use cookie::{Cookie, CookieJar, Key, time::Duration};
use serde::{Serialize, de::DeserializeOwned};

use crate::server::{AppState, config::Config, crypto::tokens::Tokens};

/// A cookie with a `T`, encrypted, authenticated and bound to its name. The browser can neither read
/// nor change it.
pub struct SealedCookie<T> {
    name: Cow<'static, str>,
    key: fn(&Tokens) -> &Key,
    lifetime_seconds: u32,
    content: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> SealedCookie<T> {
    pub const fn new(
        name: Cow<'static, str>,
        key: fn(&Tokens) -> &Key,
        lifetime_seconds: u32,
    ) -> Self {
        Self {
            name,
            key,
            lifetime_seconds,
            content: PhantomData,
        }
    }

    /// The header that sets the cookie; `None` never in practice: the encrypted value is Base64.
    #[must_use]
    pub fn set(&self, state: &AppState, content: &T) -> Option<HeaderValue> {
        let json = serde_json::to_string(content).ok()?;
        let name = prefixed(&state.config, &self.name);
        let key = (self.key)(&state.tokens);
        seal(&state.config, key, &name, &json, self.lifetime_seconds)
    }

    /// The header that deletes the cookie; `None` never in practice: the name is one of ours.
    #[must_use]
    pub fn clear(&self, state: &AppState) -> Option<HeaderValue> {
        let name = prefixed(&state.config, &self.name);
        super::header(&state.config, &name, "", Duration::ZERO).ok()
    }

    /// The content of the cookie; `None` without one, and for a forged one.
    pub fn get(&self, state: &AppState, headers: &HeaderMap) -> Option<T> {
        let wanted = prefixed(&state.config, &self.name);
        let cookies = unseal((self.key)(&state.tokens), headers, &wanted);
        let (_, json) = cookies.into_iter().find(|(name, _)| *name == wanted)?;
        serde_json::from_str(&json).ok()
    }

    /// Whether a cookie that was set at this time is still good. The browser keeps the lifetime, but
    /// whoever has copied the cookie does not.
    pub fn is_current(&self, state: &AppState, set_at: i64) -> bool {
        let age = state.clock.now().saturating_sub(set_at);
        (0..=i64::from(self.lifetime_seconds)).contains(&age)
    }

    /// The cookies whose names begin with this one's, each with its name as [`new`](Self::new) takes
    /// it.
    pub fn all(&self, state: &AppState, headers: &HeaderMap) -> Vec<(String, T)> {
        let prefix = prefixed(&state.config, &self.name);
        let host_prefix = prefix.len() - self.name.len();
        let cookies = unseal((self.key)(&state.tokens), headers, &prefix);
        let contents = cookies.into_iter().filter_map(|(name, json)| {
            Some((
                name[host_prefix..].to_owned(),
                serde_json::from_str(&json).ok()?,
            ))
        });
        contents.collect()
    }
}

/// The names of the oldest cookies, which have to go so that with a new one there are `max`. Each
/// comes with the time at which it was set.
pub fn surplus(mut others: Vec<(i64, String)>, max: usize) -> impl Iterator<Item = String> {
    others.sort();
    let count = (others.len() + 1).saturating_sub(max);
    others.into_iter().take(count).map(|(_, name)| name)
}

/// The name of a cookie, over HTTPS with the `__Host-` prefix, so that no other host or path can
/// set it (RFC 6265bis §4.1.3.2).
fn prefixed(config: &Config, name: &str) -> String {
    format!("{}{name}", if config.is_https() { "__Host-" } else { "" })
}

/// The header that sets a cookie with an encrypted value.
pub fn seal(
    config: &Config,
    key: &Key,
    name: &str,
    value: &str,
    lifetime_seconds: u32,
) -> Option<HeaderValue> {
    let mut jar = CookieJar::new();
    jar.private_mut(key)
        .add(Cookie::new(name.to_owned(), value.to_owned()));
    let encrypted = jar.get(name)?.value();
    super::header(
        config,
        name,
        encrypted,
        Duration::seconds(lifetime_seconds.into()),
    )
    .ok()
}

/// The names and values of the encrypted cookies whose name begins with `prefix`. Forged ones are
/// skipped.
pub fn unseal(key: &Key, headers: &HeaderMap, prefix: &str) -> Vec<(String, String)> {
    let cookies = super::pairs(headers)
        .filter_map(|(name, value)| Some((str::from_utf8(name).ok()?, value?)))
        .filter(|(name, _)| name.starts_with(prefix));
    let mut jar = CookieJar::new();
    cookies.for_each(|(name, value)| {
        jar.add_original(Cookie::new(name.to_owned(), value.to_owned()));
    });
    let private = jar.private(key);
    let opened = jar.iter().filter_map(|cookie| {
        let value = private.get(cookie.name())?.value().to_owned();
        Some((cookie.name().to_owned(), value))
    });
    opened.collect()
}
