//! The key and the hash that verify a token, regardless of the token's own header (SR-062 to
//! SR-064, SR-066).

use axum::{Json, http::StatusCode, response::IntoResponse};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::support::{Account, Household, Key, keys, log::Log};

fn ada() -> Account {
    Account::confirmed("ada@example.org")
}

async fn is_refused(home: &Household, why: &str) {
    let page = home.come_back(&ada()).await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY, "{why}: {}", page.body);
    assert!(
        page.text(".reference")
            .unwrap()
            .ends_with("(invalid_token)"),
        "{why}: {:?}",
        page.text(".reference")
    );
}

#[tokio::test]
async fn a_token_that_names_where_its_key_is() {
    for member in ["jku", "x5u", "x5c"] {
        let home = Household::new().await;
        home.provider.knobs().key = Key::Stranger;
        home.provider.replace("/evil", || {
            Json(json!({ "keys": [keys::jwk("stranger", &json!({ "kid": "rsa" }))] }))
                .into_response()
        });
        let there = if member == "x5c" {
            json!([keys::certificate("stranger")])
        } else {
            json!(format!("{}/evil", home.provider.origin()))
        };
        home.provider
            .twist("header", move |header| header[member] = there.clone());
        is_refused(&home, member).await;
        assert_eq!(home.provider.times("/evil"), 0, "{member} was looked at");
    }
}

#[tokio::test]
async fn the_hash_of_an_access_token_is_that_of_the_algorithm() {
    let half = |hash: &[u8]| URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2]);
    let hashes = |token: &str| {
        [
            half(&Sha256::digest(token)),
            half(&Sha384::digest(token)),
            half(&Sha512::digest(token)),
        ]
    };
    let ours = hashes(&format!("access token of {}", ada().subject));
    let anothers = hashes("another access token");
    for (key, right) in [
        (Key::Rs256, 0),
        (Key::Es256, 0),
        (Key::Es384, 1),
        (Key::Ps384, 1),
        (Key::Ps512, 2),
        (Key::EdDsa, 2),
    ] {
        let home = Household::new().await;
        home.provider.knobs().key = key;
        let mut wrong = vec![anothers[right].clone(), String::new()];
        wrong.extend(
            ours.iter()
                .enumerate()
                .filter(|(hash, _)| *hash != right)
                .map(|(_, hash)| hash.clone()),
        );
        for hash in wrong {
            home.provider.twist("claims", move |claims| {
                claims["at_hash"] = hash.clone().into()
            });
            is_refused(&home, &format!("{key:?}")).await;
        }
        let hash = ours[right].clone();
        home.provider.twist("claims", move |claims| {
            claims["at_hash"] = hash.clone().into()
        });
        assert_eq!(
            home.come_back(&ada()).await.status,
            StatusCode::SEE_OTHER,
            "{key:?}"
        );
    }
}

// OpenID Foundation, Basic RP: rp-id_token-kid-absent-single-jwks
#[tokio::test]
async fn no_key_id_is_fine_where_one_key_fits() {
    let home = Household::new().await;
    home.provider.twist("header", |header| {
        drop(header.as_object_mut().unwrap().remove("kid"))
    });
    assert_eq!(
        home.come_back(&ada()).await.status,
        StatusCode::SEE_OTHER,
        "among others"
    );
    for extra in [json!({}), json!({ "kid": null })] {
        let home = Household::new().await;
        home.provider.twist("header", |header| {
            drop(header.as_object_mut().unwrap().remove("kid"))
        });
        home.provider.twist("jwks", move |jwks| {
            *jwks = json!({ "keys": [keys::jwk("rsa", &extra)] })
        });
        assert_eq!(
            home.come_back(&ada()).await.status,
            StatusCode::SEE_OTHER,
            "the only one"
        );
    }
}

#[tokio::test]
async fn an_rsa_key_above_4096_bits_is_refused_for_its_length() {
    let log = Log::begin();
    let home = Household::new().await;
    home.provider.twist("jwks", |jwks| {
        let modulus = URL_SAFE_NO_PAD.encode([0xff; 1024]);
        let long = json!({ "kty": "RSA", "kid": "rsa", "use": "sig", "e": "AQAB", "n": modulus });
        *jwks = json!({ "keys": [long, keys::jwk("p256", &json!({}))] });
    });
    is_refused(&home, "8192 bits").await;
    let text = log.text();
    assert!(
        text.contains("8192 bits") && text.contains("at most 4096"),
        "{text}"
    );
    home.provider.knobs().key = Key::Es256;
    assert_eq!(
        home.come_back(&ada()).await.status,
        StatusCode::SEE_OTHER,
        "the other keys work"
    );
}

#[tokio::test]
async fn a_key_set_with_a_member_twice_is_not_read() {
    for spoil in [r#"{"keys":[],"#, r#"{"keys":[{"kty":"RSA","kty":"EC"}],"#] {
        let home = Household::new().await;
        let text = keys::published().to_string().replacen('{', spoil, 1);
        home.provider
            .replace("/jwks", move || text.clone().into_response());
        let provider = home.app.state.providers.first().unwrap();
        let failure = provider.current_metadata().await.unwrap_err();
        assert!(failure.reason.contains("a member twice"), "{failure:?}");
    }
}
