//! Log messages for ID tokens that were rejected: the setting to change, and no secret.

use axum::{http::StatusCode, response::IntoResponse};
use serde_json::json;

use super::{now, refuses};
use crate::support::{Key, provider::CLIENT_SECRET};

#[tokio::test]
async fn the_log_says_what_to_change_when_the_token_is_signed_with_the_client_secret() {
    let log = refuses("invalid_token", |p| p.knobs().key = Key::Hs256).await;
    assert!(
        log.contains("HS256") && log.contains("choose an asymmetric signing key"),
        "{log}"
    );
}

#[tokio::test]
async fn the_log_says_how_far_the_clocks_are_apart() {
    let log = refuses("invalid_token", |p| {
        p.twist("claims", |claims| claims["iat"] = (now() + 7200).into())
    })
    .await;
    assert!(
        log.contains("seconds in the future") && log.contains("NTP"),
        "{log}"
    );
}

#[tokio::test]
async fn the_log_says_how_the_client_proved_itself_and_which_uri_to_register() {
    let log = refuses("invalid_client", |p| {
        p.replace("/token", || {
            (
                StatusCode::UNAUTHORIZED,
                axum::Json(json!({ "error": "invalid_client", "error_description": "<b>no</b>" })),
            )
                .into_response()
        });
    })
    .await;
    assert!(log.contains("was sent with client_secret_basic, discovery offers client_secret_basic, client_secret_post, tls_client_auth"), "{log}");
    let log = refuses("invalid_grant", |p| {
        p.replace("/token", || {
            (
                StatusCode::BAD_REQUEST,
                axum::Json(json!({ "error": "invalid_grant" })),
            )
                .into_response()
        })
    })
    .await;
    assert!(
        log.contains("http://localhost:8000/api/v1/auth/cookie/%C3%9Cber%20ID%20100%25/callback"),
        "{log}"
    );
}

#[tokio::test]
async fn what_a_provider_repeats_of_our_secrets_stays_out_of_the_log() {
    let log = refuses("invalid_grant", |p| {
        let echo = format!("no such code, secret {CLIENT_SECRET}, sorry");
        p.replace("/token", move || {
            (
                StatusCode::BAD_REQUEST,
                axum::Json(json!({ "error": "invalid_grant", "error_description": echo })),
            )
                .into_response()
        });
    })
    .await;
    assert!(log.contains("secret ***, sorry"), "{log}");
}
