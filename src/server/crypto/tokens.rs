//! Signed tokens and the keys derived from `token_secret`.

use hkdf::Hkdf;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Serialize, de::DeserializeOwned};
use sha2::Sha256;
use uuid::Uuid;

use crate::server::clock::Clock;

mod form_account;
mod link;
mod session;
mod setup;
#[cfg(test)]
mod tests;

pub use link::Purpose;
pub use session::SessionClaims;

/// The audience that MediaManager's backend requires in a session token.
const SESSION_AUDIENCE: &str = "fastapi-users:auth";
const SETUP_AUDIENCE: &str = "mediamanager-auth:setup";
const LOGIN_ATTEMPT_PURPOSE: &str = "mediamanager-auth:oidc-attempt";
const LINK_PURPOSE: &str = "mediamanager-auth:link-cookie";
const PENDING_PURPOSE: &str = "mediamanager-auth:oidc-pending";
const DEVICE_PURPOSE: &str = "mediamanager-auth:device-cookie";
const PAGE_PURPOSE: &str = "mediamanager-auth:page-cookie";
const FORM_PURPOSE: &str = "mediamanager-auth:form-account";

/// Signs and checks all tokens. A session token is signed with `token_secret` itself, because
/// MediaManager's backend checks it. Every other purpose has its own derived key, so that a token
/// for one purpose is invalid for all others (SR-049).
#[derive(Clone)]
pub struct Tokens {
    clock: Clock,
    session: Keys,
    setup: Keys,
    links: [(Purpose, Keys, [u8; 32]); 5],
    login_attempt_cookie: cookie::Key,
    pending_link_cookie: cookie::Key,
    link_cookie: cookie::Key,
    device_cookie: cookie::Key,
    page_cookie: cookie::Key,
    form: [u8; 32],
}

/// A token was rejected. The reason is not given, because it could help an attacker.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidToken;

#[derive(Clone)]
struct Keys {
    audience: &'static str,
    signing_key: EncodingKey,
    verification_key: DecodingKey,
}

impl Tokens {
    /// Derives the keys and tests that this build signs and checks tokens correctly (SR-222).
    ///
    /// # Errors
    /// `InvalidToken` when the self-test fails.
    pub fn new(token_secret: &str, clock: Clock) -> Result<Self, InvalidToken> {
        let secret = token_secret.as_bytes();
        let tokens = Self {
            clock,
            session: Keys::new(SESSION_AUDIENCE, secret),
            setup: Keys::new(SETUP_AUDIENCE, &derive::<32>(secret, SETUP_AUDIENCE)?),
            links: [
                link::derive_keys(secret, Purpose::Reset, "mediamanager-auth:reset")?,
                link::derive_keys(secret, Purpose::AdminReset, "mediamanager-auth:admin-reset")?,
                link::derive_keys(
                    secret,
                    Purpose::Invitation,
                    "mediamanager-auth:first-password",
                )?,
                link::derive_keys(
                    secret,
                    Purpose::EmailVerification,
                    "mediamanager-auth:proof",
                )?,
                link::derive_keys(
                    secret,
                    Purpose::EmailChange,
                    "mediamanager-auth:new-address",
                )?,
            ],
            link_cookie: cookie::Key::from(&derive::<64>(secret, LINK_PURPOSE)?),
            login_attempt_cookie: cookie::Key::from(&derive::<64>(secret, LOGIN_ATTEMPT_PURPOSE)?),
            pending_link_cookie: cookie::Key::from(&derive::<64>(secret, PENDING_PURPOSE)?),
            device_cookie: cookie::Key::from(&derive::<64>(secret, DEVICE_PURPOSE)?),
            page_cookie: cookie::Key::from(&derive::<64>(secret, PAGE_PURPOSE)?),
            form: derive(secret, FORM_PURPOSE)?,
        };
        let (token, claims) = tokens.sign_session(Uuid::nil(), Uuid::nil(), 60)?;
        if tokens.check_session(&token)? != claims || tokens.check_setup(&token).is_ok() {
            return Err(InvalidToken);
        }
        Ok(tokens)
    }

    /// Encrypts the cookie with the token of an opened one-time link.
    pub fn link_cookie_key(&self) -> &cookie::Key {
        &self.link_cookie
    }

    /// Encrypts the cookie with the secrets of an OIDC login attempt.
    pub fn attempt_cookie_key(&self) -> &cookie::Key {
        &self.login_attempt_cookie
    }

    /// Encrypts the cookie with an identity that waits for the user to confirm the link.
    pub fn pending_link_cookie_key(&self) -> &cookie::Key {
        &self.pending_link_cookie
    }

    /// Encrypts the cookies of known devices.
    pub fn device_cookie_key(&self) -> &cookie::Key {
        &self.device_cookie
    }

    /// Encrypts the cookies with what the next page shows.
    pub fn page_cookie_key(&self) -> &cookie::Key {
        &self.page_cookie
    }
}

impl Keys {
    fn new(audience: &'static str, secret: &[u8]) -> Self {
        Self {
            audience,
            signing_key: EncodingKey::from_secret(secret),
            verification_key: DecodingKey::from_secret(secret),
        }
    }

    fn sign(&self, claims: &impl Serialize) -> Result<String, InvalidToken> {
        encode(&Header::new(Algorithm::HS256), claims, &self.signing_key).map_err(|_| InvalidToken)
    }

    /// Accepts the header of [`sign`](Self::sign) and no other, no leeway and strict types, and
    /// checks `nbf` and the audience (SR-091, SR-222; RFC 8725 §3.1, §3.8-3.11). The library compares
    /// `exp` with the system clock; callers also compare it with [`Clock`], which tests can move.
    fn check<T: DeserializeOwned>(&self, token: &str) -> Result<T, InvalidToken> {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.leeway = 0;
        rules.validate_nbf = true;
        rules.set_required_spec_claims(&["exp", "aud"]);
        rules.set_audience(&[self.audience]);
        let data = decode::<T>(token, &self.verification_key, &rules).map_err(|_| InvalidToken)?;
        // A member that must be understood (`crit`, RFC 7515 §4.1.11) is none of ours either.
        if data.header == Header::new(Algorithm::HS256) {
            Ok(data.claims)
        } else {
            Err(InvalidToken)
        }
    }
}

/// Derives the key for one purpose with HKDF (RFC 5869), so that a leaked key does not reveal the
/// others.
fn derive<const N: usize>(token_secret: &[u8], purpose: &str) -> Result<[u8; N], InvalidToken> {
    let mut key = [0; N];
    Hkdf::<Sha256>::new(None, token_secret)
        .expand(purpose.as_bytes(), &mut key)
        .map_err(|_| InvalidToken)?;
    Ok(key)
}
