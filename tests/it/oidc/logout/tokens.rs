//! Logout tokens of real providers, and what the provider's failures do to them.

use axum::{http::StatusCode, response::IntoResponse};
use mediamanager_auth::server::{clock::Clock, db};
use serde_json::{Value, json};

use super::{ada, claims, is_in, logged_in, send};
use crate::support::{Account, Household, PASSWORD, app_with_provider, keys, log::Log};

/// The session that the test provider names in ID tokens.
fn sid() -> Value {
    format!("session of {}", ada().subject).into()
}

// Rauthy.
#[tokio::test]
async fn a_logout_token_with_null_claims_ends_the_session() {
    for (absent, present) in [("sub", "sid"), ("sid", "sub")] {
        let home = Household::new().await;
        let mut browser = logged_in(&home, &ada()).await;
        let mut claims = claims(&home);
        claims["sid"] = sid();
        claims[absent] = Value::Null;
        for name in ["nonce", "azp", "nbf"] {
            claims[name] = Value::Null;
        }
        let answer = send(&home, &home.provider.sign(claims, "logout+jwt")).await;
        assert_eq!(answer.status, StatusCode::OK, "{present}: {}", answer.body);
        assert!(!is_in(&mut browser).await, "{present}");
    }
    let home = Household::new().await;
    for name in ["iss", "aud", "exp", "iat", "jti", "events", "sub"] {
        let mut claims = claims(&home);
        claims[name] = Value::Null;
        let answer = send(&home, &home.provider.sign(claims, "logout+jwt")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name}");
    }
}

#[tokio::test]
async fn the_type_of_a_logout_token_may_be_a_whole_media_type() {
    let home = Household::new().await;
    for typ in [
        "application/logout+jwt",
        "application/Logout+JWT",
        "logout+jwt",
    ] {
        let mut browser = logged_in(&home, &ada()).await;
        let answer = send(&home, &home.provider.sign(claims(&home), typ)).await;
        assert_eq!(answer.status, StatusCode::OK, "{typ}: {}", answer.body);
        assert!(!is_in(&mut browser).await, "{typ}");
    }
    let token = home.provider.sign(claims(&home), "text/logout+jwt");
    assert_eq!(send(&home, &token).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_far_expiry_fills_no_table_and_makes_no_token_last() {
    let home = Household::new().await;
    let now = Clock::System.now();
    let mut claims = claims(&home);
    claims["exp"] = 253_402_300_000_i64.into();
    let token = home.provider.sign(claims, "logout+jwt");
    assert_eq!(send(&home, &token).await.status, StatusCode::OK);
    let longest = home
        .app
        .count("SELECT max(expires_at) FROM auth_used_token")
        .await;
    assert!(longest <= now + 2 * 3600, "{}", longest - now);
    home.app.pass(2 * 3600);
    let mut browser = home.app.browser();
    home.provider.twist("claims", move |claims| {
        for name in ["iat", "exp"] {
            claims[name] = (claims[name].as_i64().unwrap() + 2 * 3600).into();
        }
    });
    home.log_in(&mut browser, &ada()).await;
    home.app.pass(24 * 3600);
    let purged = db::used_tokens::purge(&home.app.state.db, home.app.state.clock.now());
    assert!(purged.await.unwrap() > 0);
    assert_eq!(
        send(&home, &token).await.status,
        StatusCode::BAD_REQUEST,
        "too old, whatever it says of its expiry"
    );
}

#[tokio::test]
async fn a_logout_between_the_code_and_the_callback_is_not_forgotten() {
    for (name, by_session, by_subject) in [
        ("sid", true, false),
        ("sub", false, true),
        ("both", true, true),
    ] {
        let home = Household::new().await;
        // The provider has logged the person in and sent the browser back.
        let mut browser = home.app.browser();
        let away = app_with_provider::set_out(&mut browser).await;
        let back = home.provider.answer(&away, &ada());
        home.app.pass(1);
        let mut claims = claims(&home);
        if by_session {
            claims["sid"] = sid();
        }
        if !by_subject {
            claims.as_object_mut().unwrap().remove("sub");
        }
        let answer = send(&home, &home.provider.sign(claims, "logout+jwt")).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}");
        let page = app_with_provider::call_back(&mut browser, &back).await;
        assert!(
            page.text(".reference")
                .is_some_and(|text| text.contains("access_denied")),
            "{name}: {} {}",
            page.status,
            page.body
        );
        assert!(!is_in(&mut browser).await, "{name}");
        let live = "SELECT count(*) FROM auth_session WHERE ended_at IS NULL";
        assert_eq!(home.app.count(live).await, 0, "{name}");
        // A login that begins after the logout is another session there.
        home.provider
            .twist("claims", |claims| claims["sid"] = "a new one".into());
        home.app.pass(1);
        let mut eve = logged_in(&home, &Account::confirmed("eve@example.org")).await;
        assert!(is_in(&mut eve).await, "{name}: nobody else is concerned");
        let mut again = logged_in(&home, &ada()).await;
        assert!(is_in(&mut again).await, "{name}");
    }
}

#[tokio::test]
async fn a_session_without_a_number_ends_in_flight_with_the_person() {
    let home = Household::new().await;
    let mut token = claims(&home);
    token["sid"] = "desk".into();
    let token = home.provider.sign(token, "logout+jwt");
    home.provider.twist("claims", |claims| {
        drop(claims.as_object_mut().unwrap().remove("sid"))
    });
    let mut browser = home.app.browser();
    let away = app_with_provider::set_out(&mut browser).await;
    let back = home.provider.answer(&away, &ada());
    home.app.pass(1);
    assert_eq!(send(&home, &token).await.status, StatusCode::OK);
    app_with_provider::call_back(&mut browser, &back).await;
    assert!(!is_in(&mut browser).await);
}

/// The link that waits for the password of the account is kept: whoever finishes it gives that
/// password, which opens the account without any provider.
#[tokio::test]
async fn a_pending_link_outlives_a_logout_because_it_takes_the_password() {
    let home = Household::new().await;
    home.app.member("ada@example.org").await;
    let mut browser = home.app.browser();
    let account = Account::unconfirmed("ada@example.org");
    let page = home.log_in(&mut browser, &account).await;
    assert_eq!(page.path, "/login/connect");
    let token = home.provider.sign(claims(&home), "logout+jwt");
    assert_eq!(send(&home, &token).await.status, StatusCode::OK);
    let wrong = browser
        .submit(
            &page,
            "Connect and log in",
            &[("password", "guessed 12345")],
        )
        .await;
    assert!(wrong.status.is_client_error());
    let right = browser
        .submit(&page, "Connect and log in", &[("password", PASSWORD)])
        .await;
    assert_eq!(right.path, "/account");
}

#[tokio::test]
async fn a_logout_while_the_keys_are_away_is_taken_when_it_is_sent_again() {
    let home = Household::new().await;
    let mut browser = logged_in(&home, &ada()).await;
    home.provider
        .twist("header", |header| header["kid"] = "of today".into());
    let token = home.provider.sign(claims(&home), "logout+jwt");
    home.provider
        .replace("/jwks", || StatusCode::BAD_GATEWAY.into_response());
    for _ in 0..2 {
        let answer = send(&home, &token).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    assert!(is_in(&mut browser).await);
    home.provider.replace("/jwks", || {
        axum::Json(json!({ "keys": [keys::jwk("rsa", &json!({ "kid": "of today" }))] }))
            .into_response()
    });
    home.app.pass(30);
    assert_eq!(send(&home, &token).await.status, StatusCode::OK);
    assert!(!is_in(&mut browser).await);
}

#[tokio::test]
async fn a_logout_token_with_a_new_key_makes_us_read_the_keys_once() {
    let home = Household::new().await;
    let mut browser = logged_in(&home, &ada()).await;
    assert_eq!(home.provider.times("/jwks"), 1);
    home.provider
        .twist("header", |header| header["kid"] = "of today".into());
    home.provider.twist("jwks", |jwks| {
        *jwks = json!({ "keys": [keys::jwk("rsa", &json!({ "kid": "of today" }))] })
    });
    let token = home.provider.sign(claims(&home), "logout+jwt");
    assert_eq!(send(&home, &token).await.status, StatusCode::OK);
    assert_eq!(home.provider.times("/jwks"), 2);
    assert!(!is_in(&mut browser).await);
}

#[tokio::test]
async fn a_logout_without_a_database_is_taken_when_it_is_sent_again() {
    let home = Household::new().await;
    let mut browser = logged_in(&home, &ada()).await;
    let token = home.provider.sign(claims(&home), "logout+jwt");
    home.app
        .sql("ALTER TABLE auth_used_token RENAME TO away")
        .await;
    let answer = send(&home, &token).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    home.app
        .sql("ALTER TABLE away RENAME TO auth_used_token")
        .await;
    assert_eq!(send(&home, &token).await.status, StatusCode::OK);
    assert!(!is_in(&mut browser).await);
}

// Authentik up to 2025.8.1, old Keycloak, Hydra: the final specification demands an expiry.
#[tokio::test]
async fn a_logout_token_without_an_expiry_stays_refused() {
    let log = Log::begin();
    let home = Household::new().await;
    let mut claims = claims(&home);
    claims.as_object_mut().unwrap().remove("exp");
    let answer = send(&home, &home.provider.sign(claims, "logout+jwt")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(log.text().contains("it has no expiry"), "{}", log.text());
}
