//! Checks of the OpenID provider.

use axum::{Json, http::StatusCode, response::IntoResponse};
use mediamanager_auth::server::diagnostics::CheckStatus;
use serde_json::json;

use super::{find, is_told, look};
use crate::support::{App, Household};

#[tokio::test]
async fn what_is_wrong_at_the_provider_is_told_with_the_setting_to_change() {
    for (knob, change, what, says, fix) in [
        (
            "metadata",
            json!({ "issuer": "https://other.example" }),
            "provider",
            "https://other.example",
            "configuration_endpoint =",
        ),
        (
            "metadata",
            json!({ "id_token_signing_alg_values_supported": ["HS256"] }),
            "provider",
            "HS256",
            "asymmetric signing key",
        ),
        (
            "metadata",
            json!({ "jwks_uri": "http://127.0.0.1:1/jwks" }),
            "keys",
            "cannot be read",
            "open that address",
        ),
        (
            "jwks",
            json!({ "keys": [] }),
            "keys",
            "no key",
            "asymmetric signing key",
        ),
        (
            "metadata",
            json!({ "token_endpoint": "http://127.0.0.1:1/token" }),
            "client",
            "gives no answer",
            "open that address",
        ),
        (
            "metadata",
            json!({ "issuer": format!("https://{}.example", "x".repeat(512)) }),
            "provider",
            "longer than 512 bytes",
            "shorter",
        ),
    ] {
        let home = Household::new().await;
        home.provider.twist(knob, move |value| {
            value
                .as_object_mut()
                .unwrap()
                .extend(change.as_object().unwrap().clone())
        });
        let findings = look(&home.app).await;
        let finding = find(&findings, what);
        assert!(
            finding.status == CheckStatus::Error
                && finding.message.contains(says)
                && finding.hint.contains(fix),
            "{finding}"
        );
    }
}

#[tokio::test]
async fn a_wrong_secret_or_redirect_uri_is_found_before_anybody_logs_in() {
    let home = Household::new().await;
    let settings = home.provider.settings();
    let wrong = App::with(&settings.replace("secret of the client", "another secret")).await;
    let findings = look(&wrong).await;
    let client = find(&findings, "client");
    assert!(
        client.status == CheckStatus::Error && client.hint.contains("client_secret_basic"),
        "{client}"
    );
    assert!(
        !client.to_string().contains("another secret"),
        "no secret in what is said"
    );
    let wrong = App::with(&settings.replace("name = 'Über ID 100%'", "name = 'Another'")).await;
    let findings = look(&wrong).await;
    let uri = find(&findings, "redirect URI");
    assert!(
        uri.status == CheckStatus::Error
            && uri.hint.ends_with("/api/v1/auth/cookie/Another/callback"),
        "{uri}"
    );
    let away = App::with(&settings.replace(home.provider.origin(), "http://127.0.0.1:1")).await;
    let findings = look(&away).await;
    assert!(
        find(&findings, "provider")
            .message
            .contains("cannot be read")
            && findings.iter().all(|finding| finding.check != "keys")
    );
}

#[tokio::test]
async fn a_provider_that_calls_a_made_up_code_malformed_is_not_called_wrong() {
    let home = Household::new().await;
    let malformed = || {
        (
            StatusCode::BAD_REQUEST,
            Json(json!({ "error": "invalid_request" })),
        )
            .into_response()
    };
    home.provider.replace("/token", malformed);
    is_told(
        find(&look(&home.app).await, "client"),
        CheckStatus::Warning,
        "only a login shows",
        "PKCE",
    );
}

// Rauthy.
#[tokio::test]
async fn a_provider_with_words_of_its_own_for_a_made_up_code_is_not_called_wrong() {
    for (status, error) in [
        (401, "Unauthorized"),
        (400, "BadRequest"),
        (404, "NotFound"),
    ] {
        let home = Household::new().await;
        home.provider.replace("/token", move || {
            let body = Json(json!({ "timestamp": 1, "error": error, "message": "no such code" }));
            (StatusCode::from_u16(status).unwrap(), body).into_response()
        });
        is_told(
            find(&look(&home.app).await, "client"),
            CheckStatus::Warning,
            "only a login shows",
            "client_secret",
        );
    }
}

// Rauthy calls a code with a hyphen malformed before it looks at the client.
#[tokio::test]
async fn the_made_up_code_is_alphanumeric() {
    let home = Household::new().await;
    let findings = look(&home.app).await;
    assert_eq!(find(&findings, "client").status, CheckStatus::Ok);
    let bodies = home.provider.token_requests();
    let code = |body: &String| {
        form_urlencoded::parse(body.as_bytes())
            .find(|(name, _)| name == "code")
            .map(|(_, code)| code.into_owned())
    };
    let codes: Vec<String> = bodies.iter().filter_map(code).collect();
    assert_eq!(codes.len(), 1);
    assert!(
        codes[0].bytes().all(|byte| byte.is_ascii_alphanumeric()) && codes[0].len() >= 16,
        "{codes:?}"
    );
}

#[tokio::test]
async fn a_logout_at_the_provider_that_is_off_says_why() {
    let home = Household::new().await;
    home.provider.twist("metadata", |metadata| {
        metadata["end_session_endpoint"] = "javascript:alert(1)".into()
    });
    let findings = look(&home.app).await;
    is_told(
        find(&findings, "logout"),
        CheckStatus::Warning,
        "end_session_endpoint",
        "public address",
    );
    assert_eq!(find(&findings, "client").status, CheckStatus::Ok);
}

#[tokio::test]
async fn a_key_that_is_too_long_is_told_with_its_length() {
    let home = Household::new().await;
    home.provider.twist("jwks", |jwks| {
        let long = json!({ "kty": "RSA", "kid": "long", "e": "AQAB", "n": "_".repeat(1365) + "w" });
        jwks["keys"].as_array_mut().unwrap().push(long);
    });
    is_told(
        find(&look(&home.app).await, "keys"),
        CheckStatus::Warning,
        "8192 bits",
        "2048 to 4096",
    );
}

#[tokio::test]
async fn a_redirect_uri_that_cannot_work_is_warned_of() {
    let home = Household::with(
        "policy.openid_connect.redirect_uri = 'https://media.example.org/elsewhere'",
    )
    .await;
    let warned = look(&home.app).await.into_iter().any(|finding| {
        finding.status == CheckStatus::Warning
            && finding
                .message
                .contains("policy.openid_connect.redirect_uri")
    });
    assert!(warned);
}

#[tokio::test]
async fn a_redirect_uri_that_is_taken_like_any_other_is_not_called_fine() {
    let home = Household::new().await;
    home.provider
        .replace("/authorize", || "a page for everybody".into_response());
    is_told(
        find(&look(&home.app).await, "redirect URI"),
        CheckStatus::Warning,
        "only a login shows",
        "/callback",
    );
}

#[tokio::test]
async fn what_no_setting_mends_is_told_with_where_to_go_on() {
    let home = Household::new().await;
    let odd = || {
        Json(json!({ "access_token": "x", "token_type": "mac", "id_token": "x" })).into_response()
    };
    home.provider.replace("/token", odd);
    let findings = look(&home.app).await;
    is_told(
        find(&findings, "client"),
        CheckStatus::Error,
        "another kind than Bearer",
        "own log",
    );
}
