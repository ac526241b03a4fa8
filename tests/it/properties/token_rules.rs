//! Rules for strict JSON and ID tokens. Tests generate inputs for them in `id_tokens.rs`, the fuzzer
//! in `fuzz/`; both compile this file.

use std::sync::LazyLock;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use mediamanager_auth::{
    domain::{ExternalUser, oidc_error::OidcError},
    server::{
        oidc::{claims, jwks, jwt},
        strict_json,
    },
};
use serde_json::{Map, Value};

/// A document is accepted if and only if serde_json accepts it, it is an object of at most 32
/// levels, and no object repeats a key; then both results are equal.
pub fn strict(document: &[u8]) -> Option<Map<String, Value>> {
    let usual = match serde_json::from_slice(document) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    };
    let (levels, written) = outline(document);
    let expected = usual.filter(|members| levels <= 32 && written == members_of(members));
    let read = strict_json::object(document).ok();
    assert_eq!(read, expected);
    read
}

/// The depth of a JSON document and the number of members written in it: the colons outside of
/// strings.
fn outline(document: &[u8]) -> (usize, usize) {
    let (mut level, mut deepest, mut colons) = (0_usize, 0, 0);
    let (mut is_text, mut is_escaped) = (false, false);
    for byte in document {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            _ if is_text => {}
            b'{' | b'[' => level += 1,
            b'}' | b']' => level = level.saturating_sub(1),
            b':' => colons += 1,
            _ => {}
        }
        deepest = deepest.max(level);
    }
    (deepest, colons)
}

fn members_of(members: &Map<String, Value>) -> usize {
    fn inside(value: &Value) -> usize {
        match value {
            Value::Array(items) => items.iter().map(inside).sum(),
            Value::Object(members) => members_of(members),
            _ => 0,
        }
    }
    members.len() + members.values().map(inside).sum::<usize>()
}

/// The test provider and the values of the authorization request.
const ISSUER: &str = "https://id.example.org";
const CLIENT_ID: &str = "mediamanager";
const NONCE: &str = "n-0S6_WzA2Mj";
const ACCESS_TOKEN: &str = "SlAV32hkKG";
const NOW: i64 = 1_800_000_000;

static KEYS: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../keys/keys.json")).unwrap());
static SIGNING: LazyLock<EncodingKey> = LazyLock::new(|| {
    EncodingKey::from_ed_der(
        &STANDARD
            .decode(KEYS["ed25519"]["der"].as_str().unwrap())
            .unwrap(),
    )
});
static PUBLISHED: LazyLock<Vec<jwks::Key>> = LazyLock::new(|| {
    let published = ["rsa", "p256", "ed25519"].map(|name| {
        let mut key = KEYS[name]["jwk"].clone();
        key["kid"] = name.into();
        key
    });
    jwks::read(
        serde_json::json!({ "keys": published })
            .to_string()
            .as_bytes(),
    )
    .unwrap()
});

/// A token that the provider has not signed is never valid.
pub fn forged_token(token: &str) {
    let Ok(unverified) = jwt::read(token, &["jwt"]) else {
        return;
    };
    let algorithms = jwks::ALGORITHMS.map(|(name, _)| name.to_owned());
    assert!(
        unverified.verify(&PUBLISHED, &algorithms).is_err(),
        "{token}"
    );
}

/// A token signed by the provider, with any header and any claims: an accepted identity equals the
/// claims, and the token is for our client, for this login and not expired (SR-062 to SR-067,
/// SR-073).
pub fn id_token(header: &[u8], payload: &[u8]) -> Option<ExternalUser> {
    let (head, body) = (strict(header), strict(payload));
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let token = format!(
        "{signed}.{}",
        crypto::sign(signed.as_bytes(), &SIGNING, Algorithm::EdDSA).unwrap()
    );
    let unverified = match jwt::read(&token, &["jwt"]) {
        Ok(unverified) => unverified,
        Err(why) => {
            assert!(!why.contains(char::is_control), "{why:?}");
            return None;
        }
    };
    let (head, body) = (
        head.expect("a header that is no strict JSON"),
        body.expect("claims that are no strict JSON"),
    );
    let verified = unverified.verify(&PUBLISHED, &["EdDSA".to_owned()]).ok()?;
    assert_eq!(head["alg"], "EdDSA");
    assert!(
        head.get("kid").is_none_or(|kid| kid == "ed25519"),
        "{head:?}"
    );
    assert!(
        head.get("typ").is_none_or(|typ| {
            typ.as_str().is_some_and(|typ| {
                ["jwt", "application/jwt"].contains(&typ.to_ascii_lowercase().as_str())
            })
        }),
        "{head:?}"
    );
    assert!(
        ["crit", "cty", "enc"]
            .iter()
            .all(|name| !head.contains_key(*name)),
        "{head:?}"
    );
    assert_eq!(verified.claims, body);

    let expected = claims::ExpectedClaims {
        issuer: ISSUER,
        client_id: CLIENT_ID,
        trusted_audiences: &[],
        nonce: NONCE,
        access_token: ACCESS_TOKEN,
        now: NOW,
    };
    let half_hash = verified.half_hash(ACCESS_TOKEN).unwrap();
    match claims::external_user(&verified, &expected) {
        Ok(person) => {
            believed(&person, &body, &half_hash);
            Some(person)
        }
        Err(fault) => {
            assert_eq!(fault.error, OidcError::InvalidToken);
            assert!(
                !fault.reason.contains(char::is_control),
                "{:?}",
                fault.reason
            );
            None
        }
    }
}

fn believed(person: &ExternalUser, body: &Map<String, Value>, half_hash: &str) {
    // A claim that is null is absent.
    let mut body = body.clone();
    body.retain(|_, value| !value.is_null());
    let body = &body;
    assert_eq!(
        (person.issuer.as_str(), &body["iss"], &body["nonce"]),
        (ISSUER, &ISSUER.into(), &NONCE.into())
    );
    assert!(
        body["aud"] == CLIENT_ID || body["aud"] == serde_json::json!([CLIENT_ID]),
        "{body:?}"
    );
    assert!(
        body.get("azp").is_none_or(|azp| azp == CLIENT_ID),
        "{body:?}"
    );
    assert!(
        body.get("at_hash")
            .is_none_or(|at_hash| at_hash == half_hash),
        "{body:?}"
    );
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let seconds = |name: &str| {
        body.get(name)
            .map(|date| date.as_f64().unwrap() - NOW as f64)
    };
    assert!(
        seconds("exp").unwrap() > -61.0 && (-661.0..61.0).contains(&seconds("iat").unwrap()),
        "{body:?}"
    );
    assert!(seconds("nbf").is_none_or(|nbf| nbf < 61.0), "{body:?}");

    assert_eq!(person.subject, body["sub"]);
    assert!(
        (1..=255).contains(&person.subject.len())
            && person
                .subject
                .bytes()
                .all(|byte| (b' '..0x7f).contains(&byte)),
        "{person:?}"
    );
    assert!(
        person
            .email
            .as_ref()
            .is_none_or(|email| body["email"] == *email && !email.is_empty()),
        "{person:?}"
    );
    assert!(
        !person.is_email_verified
            || (person.email.is_some()
                && [true.into(), "true".into()].contains(&body["email_verified"])),
        "{body:?}"
    );
    let is_kept = |sid: &String| {
        body["sid"] == *sid && (1..=255).contains(&sid.len()) && !sid.contains(char::is_control)
    };
    assert!(person.session.as_ref().is_none_or(is_kept), "{person:?}");
}
