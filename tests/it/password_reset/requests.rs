//! Requesting a reset: no account enumeration, no control over the recipient or the link, rate
//! limits.

use axum::http::{Method, StatusCode};
use mediamanager_auth::server::flows::users::Role;
use serde_json::json;

use super::{NEW, app, forget, json_headers, post};

#[tokio::test]
async fn an_unknown_address_gets_the_same_answer_and_no_mail() {
    let app = app().await;
    app.member("ada@example.org").await;
    app.user("disabled@example.org", Role::Member).await;
    app.sql("UPDATE \"user\" SET is_active = false WHERE email = 'disabled@example.org'")
        .await;
    let mut answers = Vec::new();
    for email in [
        "ada@example.org",
        "nobody@example.org",
        "disabled@example.org",
    ] {
        let page = forget(&app, email).await;
        answers.push((page.status, page.text("main"), page.path));
        let json = post(
            &app,
            "/api/v1/auth/forgot-password",
            &json!({ "email": email }),
        )
        .await;
        assert_eq!(
            (json.status, json.body.as_str(), json.header("content-type")),
            (StatusCode::ACCEPTED, "null", Some("application/json"))
        );
    }
    assert!(
        answers.windows(2).all(|pair| pair[0] == pair[1]),
        "{answers:?}"
    );
    let mails = app.mails().await;
    assert_eq!(
        mails
            .iter()
            .map(|mail| mail.to.as_str())
            .collect::<Vec<_>>(),
        ["ada@example.org", "ada@example.org"]
    );
}

#[tokio::test]
async fn no_request_header_leads_a_link_elsewhere() {
    let app = app().await;
    app.member("ada@example.org").await;
    let headers = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=evil.example"),
        ("referer", "http://evil.example/"),
        ("content-type", "application/json"),
    ];
    let answer = app
        .browser()
        .call(
            Method::POST,
            "/api/v1/auth/forgot-password",
            &headers,
            r#"{"email":"ada@example.org"}"#,
        )
        .await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let mail = app.mail().await;
    assert!(
        mail.text
            .contains("\nhttp://localhost:8000/login/reset-password?token=")
            && !mail.text.contains("evil"),
        "{}",
        mail.text
    );
}

#[tokio::test]
async fn one_scalar_address_is_taken_and_the_mail_goes_to_the_accounts_own() {
    let app = app().await;
    app.member("ada@example.org").await;
    for body in [
        json!({ "email": ["ada@example.org", "eve@example.org"] }),
        json!({ "email": { "0": "ada@example.org" } }),
        json!({ "email": "ada@example.org,eve@example.org" }),
        json!({ "email": "ada@example.org;eve@example.org" }),
        json!({ "email": "ada@example.org eve@example.org" }),
        json!({ "email": "ada@example.org\r\nBcc: eve@example.org" }),
        json!({ "email": "ada@example.org\u{0}" }),
        json!({ "email": "ad\u{430}@example.org" }),
        json!({ "email": null }),
        json!({}),
    ] {
        let answer = post(&app, "/api/v1/auth/forgot-password", &body).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{body}: {}",
            answer.body
        );
        assert!(
            answer.json()["detail"][0]["loc"][1] == "email",
            "{}",
            answer.body
        );
    }
    let twice = app
        .browser()
        .call(
            Method::POST,
            "/api/v1/auth/forgot-password",
            &json_headers(),
            r#"{"email":"ada@example.org","email":"eve@example.org"}"#,
        )
        .await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY);
    let form = app
        .browser()
        .post_form(
            "/login/forgot-password",
            &[("email", "ada@example.org"), ("email", "eve@example.org")],
        )
        .await;
    assert_eq!(form.status, StatusCode::BAD_REQUEST);
    assert_eq!(app.mails().await.len(), 0);
}

#[tokio::test]
async fn nobodys_mailbox_is_filled() {
    let app = app().await;
    app.member("ada@example.org").await;
    for number in 0..8 {
        let mut browser = app.browser().at(&format!("198.51.100.{number}"));
        let answer = browser
            .call(
                Method::POST,
                "/api/v1/auth/forgot-password",
                &json_headers(),
                r#"{"email":"ada@example.org"}"#,
            )
            .await;
        assert_eq!(
            answer.status,
            StatusCode::ACCEPTED,
            "the answer stays the same"
        );
    }
    assert_eq!(app.mails().await.len(), 3);
    app.pass(3601);
    forget(&app, "ada@example.org").await;
    assert_eq!(
        app.mails().await.len(),
        1,
        "an hour later there may be another"
    );
}

#[tokio::test]
async fn a_network_may_ask_ten_times_an_hour_and_try_twenty_tokens() {
    let app = app().await;
    app.member("ada@example.org").await;
    let mut browser = app.browser();
    for number in 0..11 {
        let page = browser
            .post_form(
                "/login/forgot-password",
                &[("email", &format!("nobody{number}@example.org"))],
            )
            .await;
        assert_eq!(
            page.status,
            if number < 10 {
                StatusCode::SEE_OTHER
            } else {
                StatusCode::TOO_MANY_REQUESTS
            }
        );
    }
    for number in 0..21 {
        let answer = post(
            &app,
            "/api/v1/auth/reset-password",
            &json!({ "token": "x", "password": NEW }),
        )
        .await;
        assert_eq!(
            answer.status,
            if number < 20 {
                StatusCode::BAD_REQUEST
            } else {
                StatusCode::TOO_MANY_REQUESTS
            }
        );
        assert!(number < 20 || answer.header("retry-after").is_some());
    }
}
