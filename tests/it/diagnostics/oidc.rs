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
