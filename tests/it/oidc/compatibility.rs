//! Deviations of real providers from the specifications: each is accepted, or refused with a message
//! that names what to change at that provider.

use axum::{
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde_json::json;

use crate::support::{Account, App, Household, TestProvider, log::Log, provider::CLIENT_SECRET};

fn ada() -> Account {
    Account::confirmed("ada@example.org")
}

/// Asserts that a login fails with this code, and that the log has all of these.
async fn fails(home: &Household, code: &str, says: &[&str]) {
    let log = Log::begin();
    let page = home.come_back(&ada()).await;
    let reference = page.text(".reference").unwrap();
    assert!(reference.ends_with(&format!("({code})")), "{reference}");
    for expected in says {
        assert!(log.text().contains(expected), "{expected}: {}", log.text());
    }
}

/// The log of an attempt to use metadata with these members.
async fn metadata_is_refused(member: &'static str, value: serde_json::Value) -> String {
    let log = Log::begin();
    let home = Household::new().await;
    home.provider
        .twist("metadata", move |metadata| metadata[member] = value.clone());
    let provider = home.app.state.providers.first().unwrap();
    assert!(provider.current_metadata().await.is_err());
    log.text()
}

// Authentik, Rauthy.
#[tokio::test]
async fn a_provider_that_does_not_decode_the_secret_takes_it_from_the_form() {
    let provider = TestProvider::start().await;
    provider.knobs().reads_basic_literally = true;
    let app = App::with(&provider.settings()).await;
    let home = Household { app, provider };
    fails(
        &home,
        "invalid_client",
        &["policy.openid_connect.token_endpoint_auth_method"],
    )
    .await;
    let app = App::with(&format!(
        "policy.openid_connect.token_endpoint_auth_method = 'client_secret_post'\n{}",
        home.provider.settings()
    ))
    .await;
    let home = Household { app, ..home };
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
    assert!(
        !home
            .provider
            .asked()
            .last()
            .unwrap()
            .contains(CLIENT_SECRET)
    );
}

// OneLogin, JumpCloud, Auth0: both are announced, and one is set for the client.
#[tokio::test]
async fn the_method_that_is_configured_is_used_whatever_is_announced() {
    for (method, announced, is_basic) in [
        ("client_secret_basic", "client_secret_post", true),
        ("client_secret_post", "client_secret_basic", false),
    ] {
        let home = Household::with(&format!(
            "policy.openid_connect.token_endpoint_auth_method = '{method}'"
        ))
        .await;
        home.provider.twist("metadata", move |metadata| {
            metadata["token_endpoint_auth_methods_supported"] = json!([announced])
        });
        assert_eq!(
            home.come_back(&ada()).await.status,
            StatusCode::SEE_OTHER,
            "{method}"
        );
        let asked = home.provider.asked();
        let token = asked.iter().find(|line| line.starts_with("POST /token"));
        assert_eq!(
            token.unwrap().starts_with("POST /token Basic "),
            is_basic,
            "{method}"
        );
    }
}

// Entra v1 endpoints, some servers in PHP.
#[tokio::test]
async fn members_of_the_token_answer_that_nobody_needs_may_have_any_type() {
    let home = Household::new().await;
    home.provider.twist("token", |answer| {
        answer["expires_in"] = "3600".into();
        answer["scope"] = json!(["openid", "email"]);
        answer["refresh_token"] = 7.into();
    });
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_proxy_that_compresses_is_told_not_to() {
    let home = Household::new().await;
    home.provider.knobs().compresses = true;
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
}

// Rauthy writes absent claims as null.
#[tokio::test]
async fn an_optional_claim_that_is_null_is_absent() {
    for claim in [
        "azp",
        "at_hash",
        "nbf",
        "sid",
        "name",
        "email_verified",
        "auth_time",
    ] {
        let home = Household::new().await;
        home.provider.twist("claims", move |claims| {
            claims[claim] = serde_json::Value::Null
        });
        let page = home.come_back(&ada()).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{claim}: {}", page.body);
    }
    let home = Household::new().await;
    home.provider.knobs().signs_userinfo = true;
    home.provider
        .twist("claims", |claims| claims["email"] = serde_json::Value::Null);
    home.provider.twist("userinfo", |claims| {
        claims["email"] = "ada@example.org".into();
        claims["iss"] = serde_json::Value::Null;
        claims["aud"] = serde_json::Value::Null;
    });
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_required_claim_that_is_null_is_missing() {
    for claim in ["iss", "sub", "aud", "exp", "iat", "nonce"] {
        let home = Household::new().await;
        home.provider.twist("claims", move |claims| {
            claims[claim] = serde_json::Value::Null
        });
        fails(&home, "invalid_token", &[]).await;
    }
}

// Keycloak: "Exclude Issuer From Authentication Response".
#[tokio::test]
async fn a_missing_issuer_names_keycloaks_switch() {
    let home = Household::new().await;
    home.provider.twist("metadata", |metadata| {
        metadata["authorization_response_iss_parameter_supported"] = true.into()
    });
    fails(
        &home,
        "issuer_mismatch",
        &["Exclude Issuer From Authentication Response"],
    )
    .await;
}

// Pocket ID with INTERNAL_APP_URL.
#[tokio::test]
async fn an_endpoint_over_http_names_pocket_ids_setting() {
    let log = metadata_is_refused("token_endpoint", json!("http://pocket-id.example/token")).await;
    assert!(
        log.contains("token_endpoint") && log.contains("INTERNAL_APP_URL"),
        "{log}"
    );
}

// Entra with `common` or `organizations`.
#[tokio::test]
async fn a_placeholder_for_the_tenant_is_not_repeated_as_the_fix() {
    let issuer = json!("https://login.microsoftonline.com/{tenantid}/v2.0");
    let log = metadata_is_refused("issuer", issuer).await;
    assert!(
        log.contains("tenant id") && !log.contains("write configuration_endpoint = "),
        "{log}"
    );
}

#[tokio::test]
async fn authentiks_shared_issuer_names_the_issuer_mode() {
    let provider = TestProvider::start().await;
    let origin = provider.origin().to_owned();
    let issuer = format!("{origin}/");
    provider.twist("metadata", move |metadata| {
        metadata["issuer"] = issuer.clone().into()
    });
    let path = "/application/o/media/.well-known/openid-configuration";
    let metadata = json!({
        "issuer": format!("{origin}/"), "authorization_endpoint": format!("{origin}/authorize"),
        "token_endpoint": format!("{origin}/token"), "jwks_uri": format!("{origin}/jwks"),
        "id_token_signing_alg_values_supported": ["RS256"],
    });
    provider.replace(path, move || axum::Json(metadata.clone()).into_response());
    let log = Log::begin();
    let settings = provider
        .settings()
        .replace("/.well-known/openid-configuration", path);
    let app = App::with(&settings).await;
    let client = app.state.providers.first().unwrap();
    assert!(client.current_metadata().await.is_err());
    assert!(
        log.text().contains("Each provider has a different issuer"),
        "{}",
        log.text()
    );
}

#[tokio::test]
async fn a_userinfo_endpoint_that_refuses_has_a_fix() {
    for (status, fix) in [(403, "allow the scopes"), (500, "the provider's own log")] {
        let home = Household::new().await;
        home.provider.twist("claims", |claims| {
            drop(claims.as_object_mut().unwrap().remove("email"))
        });
        home.provider.replace("/userinfo", move || {
            StatusCode::from_u16(status).unwrap().into_response()
        });
        fails(
            &home,
            "provider_unreachable",
            &["the userinfo endpoint", "/userinfo", fix],
        )
        .await;
    }
}

#[tokio::test]
async fn a_self_signed_authority_as_a_server_certificate_is_named() {
    let log = Log::begin();
    let (provider, pem) = TestProvider::start_with_self_signed_authority().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pem).unwrap();
    let app = App::with(&format!(
        "policy.openid_connect.ca_file = '{}'\n{}",
        file.path().display(),
        provider.settings()
    ))
    .await;
    let client = app.state.providers.first().unwrap();
    assert!(client.current_metadata().await.is_err());
    let text = log.text();
    assert!(
        text.contains("is itself a certificate authority")
            && text.contains("a server certificate signed by your certificate authority")
            && !text.contains("CaUsedAsEndEntity"),
        "{text}"
    );
}

#[tokio::test]
async fn a_logout_that_cannot_be_used_turns_off_nothing_else() {
    for endpoint in [
        json!("/logout"),
        json!("http://evil.example/logout"),
        json!("javascript:alert(1)"),
        json!("https://a:b@id.example/"),
        json!(7),
    ] {
        let log = Log::begin();
        let home = Household::new().await;
        let value = endpoint.clone();
        home.provider.twist("metadata", move |metadata| {
            metadata["end_session_endpoint"] = value.clone()
        });
        let mut browser = home.app.browser();
        let page = home.log_in(&mut browser, &ada()).await;
        assert_eq!(page.path, "/account", "{endpoint}: {}", page.body);
        let page = browser.submit(&page, "Log out", &[]).await;
        assert!(!page.body.contains("Also log out"), "{endpoint}");
        for _ in 0..3 {
            home.app.pass(61);
            let provider = home.app.state.providers.first().unwrap();
            provider.refresh_if_stale().await;
        }
        let text = log.text();
        let lines = text
            .lines()
            .filter(|line| line.contains("end_session_endpoint"))
            .count();
        assert_eq!(lines, 1, "said once and not every minute: {text}");
    }
}

#[tokio::test]
async fn a_media_type_in_the_type_of_a_token_is_accepted() {
    let home = Household::new().await;
    home.provider
        .twist("header", |header| header["typ"] = "application/JWT".into());
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
    home.provider.twist("header", |header| {
        header["typ"] = "application/at+jwt".into()
    });
    fails(&home, "invalid_token", &["for something else"]).await;
}

#[tokio::test]
async fn a_blank_from_the_clipboard_is_not_part_of_the_secret() {
    let provider = TestProvider::start().await;
    let settings = provider
        .settings()
        .replace("the client'", "the client \\n\"")
        .replace("client_secret = '", "client_secret = \" ")
        .replace(
            "client_id = 'media manager/ä'",
            "client_id = ' media manager/ä '",
        );
    let app = App::with(&settings).await;
    let home = Household { app, provider };
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_provider_behind_a_login_page_of_a_proxy_is_no_json() {
    let home = Household::new().await;
    home.provider.replace("/token", || {
        (
            [(header::CONTENT_TYPE, "text/html")],
            "<html>please log in</html>",
        )
            .into_response()
    });
    fails(&home, "invalid_token", &["no token that can be read"]).await;
}
