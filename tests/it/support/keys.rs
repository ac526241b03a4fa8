//! The keys of the test provider, generated once and used nowhere else.

use std::sync::LazyLock;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};

use super::provider::CLIENT_SECRET;

static KEYS: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../keys/keys.json")).unwrap());

/// The key that signs a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Key {
    #[default]
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
    /// 1024 bits.
    ShortRsa,
    /// The key of another provider.
    Stranger,
    /// The client secret, which the client knows too.
    Hs256,
    Hs384,
    Hs512,
    /// The published RSA key used as an HMAC secret.
    Confused,
    Nothing,
}

impl Key {
    fn entry(self) -> &'static str {
        match self {
            Self::ShortRsa => "short",
            Self::Stranger => "stranger",
            Self::Es256 => "p256",
            Self::Es384 => "p384",
            Self::EdDsa => "ed25519",
            _ => "rsa",
        }
    }

    /// Its `kid`.
    pub fn name(self) -> &'static str {
        // The stranger's key has the `kid` of the real one.
        if self == Self::Stranger {
            "rsa"
        } else {
            self.entry()
        }
    }

    pub fn algorithm(self) -> &'static str {
        match self {
            Self::Rs256 | Self::ShortRsa | Self::Stranger => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Hs256 | Self::Confused => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Nothing => "none",
        }
    }
}

/// A compact JWS of exactly these bytes.
pub fn sign(header: &str, payload: &[u8], key: Key) -> String {
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let der = &STANDARD
        .decode(KEYS[key.entry()]["der"].as_str().unwrap())
        .unwrap();
    let (key, algorithm) = match key {
        Key::Nothing => return format!("{signed}."),
        Key::Rs256 | Key::ShortRsa | Key::Stranger => {
            (EncodingKey::from_rsa_der(der), Algorithm::RS256)
        }
        Key::Rs384 => (EncodingKey::from_rsa_der(der), Algorithm::RS384),
        Key::Rs512 => (EncodingKey::from_rsa_der(der), Algorithm::RS512),
        Key::Ps384 => (EncodingKey::from_rsa_der(der), Algorithm::PS384),
        Key::Ps512 => (EncodingKey::from_rsa_der(der), Algorithm::PS512),
        Key::Ps256 => (EncodingKey::from_rsa_der(der), Algorithm::PS256),
        Key::Es256 => (EncodingKey::from_ec_der(der), Algorithm::ES256),
        Key::Es384 => (EncodingKey::from_ec_der(der), Algorithm::ES384),
        Key::EdDsa => (EncodingKey::from_ed_der(der), Algorithm::EdDSA),
        Key::Hs256 => (
            EncodingKey::from_secret(CLIENT_SECRET.as_bytes()),
            Algorithm::HS256,
        ),
        Key::Hs384 => (
            EncodingKey::from_secret(CLIENT_SECRET.as_bytes()),
            Algorithm::HS384,
        ),
        Key::Hs512 => (
            EncodingKey::from_secret(CLIENT_SECRET.as_bytes()),
            Algorithm::HS512,
        ),
        Key::Confused => (
            EncodingKey::from_secret(KEYS["rsa"]["jwk"]["n"].as_str().unwrap().as_bytes()),
            Algorithm::HS256,
        ),
    };
    format!(
        "{signed}.{}",
        crypto::sign(signed.as_bytes(), &key, algorithm).unwrap()
    )
}

/// The public key of this entry as a JWK.
pub fn jwk(entry: &str, extra: &Value) -> Value {
    let mut jwk = KEYS[entry]["jwk"].clone();
    jwk["kid"] = entry.into();
    for (name, value) in extra.as_object().unwrap() {
        jwk[name] = value.clone();
    }
    jwk
}

/// A self-signed certificate of this RSA key, for `x5c`.
pub fn certificate(entry: &str) -> String {
    let pkcs1 = STANDARD
        .decode(KEYS[entry]["der"].as_str().unwrap())
        .unwrap();
    let der = |tag: u8, content: &[u8]| {
        [
            &[tag, 0x82][..],
            &u16::try_from(content.len()).unwrap().to_be_bytes(),
            content,
        ]
        .concat()
    };
    // RFC 5208: version 0, rsaEncryption, the key.
    let algorithm = [
        0x02, 1, 0, 0x30, 13, 0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 0x05, 0,
    ];
    let pkcs8 = der(
        0x30,
        &[&algorithm[..], der(0x04, &pkcs1).as_slice()].concat(),
    );
    let key = rcgen::KeyPair::try_from(pkcs8.as_slice()).unwrap();
    STANDARD.encode(
        rcgen::CertificateParams::new(Vec::new())
            .unwrap()
            .self_signed(&key)
            .unwrap()
            .der(),
    )
}

/// The JWKS: the valid keys, and keys that a client must ignore.
pub fn published() -> Value {
    json!({ "keys": [
        jwk("rsa", &json!({ "use": "sig" })),
        jwk("p256", &json!({ "use": "sig", "alg": "ES256" })),
        jwk("p384", &json!({})),
        jwk("ed25519", &json!({ "use": "sig" })),
        jwk("short", &json!({})),
        jwk("stranger", &json!({ "kid": "for encryption", "use": "enc" })),
        { "kty": "oct", "kid": "shared", "k": URL_SAFE_NO_PAD.encode(CLIENT_SECRET) },
        { "kty": "of next year", "kid": "next", "y": 1 },
    ] })
}
