//! The API as MediaManager's frontend and scripts call it.

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use mediamanager_auth::server::flows::users::Role;
use serde_json::json;

use crate::support::{App, PASSWORD, Page};

mod cors;
mod errors;
mod login;
mod openapi;
mod users;

const COOKIE_LOGIN: &str = "/api/v1/auth/cookie/login";
const JWT_LOGIN: &str = "/api/v1/auth/jwt/login";
const COOKIE_LOGOUT: &str = "/api/v1/auth/cookie/logout";
const JWT_LOGOUT: &str = "/api/v1/auth/jwt/logout";
const ME: &str = "/api/v1/users/me";
const FORM: &str = "application/x-www-form-urlencoded";
const UNAUTHORIZED: &str = r#"{"detail":"Unauthorized"}"#;
const ADA: [(&str, &str); 2] = [("username", "ada@example.org"), ("password", PASSWORD)];

/// A script's request: without `Origin` and `Sec-Fetch-Site`, as curl and MediaManager's backend
/// send it.
async fn post(app: &App, path: &str, kind: &str, body: &str) -> Page {
    app.browser()
        .call(Method::POST, path, &[("content-type", kind)], body)
        .await
}

fn multipart(fields: &[(&str, &str)]) -> (String, String) {
    let parts: String = fields
        .iter()
        .map(|(name, value)| {
            format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        })
        .collect();
    (
        "multipart/form-data; boundary=limit".to_owned(),
        format!("{parts}--limit--\r\n"),
    )
}

/// Asserts status and exact body of a JSON error.
fn is_error(page: &Page, status: u16, body: &str) {
    assert_eq!(
        (page.status.as_u16(), page.body.as_str()),
        (status, body),
        "{}",
        page.path
    );
    assert_eq!(page.header("content-type"), Some("application/json"));
}

async fn app_with_ada() -> App {
    let app = App::new().await;
    app.member("ada@example.org").await;
    app
}

#[tokio::test]
async fn who_i_am_is_five_fields_in_order() {
    let app = App::new().await;
    let page = app.browser().get(ME).await;
    is_error(&page, 401, UNAUTHORIZED);
    assert_eq!(page.header("www-authenticate"), None);
    for (email, role, superuser, verified) in [
        ("ada@example.org", Role::Administrator, true, true),
        ("bob@example.org", Role::Member, false, true),
        ("eve@example.org", Role::Pending, false, false),
    ] {
        let id = app.user(email, role).await.id;
        let mut browser = app.browser();
        browser.log_in(email, PASSWORD).await;
        let page = browser.get(ME).await;
        assert_eq!(
            (page.status, page.header("content-type")),
            (StatusCode::OK, Some("application/json"))
        );
        assert_eq!(
            page.body,
            format!(
                r#"{{"id":"{id}","email":"{email}","is_active":true,"is_superuser":{superuser},"is_verified":{verified}}}"#
            )
        );
    }
}

#[tokio::test]
async fn the_metadata_name_the_provider_for_both_generations_of_frontends() {
    let app = App::new().await;
    let page = app.browser().get("/api/v1/auth/metadata").await;
    assert_eq!(
        (page.status, page.json()),
        (
            StatusCode::OK,
            json!({ "oauth_providers": [], "oauth_name": null })
        )
    );
    let provider = "auth.openid_connect = { enabled = true, client_id = 'a', client_secret = 'b', name = 'Pocket ID', \
                    configuration_endpoint = 'https://id.example.org/.well-known/openid-configuration' }";
    let page = App::with(provider)
        .await
        .browser()
        .get("/api/v1/auth/metadata")
        .await;
    assert_eq!(
        (page.status, page.json()),
        (
            StatusCode::OK,
            json!({ "oauth_providers": ["Pocket ID"], "oauth_name": "Pocket ID" })
        )
    );
}

#[tokio::test]
async fn a_form_in_chunks_is_no_way_around_the_limit() {
    let app = app_with_ada().await;
    // A well-formed form with one field, so that only its size can be the error.
    let (kind, body) = multipart(&[ADA[0], ADA[1], ("scope", &"x".repeat(100 * 1024))]);
    for path in [COOKIE_LOGIN, JWT_LOGIN] {
        let chunks: Vec<_> = body
            .as_bytes()
            .chunks(1024)
            .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()))
            .collect();
        let mut browser = app.browser();
        let request = browser
            .request(Method::POST, path)
            .header("content-type", &kind)
            .body(Body::from_stream(futures_util::stream::iter(chunks)));
        is_error(
            &browser.send(request.unwrap()).await,
            413,
            r#"{"detail":"PAYLOAD_TOO_LARGE"}"#,
        );
    }
}
