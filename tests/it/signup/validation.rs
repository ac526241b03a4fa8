//! Invalid input for a sign-up, on the page and over the API.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::{PATH, register, sign_up};
use crate::support::{App, PASSWORD};

#[tokio::test]
async fn a_password_without_end_is_refused_before_anything_else() {
    let app = App::new().await;
    let answer = register(
        &app,
        "203.0.113.7",
        &json!({ "email": "ada@example.org", "password": "x".repeat(257) }),
    )
    .await;
    assert_eq!(
        (answer.status, answer.json()["detail"][0]["loc"][1].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("password"))
    );
}

#[tokio::test]
async fn the_rules_for_passwords_and_addresses_are_said_beside_the_field() {
    let app = App::new().await;
    let page = app.browser().get("/login/signup").await;
    assert!(
        page.text("#password-hint")
            .unwrap()
            .contains("At least 12 characters"),
        "before anybody breaks it"
    );
    for (email, password, field, reason) in [
        ("no address", PASSWORD, "#email-error", "name@example.org"),
        ("ada@example.org", "short", "#password-error", "at least 12"),
        (
            "ada@example.org",
            "passwordpassword",
            "#password-error",
            "easy to guess",
        ),
        (
            "ada.lovelace@example.org",
            "it is ada.lovelace here",
            "#password-error",
            "does not contain",
        ),
    ] {
        let page = sign_up(&app, email, password).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            page.text(field).unwrap().contains(reason),
            "{:?}",
            page.text(field)
        );
        assert_eq!(page.attribute("#email", "value").as_deref(), Some(email));
    }
    let answer = register(
        &app,
        "203.0.113.7",
        &json!({ "email": "ada@example.org", "password": "short" }),
    )
    .await;
    assert_eq!(
        (answer.status, answer.json()["detail"]["code"].as_str()),
        (StatusCode::BAD_REQUEST, Some("REGISTER_INVALID_PASSWORD"))
    );
    assert!(
        answer.json()["detail"]["reason"]
            .as_str()
            .unwrap()
            .contains("12 characters")
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_told_as_the_contract_does() {
    let app = App::new().await;
    for (body, kind, place) in [
        (json!({ "password": PASSWORD }), "missing", "email"),
        (json!({ "email": "ada@example.org" }), "missing", "password"),
        (
            json!({ "email": 1, "password": PASSWORD }),
            "string_type",
            "email",
        ),
        (
            json!({ "email": "ada@example.org", "password": ["x"] }),
            "string_type",
            "password",
        ),
        (
            json!({ "email": "nonsense", "password": PASSWORD }),
            "value_error",
            "email",
        ),
    ] {
        let answer = register(&app, "203.0.113.7", &body).await;
        let fault = answer.json()["detail"][0].clone();
        assert_eq!(
            (
                answer.status,
                fault["type"].as_str(),
                fault["loc"][1].as_str()
            ),
            (StatusCode::UNPROCESSABLE_ENTITY, Some(kind), Some(place)),
            "{body}"
        );
        assert!(
            !answer.body.contains(PASSWORD),
            "a password is never repeated: {}",
            answer.body
        );
    }
    for (body, kind) in [
        ("{", "json_invalid"),
        ("[]", "model_attributes_type"),
        ("\"x\"", "model_attributes_type"),
        ("", "missing"),
        (r#"{"email":"a@b","email":"c@d"}"#, "json_invalid"),
    ] {
        let answer = app
            .browser()
            .call(
                Method::POST,
                PATH,
                &[("content-type", "application/json")],
                body,
            )
            .await;
        assert_eq!(
            (answer.status, answer.json()["detail"][0]["type"].as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, Some(kind)),
            "{body}"
        );
    }
    let answer = app
        .browser()
        .call(Method::POST, PATH, &[("content-type", "text/plain")], "{}")
        .await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}
