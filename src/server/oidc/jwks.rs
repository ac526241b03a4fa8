//! The provider's public keys, as its `jwks_uri` publishes them. Keys from anywhere else are never
//! used (SR-063).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use openidconnect::core::{CoreJsonWebKey, CoreJwsSigningAlgorithm as Algorithm};
use serde_json::Value;

use crate::server::strict_json;

/// The accepted algorithms: asymmetric, current, and verified by the library. `none` and HS* are
/// never accepted (SR-062; RFC 8725 §3.1): with HS256, everybody who knows the client secret could
/// log in as anyone.
pub const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::RsaSsaPkcs1V15Sha256),
    ("RS384", Algorithm::RsaSsaPkcs1V15Sha384),
    ("RS512", Algorithm::RsaSsaPkcs1V15Sha512),
    ("PS256", Algorithm::RsaSsaPssSha256),
    ("PS384", Algorithm::RsaSsaPssSha384),
    ("PS512", Algorithm::RsaSsaPssSha512),
    ("ES256", Algorithm::EcdsaP256Sha256),
    ("ES384", Algorithm::EcdsaP384Sha384),
    ("EdDSA", Algorithm::EdDsa),
];

const MIN_RSA_BYTES: usize = 2048 / 8;
/// The library verifies no longer ones.
pub const MAX_RSA_BITS: usize = 4096;

/// One usable key.
#[derive(Clone, Debug)]
pub struct Key {
    pub id: Option<String>,
    kty: String,
    crv: String,
    /// The key's `alg`, if it has one.
    alg: Option<String>,
    /// The length of an RSA key; 0 for others.
    pub rsa_bits: usize,
    pub public: CoreJsonWebKey,
}

/// Reads a key set. Keys that are unknown, malformed, symmetric, for encryption or too short are
/// left out, and the others still work (SR-063, SR-085). RSA keys above [`MAX_RSA_BITS`] stay in the
/// list and verify nothing, so that their length can be named.
///
/// # Errors
/// A reason for the log, when there is no list of keys.
pub fn read(bytes: &[u8]) -> Result<Vec<Key>, String> {
    let mut document = strict_json::object(bytes)?;
    match document.remove("keys") {
        Some(Value::Array(keys)) => Ok(keys.into_iter().filter_map(usable).collect()),
        _ => Err("has no list of keys".to_owned()),
    }
}

fn usable(key: Value) -> Option<Key> {
    let text = |name: &str| key.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let kty = text("kty").filter(|kty| ["RSA", "EC", "OKP"].contains(&kty.as_str()))?;
    if key.get("use").is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let mut rsa_bits = 0;
    if kty == "RSA" {
        let modulus = URL_SAFE_NO_PAD.decode(text("n")?).ok()?;
        let significant = modulus.iter().skip_while(|byte| **byte == 0).count();
        if significant < MIN_RSA_BYTES {
            return None;
        }
        rsa_bits = significant * 8;
    }
    let (id, crv, alg) = (text("kid"), text("crv").unwrap_or_default(), text("alg"));
    let public = serde_json::from_value(key).ok()?;
    Some(Key {
        id,
        kty,
        crv,
        alg,
        rsa_bits,
        public,
    })
}

impl Key {
    /// Whether the key is an RSA key that is kept only to name its length.
    pub fn is_too_long(&self) -> bool {
        self.rsa_bits > MAX_RSA_BITS
    }

    /// Whether the key can verify a signature of this algorithm.
    pub fn supports(&self, algorithm: &str) -> bool {
        let (kty, crv) = match algorithm {
            "ES256" => ("EC", "P-256"),
            "ES384" => ("EC", "P-384"),
            "EdDSA" => ("OKP", "Ed25519"),
            _ => ("RSA", ""),
        };
        self.kty == kty
            && !self.is_too_long()
            && (crv.is_empty() || self.crv == crv)
            && self.alg.as_deref().is_none_or(|alg| alg == algorithm)
    }
}
