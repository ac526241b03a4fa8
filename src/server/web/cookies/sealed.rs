use std::{borrow::Cow, marker::PhantomData};

use axum::http::{HeaderMap, HeaderValue, header::COOKIE};
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
        let name = prefixed(&state.config, &self.name);
        let json = serde_json::to_string(content).ok()?;
        let mut jar = CookieJar::new();
        jar.private_mut((self.key)(&state.tokens))
            .add(Cookie::new(name.clone(), json));
        let lifetime = Duration::seconds(self.lifetime_seconds.into());
        super::header(&state.config, &name, jar.get(&name)?.value(), lifetime).ok()
    }

    /// The header that deletes the cookie; `None` never in practice: the name is one of ours.
    #[must_use]
    pub fn clear(&self, state: &AppState) -> Option<HeaderValue> {
        let name = prefixed(&state.config, &self.name);
        super::header(&state.config, &name, "", Duration::ZERO).ok()
    }

    /// The content of the cookie; `None` without one, and for a forged one.
    pub fn get(&self, state: &AppState, headers: &HeaderMap) -> Option<T> {
        let name = prefixed(&state.config, &self.name);
        let cookies = unseal((self.key)(&state.tokens), headers, |other| other == name);
        serde_json::from_str(&cookies.into_iter().next()?.1).ok()
    }

    /// The cookies of this kind whose names begin with this one's, without the `__Host-` prefix.
    pub fn all(&self, state: &AppState, headers: &HeaderMap) -> Vec<(String, T)> {
        let prefix = prefixed(&state.config, &self.name);
        let host_prefix = prefix.len() - self.name.len();
        unseal((self.key)(&state.tokens), headers, |name| {
            name.starts_with(&prefix)
        })
        .into_iter()
        .filter_map(|(name, json)| {
            Some((
                name[host_prefix..].to_owned(),
                serde_json::from_str(&json).ok()?,
            ))
        })
        .collect()
    }
}

/// The name of a cookie, over HTTPS with the `__Host-` prefix, so that no other host or path can
/// set it (RFC 6265bis §4.1.3.2).
fn prefixed(config: &Config, name: &str) -> String {
    format!("{}{name}", if config.is_https() { "__Host-" } else { "" })
}

/// The names and contents of the sealed cookies with such a name. Forged ones are skipped.
fn unseal(
    key: &Key,
    headers: &HeaderMap,
    is_wanted: impl Fn(&str) -> bool,
) -> Vec<(String, String)> {
    let lines = headers
        .get_all(COOKIE)
        .into_iter()
        .filter_map(|line| line.to_str().ok());
    let cookies = lines
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .filter(|cookie| is_wanted(cookie.name()));
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
