//! A signed token of the provider (JWS compact serialization, RFC 7515), read strictly and verified
//! against its published keys.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use openidconnect::{JsonWebKey, core::CoreJwsSigningAlgorithm as Algorithm};
use serde_json::{Map, Value};

use super::jwks::{ALGORITHMS, Key, MAX_RSA_BITS};
use crate::server::strict_json;

/// A well-formed token whose signature is not verified yet.
pub struct Unverified<'a> {
    pub algorithm: String,
    pub key_id: Option<String>,
    signed: &'a str,
    signature: Vec<u8>,
    claims: Map<String, Value>,
}

/// A token whose signature is verified.
#[derive(Debug)]
pub struct Verified {
    pub claims: Map<String, Value>,
    algorithm: Algorithm,
    key: Key,
}

/// Why a token was not verified.
#[derive(Debug, PartialEq, Eq)]
pub enum VerifyError {
    /// No published key has the token's `kid`: the keys may have been rotated.
    UnknownKid,
    /// The token can never be verified; with a reason for the log.
    Rejected(String),
}

/// Parses a token. `types` are the accepted values of `typ` besides its absence, in lower case and
/// without `application/`, which a token may leave out or not (RFC 7515 §4.1.9).
///
/// # Errors
/// A reason for the log, without any part of the token.
pub fn read<'a>(token: &'a str, types: &[&str]) -> Result<Unverified<'a>, String> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        return Err(if parts.len() == 5 {
            "is encrypted (JWE), which is not supported; switch encryption off at the provider"
        } else {
            "is not a signed token"
        }
        .into());
    };
    let decode = |part: &str, name: &str| {
        URL_SAFE_NO_PAD
            .decode(part)
            .map_err(|_| format!("has a {name} that is not base64url"))
    };
    let header_members = strict_json::object(&decode(header, "header")?)
        .map_err(|failure| format!("has a header that {failure}"))?;
    let text = |name: &str| match header_members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("has a header member {name} that is not text")),
    };
    // `jku`, `x5u`, `jwk` and `x5c` are ignored: a token cannot choose the key that verifies it
    // (SR-063).
    if header_members.contains_key("crit") {
        return Err("has critical header members, which are not understood".to_owned());
    }
    if header_members.contains_key("cty") || header_members.contains_key("enc") {
        return Err("holds something other than claims".to_owned());
    }
    let is_accepted = |typ: &str| {
        let typ = typ.to_ascii_lowercase();
        types.contains(&typ.strip_prefix("application/").unwrap_or(&typ))
    };
    if text("typ")?.is_some_and(|typ| !is_accepted(&typ)) {
        return Err("is a token for something else (typ)".to_owned());
    }
    Ok(Unverified {
        algorithm: text("alg")?.ok_or("has no algorithm")?,
        key_id: text("kid")?,
        signed: &token[..header.len() + 1 + payload.len()],
        signature: decode(signature, "signature")?,
        claims: strict_json::object(&decode(payload, "payload")?)
            .map_err(|failure| format!("has claims of which the JSON {failure}"))?,
    })
}

impl Unverified<'_> {
    /// The issuer that the token claims, which only chooses the keys to verify it with.
    pub fn claimed_issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }
}

impl Unverified<'_> {
    /// Verifies the signature with the one key that matches. `allowed` are the algorithms that the
    /// provider announces.
    ///
    /// # Errors
    /// `UnknownKid` when fetching the keys again may help, else `Rejected`.
    pub fn verify(self, keys: &[Key], allowed: &[String]) -> Result<Verified, VerifyError> {
        let refused = |why: String| Err(VerifyError::Rejected(why));
        let Some((name, algorithm)) = ALGORITHMS.into_iter().find(|(name, _)| {
            *name == self.algorithm && allowed.iter().any(|allowed| allowed == name)
        }) else {
            return refused(format!(
                "is signed with {}, which is not accepted",
                super::error::sanitize(&self.algorithm)
            ));
        };
        let named = |key: &&Key| self.key_id.is_none() || key.id == self.key_id;
        let fitting: Vec<&Key> = keys
            .iter()
            .filter(named)
            .filter(|key| key.supports(name))
            .collect();
        let key = match fitting[..] {
            [key] => key,
            [] if self.key_id.is_some() => {
                let too_long = keys.iter().filter(named).find(|key| key.is_too_long());
                return too_long.map_or(Err(VerifyError::UnknownKid), |key| {
                    refused(format!(
                        "is signed with an RSA key of {} bits; at most {MAX_RSA_BITS} are supported",
                        key.rsa_bits
                    ))
                });
            }
            [] => {
                return refused(format!(
                    "names no key, and none of the published ones fits {name}"
                ));
            }
            _ => {
                return refused(format!(
                    "can be checked with {} published keys, and does not say which",
                    fitting.len()
                ));
            }
        };
        match key
            .public
            .verify_signature(&algorithm, self.signed.as_bytes(), &self.signature)
        {
            Ok(()) => Ok(Verified {
                claims: self.claims,
                algorithm,
                key: key.clone(),
            }),
            Err(_) => refused("has a signature that is not the provider's".to_owned()),
        }
    }
}

impl Verified {
    /// The value that `at_hash` must have for an access token (OIDC Core §3.1.3.8).
    ///
    /// # Errors
    /// A reason for the log, when the algorithm has no hash.
    pub fn half_hash(&self, access_token: &str) -> Result<String, String> {
        let hash = self
            .key
            .public
            .hash_bytes(access_token.as_bytes(), &self.algorithm)?;
        Ok(URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2]))
    }
}
