//! Rotation of the provider's signing keys.

use axum::{http::StatusCode, response::IntoResponse};
use serde_json::json;

use super::ada;
use crate::support::{Household, app_with_provider, keys, log::Log};

#[tokio::test]
async fn rotated_keys_are_looked_up_once_and_strangers_cannot_make_us_look_again() {
    let home = Household::new().await;
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
    assert_eq!(home.provider.times("/jwks"), 1);
    let rotate = || {
        home.provider.twist("jwks", |jwks| {
            *jwks = json!({ "keys": [keys::jwk("rsa", &json!({ "kid": "of today" }))] })
        });
        home.provider
            .twist("header", |header| header["kid"] = "of today".into());
    };
    // OpenID Foundation, Config RP: rp-key-rotation-op-sign-key,
    // rp-key-rotation-op-sign-key-native. The rotation happens during a login.
    let mut browser = home.app.browser();
    let back = home
        .provider
        .answer(&app_with_provider::set_out(&mut browser).await, &ada());
    rotate();
    assert_eq!(
        app_with_provider::call_back(&mut browser, &back)
            .await
            .status,
        StatusCode::SEE_OTHER,
        "the new key is found"
    );
    assert_eq!(home.provider.times("/jwks"), 2);
    home.provider
        .twist("header", |header| header["kid"] = "invented".into());
    for _ in 0..5 {
        assert!(
            home.come_back(&ada())
                .await
                .text(".reference")
                .unwrap()
                .contains("invalid_token")
        );
    }
    assert_eq!(home.provider.times("/jwks"), 2, "not within the cool-down");
    home.app.pass(30);
    home.provider.twist("claims", |claims| {
        claims["iat"] = (claims["iat"].as_i64().unwrap() + 30).into()
    });
    home.come_back(&ada()).await;
    assert_eq!(home.provider.times("/jwks"), 3);
    rotate();
    assert_eq!(
        home.come_back(&ada()).await.status,
        StatusCode::SEE_OTHER,
        "known keys go on working"
    );
}

#[tokio::test]
async fn rotated_keys_are_looked_up_also_after_the_clock_was_set_back() {
    let home = Household::new().await;
    let publish = |kid: &'static str| {
        home.provider.twist("jwks", move |jwks| {
            *jwks = json!({ "keys": [keys::jwk("rsa", &json!({ "kid": kid }))] })
        });
        home.provider
            .twist("header", move |header| header["kid"] = kid.into());
    };
    publish("of yesterday");
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
    publish("of today");
    assert_eq!(
        home.come_back(&ada()).await.status,
        StatusCode::SEE_OTHER,
        "looked up for its name"
    );
    home.app.pass(-3600);
    home.provider.twist("claims", |claims| {
        for name in ["iat", "exp"] {
            claims[name] = (claims[name].as_i64().unwrap() - 3600).into();
        }
    });
    assert_eq!(
        home.come_back(&ada()).await.status,
        StatusCode::SEE_OTHER,
        "everything is read anew"
    );
    publish("of tomorrow");
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn known_keys_go_on_working_while_the_keys_cannot_be_read() {
    let home = Household::new().await;
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
    home.provider
        .replace("/jwks", || StatusCode::BAD_GATEWAY.into_response());
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
    // Also after the metadata has been requested again.
    home.app.pass(61);
    home.provider.twist("claims", |claims| {
        claims["iat"] = (claims["iat"].as_i64().unwrap() + 61).into()
    });
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
    // A rotation meanwhile is no fault of the token.
    home.provider
        .twist("header", |header| header["kid"] = "of today".into());
    for _ in 0..2 {
        let log = Log::begin();
        assert!(
            home.come_back(&ada())
                .await
                .text(".reference")
                .unwrap()
                .contains("provider_unreachable")
        );
        assert!(log.text().contains("/jwks"), "{}", log.text());
    }
}
