use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use serde_json::json;

use super::*;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn tokens() -> Tokens {
    Tokens::new(SECRET, Clock::System).unwrap()
}

fn forge(header: &Header, claims: &serde_json::Value, secret: &str) -> String {
    encode(header, claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

fn good_claims() -> serde_json::Value {
    let now = Clock::System.now();
    json!({"sub": Uuid::nil(), "aud": ["fastapi-users:auth"], "jti": Uuid::nil(), "iat": now, "exp": now + 60})
}

#[test]
fn a_session_token_says_five_things_and_is_short() {
    let (token, claims) = tokens().sign_session(Uuid::max(), Uuid::max(), 60).unwrap();
    assert!(token.len() < 1000);
    assert_eq!(tokens().check_session(&token), Ok(claims.clone()));
    let written = serde_json::to_value(&claims).unwrap();
    assert_eq!(written.as_object().unwrap().len(), 5);
    assert_eq!(written["aud"], json!(["fastapi-users:auth"]));
}

#[test]
fn a_forged_twisted_or_stale_token_is_refused() {
    let hs256 = Header::new(Algorithm::HS256);
    assert!(
        tokens()
            .check_session(&forge(&hs256, &good_claims(), SECRET))
            .is_ok()
    );
    let mut refused = vec![
        (
            "another key",
            forge(&hs256, &good_claims(), "another secret of thirty-two bytes"),
        ),
        (
            "HS512",
            forge(&Header::new(Algorithm::HS512), &good_claims(), SECRET),
        ),
        (
            "typ",
            forge(
                &Header {
                    typ: Some("at+jwt".into()),
                    ..hs256.clone()
                },
                &good_claims(),
                SECRET,
            ),
        ),
        (
            "no typ",
            forge(
                &Header {
                    typ: None,
                    ..hs256.clone()
                },
                &good_claims(),
                SECRET,
            ),
        ),
        (
            "critical",
            forge(
                &Header {
                    crit: Some(vec!["exp".into()]),
                    ..hs256.clone()
                },
                &good_claims(),
                SECRET,
            ),
        ),
        ("nothing", String::new()),
        ("dots", "..".into()),
    ];
    let now = Clock::System.now();
    for (name, key, value) in [
        ("expired", "exp", json!(now - 1)),
        ("exp is text", "exp", json!((now + 60).to_string())),
        ("not yet", "nbf", json!(now + 30)),
        ("audience", "aud", json!(["fastapi-users:reset"])),
        ("two audiences", "aud", json!(["fastapi-users:auth", "x"])),
        ("sub", "sub", json!("admin")),
        ("jti", "jti", json!(7)),
        ("no jti", "jti", json!(null)),
        ("no iat", "iat", json!(null)),
    ] {
        let mut claims = good_claims();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(key);
        } else {
            claims[key] = value;
        }
        refused.push((name, forge(&hs256, &claims, SECRET)));
    }
    let unsigned = format!(
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.{}.",
        forge(&hs256, &good_claims(), SECRET)
            .split('.')
            .nth(1)
            .unwrap()
    );
    refused.push(("alg none", unsigned));
    for (name, token) in refused {
        assert_eq!(tokens().check_session(&token), Err(InvalidToken), "{name}");
    }
}

#[test]
fn a_token_of_one_purpose_is_refused_for_another() {
    let (session, _) = tokens().sign_session(Uuid::nil(), Uuid::nil(), 60).unwrap();
    let setup = tokens().sign_setup(60).unwrap();
    assert_eq!(tokens().check_setup(&setup), Ok(()));
    assert_eq!(tokens().check_setup(&session), Err(InvalidToken));
    assert_eq!(tokens().check_session(&setup), Err(InvalidToken));
}

#[test]
fn tokens_end_by_our_clock() {
    let time = Arc::new(AtomicI64::new(Clock::System.now()));
    let tokens = Tokens::new(SECRET, Clock::Manual(time.clone())).unwrap();
    let (session, _) = tokens.sign_session(Uuid::nil(), Uuid::nil(), 60).unwrap();
    let setup = tokens.sign_setup(60).unwrap();
    time.fetch_add(61, Ordering::Relaxed);
    assert!(tokens.check_session(&session).is_err());
    assert!(tokens.check_setup(&setup).is_err());
}
