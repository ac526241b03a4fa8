//! Invalid and hostile input.

use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use serde_json::json;

use crate::support::{App, Browser, PASSWORD, Page};

mod bodies;
mod passwords;
mod urls;

async fn post_raw(
    browser: &mut Browser,
    path: &str,
    content_type: &str,
    body: impl Into<Body>,
) -> Page {
    let request = browser
        .request(Method::POST, path)
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, content_type);
    browser.send(request.body(body.into()).unwrap()).await
}

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn an_address_that_cannot_be_one_is_refused_beside_its_field() {
    let app = App::new().await;
    for email in [
        "",
        "ada",
        "ada@",
        "a b@example.org",
        "ada@exa mple.org",
        "\"ada\"@example.org",
        "ädä@example.org",
        "ada@example.org,eve@example.org",
    ] {
        let page = app.browser().log_in(email, PASSWORD).await;
        assert_eq!(
            (page.status, page.path.as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "/login"),
            "{email}"
        );
        assert_eq!(
            page.text("#email-error").as_deref(),
            Some("Enter an e-mail address like name@example.org.")
        );
        assert_eq!(
            page.attribute("#email", "aria-invalid").as_deref(),
            Some("true")
        );
        assert_eq!(
            page.attribute("#email", "aria-describedby").as_deref(),
            Some("email-error")
        );
        assert_eq!(
            page.attribute("#email", "value").as_deref(),
            Some(email),
            "nothing is lost"
        );
    }
}

#[tokio::test]
async fn control_characters_never_reach_the_database() {
    let app = App::new().await;
    for email in [
        "ada%00@example.org",
        "ada%0d%0aBcc:x@example.org",
        "ada%C2%85@example.org",
        "a%1b[2J@b",
    ] {
        let page = post_raw(
            &mut app.browser(),
            "/login",
            FORM,
            format!("email={email}&password=x"),
        )
        .await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{email}");
    }
    let page = post_raw(
        &mut app.browser(),
        "/login",
        FORM,
        "email=ada%40example.org&password=x&return_to=/a%00b",
    )
    .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
}

/// A multipart login form whose password part has these headers and bytes.
fn in_parts(headers: &str, password: &[u8]) -> Vec<u8> {
    let before = format!(
        "--limit\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nada@example.org\r\n\
         --limit\r\nContent-Disposition: form-data; name=\"password\"\r\n{headers}\r\n"
    );
    [before.as_bytes(), password, b"\r\n--limit--\r\n"].concat()
}

#[tokio::test]
async fn tokens_and_addresses_of_the_contract_are_text_without_control_characters() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut browser = app.browser();
    browser.log_in("ada@example.org", PASSWORD).await;
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    for (path, field) in [
        ("reset-password", "token"),
        ("verify", "token"),
        ("request-verify-token", "email"),
    ] {
        let whole = json!({ "password": PASSWORD, "token": "x", "email": "ada@example.org" });
        for value in [
            json!(1),
            json!(true),
            json!(null),
            json!(["x"]),
            json!({ "x": "y" }),
            json!("a\u{0}@example.org"),
            json!("a\r\nb@example.org"),
            json!("a\u{1b}[2J@example.org"),
            json!("a\u{85}@example.org"),
        ] {
            let mut body = whole.clone();
            body[field] = value;
            let answer = browser
                .call(
                    Method::POST,
                    &format!("/api/v1/auth/{path}"),
                    &headers,
                    &body.to_string(),
                )
                .await;
            let detail = answer.json()["detail"].clone();
            assert_eq!(
                (answer.status, &detail[0]["loc"]),
                (StatusCode::UNPROCESSABLE_ENTITY, &json!(["body", field])),
                "{path} {body}"
            );
            assert!(!answer.body.contains(PASSWORD), "{path} {body}");
        }
    }
    let answer = browser
        .call(
            Method::POST,
            "/api/v1/auth/reset-password",
            &headers,
            &json!({ "token": "x", "password": 12 }).to_string(),
        )
        .await;
    assert_eq!(
        (answer.status, &answer.json()["detail"][0]["loc"]),
        (
            StatusCode::UNPROCESSABLE_ENTITY,
            &json!(["body", "password"])
        )
    );
    // Control characters are valid in a password (SR-012); the error here is the token.
    let answer = browser
        .call(
            Method::POST,
            "/api/v1/auth/reset-password",
            &headers,
            &json!({ "token": "x", "password": "\u{0}".repeat(20) }).to_string(),
        )
        .await;
    assert_eq!(
        (answer.status, answer.json()["detail"].as_str()),
        (StatusCode::BAD_REQUEST, Some("RESET_PASSWORD_BAD_TOKEN"))
    );
}
