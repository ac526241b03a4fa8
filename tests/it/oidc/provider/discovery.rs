//! The discovery document: invalid metadata, redirects, and the issuer.

use axum::{
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde_json::{Value, json};

use super::{ada, is_unusable, private};
use crate::support::{Household, TestProvider, log::Log, provider::MOVED};

async fn metadata_is_refused(code: &str, wrong: impl FnOnce(&TestProvider)) -> String {
    let log = Log::begin();
    let home = Household::new().await;
    wrong(&home.provider);
    is_unusable(&home.app, code).await;
    home.provider.is_good_again();
    home.app.pass(60);
    home.provider.twist("claims", |claims| {
        claims["iat"] = (claims["iat"].as_i64().unwrap() + 60).into()
    });
    // The refresh, which the program runs every second.
    home.app
        .state
        .providers
        .first()
        .unwrap()
        .refresh_if_stale()
        .await;
    assert_eq!(
        home.come_back(&ada()).await.status,
        StatusCode::SEE_OTHER,
        "it comes back by itself"
    );
    log.text()
}

macro_rules! each_unusable {
    ($($name:ident: $code:literal, |$provider:ident| $wrong:expr;)*) => {
        $(#[tokio::test]
        async fn $name() {
            metadata_is_refused($code, |$provider| $wrong).await;
        })*
    };
}

fn set(provider: &TestProvider, name: &'static str, value: Value) {
    provider.twist("metadata", move |metadata| metadata[name] = value.clone());
}

each_unusable! {
    // Config RP: rp-discovery-issuer-not-matching-config
    metadata_of_another_issuer: "provider_misconfigured", |p| set(p, "issuer", json!("https://evil.example"));
    metadata_without_an_issuer: "provider_misconfigured", |p| set(p, "issuer", json!(null));
    metadata_without_a_token_endpoint: "provider_misconfigured", |p| set(p, "token_endpoint", json!(null));
    metadata_without_keys: "provider_misconfigured", |p| set(p, "jwks_uri", json!(7));
    an_endpoint_on_a_public_host_without_encryption: "provider_misconfigured", |p| set(p, "token_endpoint", json!("http://evil.example/token"));
    an_endpoint_that_is_no_web_address: "provider_misconfigured", |p| set(p, "authorization_endpoint", json!("javascript:alert(1)"));
    an_endpoint_with_credentials: "provider_misconfigured", |p| set(p, "userinfo_endpoint", json!("http://a:b@127.0.0.1/"));
    only_algorithms_that_share_a_secret: "provider_misconfigured", |p| set(p, "id_token_signing_alg_values_supported", json!(["HS256", "none"]));
    metadata_with_a_member_twice: "provider_misconfigured", |p| p.replace("/.well-known/openid-configuration", || "{\"issuer\":\"a\",\"issuer\":\"b\"}".into_response());
    metadata_that_is_a_login_page: "provider_misconfigured", |p| p.replace("/.well-known/openid-configuration", || axum::response::Html("<h1>Log in</h1>").into_response());
    metadata_that_is_missing: "provider_unreachable", |p| p.replace("/.well-known/openid-configuration", || StatusCode::NOT_FOUND.into_response());
    metadata_without_end: "provider_unreachable", |p| p.replace("/.well-known/openid-configuration", || " ".repeat(1024 * 1024 + 1).into_response());
    metadata_that_is_compressed: "provider_unreachable", |p| p.replace("/.well-known/openid-configuration", || ([(header::CONTENT_ENCODING, "gzip")], "x").into_response());
    keys_that_are_broken: "provider_unreachable", |p| p.replace("/jwks", || "{}".into_response());
    algorithms_that_are_not_announced: "provider_misconfigured", |p| set(p, "id_token_signing_alg_values_supported", json!(null));
    keys_without_end: "provider_unreachable", |p| p.replace("/jwks", || format!("{{\"keys\":[]{}}}", " ".repeat(1024 * 1024)).into_response());
    keys_that_are_away: "provider_unreachable", |p| p.replace("/jwks", || StatusCode::BAD_GATEWAY.into_response());
}

#[tokio::test]
async fn metadata_and_keys_that_are_elsewhere_are_not_followed() {
    for path in ["/.well-known/openid-configuration", "/jwks"] {
        for status in [StatusCode::FOUND, StatusCode::PERMANENT_REDIRECT] {
            let home = Household::new().await;
            home.provider.knobs().moved = Some((path, status));
            is_unusable(&home.app, "provider_unreachable").await;
            assert_eq!(
                (
                    home.provider.times(path),
                    home.provider.times(&format!("{MOVED}{path}"))
                ),
                (1, 0),
                "{path} {status}"
            );
        }
    }
}

#[tokio::test]
async fn an_issuer_that_changes_while_we_run_is_no_longer_used() {
    let home = Household::new().await;
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
    set(&home.provider, "issuer", json!("https://evil.example"));
    home.app.pass(61);
    home.app
        .state
        .providers
        .first()
        .unwrap()
        .refresh_if_stale()
        .await;
    is_unusable(&home.app, "provider_misconfigured").await;
    // With a trailing slash the issuer still matches the configured address; tokens of the former
    // issuer are rejected.
    set(
        &home.provider,
        "issuer",
        json!(format!("{}/", home.provider.origin())),
    );
    home.app.pass(60);
    home.provider.twist("claims", |claims| {
        claims["iat"] = (claims["iat"].as_i64().unwrap() + 121).into()
    });
    home.app
        .state
        .providers
        .first()
        .unwrap()
        .refresh_if_stale()
        .await;
    assert!(
        home.come_back(&ada())
            .await
            .text(".reference")
            .unwrap()
            .contains("invalid_token")
    );
}

#[tokio::test]
async fn the_log_says_both_issuers_and_the_setting() {
    let log = metadata_is_refused("provider_misconfigured", |p| {
        set(p, "issuer", json!("https://login.example.org/"))
    })
    .await;
    assert!(
        log.contains("https://login.example.org/.well-known/openid-configuration")
            && log.contains("http://127.0.0.1:")
            && log.contains("configuration_endpoint"),
        "{log}"
    );
    let log = metadata_is_refused("provider_misconfigured", |p| {
        set(p, "id_token_signing_alg_values_supported", json!(["HS256"]))
    })
    .await;
    assert!(log.contains("choose an asymmetric signing key"), "{log}");
    let log = metadata_is_refused("provider_misconfigured", |p| {
        set(p, "id_token_signing_alg_values_supported", json!(null))
    })
    .await;
    assert!(
        log.contains("the discovery document has no id_token_signing_alg_values_supported"),
        "{log}"
    );
}

#[tokio::test]
async fn an_issuer_with_a_slash_is_used_as_it_is_published() {
    let home = Household::new().await;
    let with_slash = format!("{}/", home.provider.origin());
    set(&home.provider, "issuer", json!(with_slash));
    assert!(
        home.come_back(&ada())
            .await
            .text(".reference")
            .unwrap()
            .contains("invalid_token"),
        "the token has none"
    );
    home.provider.twist("claims", move |claims| {
        claims["iss"] = with_slash.clone().into()
    });
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_encrypted_provider_cannot_lead_us_to_plain_endpoints() {
    for endpoint in [
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "authorization_endpoint",
    ] {
        let (home, _file) = private(true).await;
        set(&home.provider, endpoint, json!("http://127.0.0.1:1/"));
        is_unusable(&home.app, "provider_misconfigured").await;
    }
}
