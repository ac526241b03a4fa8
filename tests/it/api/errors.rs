//! Error responses of the API, and the request id of every response.

use axum::http::{Method, StatusCode};
use mediamanager_auth::server::crypto::random;

use super::{
    COOKIE_LOGIN, COOKIE_LOGOUT, FORM, JWT_LOGIN, JWT_LOGOUT, ME, app_with_ada, is_error, post,
};
use crate::support::App;

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_as_the_original_does() {
    let app = App::new().await;
    for path in [
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v2/users/me",
        "/api/v1/auth/cookie",
        "/api/v1/%00",
        "/api/v1/users/me/x",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let page = app
                .browser()
                .call(method, path, &[("sec-fetch-site", "same-origin")], "")
                .await;
            assert_eq!(
                (page.status, page.body.as_str()),
                (StatusCode::NOT_FOUND, "Not Found"),
                "{path}"
            );
        }
    }
    for (path, allowed) in [
        (COOKIE_LOGIN, "POST"),
        (JWT_LOGIN, "POST"),
        (COOKIE_LOGOUT, "POST"),
        (JWT_LOGOUT, "POST"),
        (ME, "GET,HEAD,PATCH,DELETE"),
    ] {
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ]
        .iter()
        .filter(|method| !allowed.contains(method.as_str()))
        {
            let page = app
                .browser()
                .call(
                    method.clone(),
                    path,
                    &[("x-http-method-override", "POST")],
                    "",
                )
                .await;
            is_error(&page, 405, r#"{"detail":"Method Not Allowed"}"#);
            assert_eq!(page.header("allow"), Some(allowed), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn every_request_has_a_number() {
    let app = App::new().await;
    let is_new = |id: &str| {
        id.len() == 32
            && id
                .chars()
                .all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
    };
    let number = async |given: &str| {
        let page = app
            .browser()
            .call(Method::GET, ME, &[("x-correlation-id", given)], "")
            .await;
        page.header("x-correlation-id").unwrap().to_owned()
    };
    let plain = app
        .browser()
        .get(ME)
        .await
        .header("x-correlation-id")
        .unwrap()
        .to_owned();
    assert!(is_new(&plain), "{plain}");
    let given = random::uuid();
    for given in [
        given.simple().to_string(),
        given.to_string(),
        given.to_string().to_uppercase(),
    ] {
        assert_eq!(
            number(&given).await,
            given,
            "the caller finds its own number again"
        );
    }
    for bad in [
        "",
        "x",
        "1234",
        "8f14e45f-ceea-167f-a8f3-7a3cde7b9e11",
        "8f14e45f-ceea-467f-a8f3-7a3cde7b9e1g",
        "\tx\"><script>",
    ] {
        let id = number(bad).await;
        assert!(is_new(&id) && id != bad.replace('-', ""), "{bad:?}: {id}");
    }
}

#[tokio::test]
async fn an_error_is_never_empty() {
    let app = app_with_ada().await;
    let mut errors = vec![
        app.browser().get(ME).await,
        app.browser().get("/api/v1/x").await,
        app.browser().get(COOKIE_LOGIN).await,
    ];
    for (kind, body) in [
        (FORM, "username=a&password=b"),
        (FORM, "%ff=1"),
        (FORM, "a=1&a=2"),
        ("text/plain", "x"),
        ("multipart/form-data", ""),
        (FORM, ""),
    ] {
        errors.push(post(&app, COOKIE_LOGIN, kind, body).await);
    }
    errors.push(post(&app, COOKIE_LOGIN, FORM, &"x".repeat(70_000)).await);
    errors.push(
        app.browser()
            .call(
                Method::POST,
                COOKIE_LOGIN,
                &[("origin", "https://evil.example"), ("content-type", FORM)],
                "",
            )
            .await,
    );
    errors.push(
        app.browser()
            .call(
                Method::POST,
                COOKIE_LOGIN,
                &[("content-encoding", "gzip")],
                "x",
            )
            .await,
    );
    errors.push(
        app.browser()
            .get(&format!("/api/v1/{}", "x".repeat(9000)))
            .await,
    );
    for page in errors {
        assert!(
            (400..500).contains(&page.status.as_u16()),
            "{} {}",
            page.status,
            page.path
        );
        assert!(!page.body.is_empty(), "{} {}", page.status, page.path);
        let is_said = page.status == StatusCode::NOT_FOUND
            || page.status == StatusCode::URI_TOO_LONG
            || !page.json()["detail"].is_null();
        assert!(is_said, "{} {}: {}", page.status, page.path, page.body);
    }
}
