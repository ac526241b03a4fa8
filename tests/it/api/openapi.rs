//! The OpenAPI description, compared with the routes that exist.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use serde_json::Value;

use crate::support::App;

mod access;

/// Every route of the API, and its status for: no session, a pending user, a member, an
/// administrator, a disabled user, an expired session, a revoked session, and an administrator
/// without approval. No request changes state that a later one needs.
const ROUTES: [(&str, &str, &str, [u16; 8]); 29] = [
    (
        "POST",
        "/auth/cookie/login",
        "{}",
        [422, 422, 422, 422, 422, 422, 422, 422],
    ),
    (
        "POST",
        "/auth/jwt/login",
        "{}",
        [422, 422, 422, 422, 422, 422, 422, 422],
    ),
    (
        "GET",
        "/auth/metadata",
        "",
        [200, 200, 200, 200, 200, 200, 200, 200],
    ),
    (
        "POST",
        "/auth/register",
        "{}",
        [422, 422, 422, 422, 422, 422, 422, 422],
    ),
    (
        "POST",
        "/auth/forgot-password",
        r#"{"email":"x@y"}"#,
        [202, 202, 202, 202, 202, 202, 202, 202],
    ),
    (
        "POST",
        "/auth/reset-password",
        r#"{"token":"x","password":"y"}"#,
        [400, 400, 400, 400, 400, 400, 400, 400],
    ),
    (
        "POST",
        "/auth/request-verify-token",
        r#"{"email":"x@y"}"#,
        [202, 202, 202, 202, 202, 202, 202, 202],
    ),
    (
        "POST",
        "/auth/verify",
        r#"{"token":"x"}"#,
        [401, 400, 400, 400, 401, 401, 401, 400],
    ),
    (
        "GET",
        "/auth/cookie/OpenID/authorize",
        "",
        [404, 404, 404, 404, 404, 404, 404, 404],
    ),
    (
        "GET",
        "/auth/cookie/OpenID/callback",
        "",
        [404, 404, 404, 404, 404, 404, 404, 404],
    ),
    (
        "GET",
        "/auth/oauth/authorize",
        "",
        [404, 404, 404, 404, 404, 404, 404, 404],
    ),
    (
        "GET",
        "/auth/oauth/callback",
        "",
        [404, 404, 404, 404, 404, 404, 404, 404],
    ),
    (
        "POST",
        "/auth/oidc/backchannel-logout",
        "",
        [404, 404, 404, 404, 404, 404, 404, 404],
    ),
    (
        "GET",
        "/openapi.json",
        "",
        [200, 200, 200, 200, 200, 200, 200, 200],
    ),
    (
        "GET",
        "/users/me",
        "",
        [401, 200, 200, 200, 401, 401, 401, 200],
    ),
    (
        "PATCH",
        "/users/me",
        "{}",
        [401, 200, 200, 200, 401, 401, 401, 200],
    ),
    (
        "PATCH",
        "/users/me",
        "{",
        [422, 422, 422, 422, 422, 422, 422, 422],
    ),
    (
        "PATCH",
        "/users/me",
        r#"{"is_superuser":true,"is_verified":true}"#,
        [401, 200, 200, 200, 401, 401, 401, 200],
    ),
    (
        "DELETE",
        "/users/me",
        "",
        [401, 403, 403, 404, 401, 401, 401, 403],
    ),
    (
        "GET",
        "/users/all",
        "",
        [401, 403, 403, 200, 401, 401, 401, 403],
    ),
    (
        "GET",
        "/users/{other}",
        "",
        [401, 403, 403, 200, 401, 401, 401, 403],
    ),
    (
        "GET",
        "/users/{self}",
        "",
        [401, 403, 403, 200, 401, 401, 401, 403],
    ),
    (
        "GET",
        "/users/{nobody}",
        "",
        [401, 403, 403, 404, 401, 401, 401, 403],
    ),
    (
        "PATCH",
        "/users/{other}",
        r#"{"is_verified":true}"#,
        [401, 403, 403, 200, 401, 401, 401, 403],
    ),
    (
        "PATCH",
        "/users/{self}",
        r#"{"is_superuser":true}"#,
        [401, 403, 403, 200, 401, 401, 401, 403],
    ),
    (
        "PATCH",
        "/users/{nobody}",
        "{}",
        [401, 403, 403, 404, 401, 401, 401, 403],
    ),
    (
        "DELETE",
        "/users/{nobody}",
        "",
        [401, 403, 403, 404, 401, 401, 401, 403],
    ),
    (
        "POST",
        "/auth/cookie/logout",
        "",
        [401, 204, 204, 204, 401, 401, 401, 204],
    ),
    (
        "POST",
        "/auth/jwt/logout",
        "",
        [401, 204, 204, 204, 401, 401, 401, 204],
    ),
];

#[tokio::test]
async fn the_description_is_of_the_routes_that_there_are() {
    let app = App::new().await;
    let page = app.browser().get("/api/v1/openapi.json").await;
    let description = page.json();
    assert_eq!(
        (page.header("content-type"), description["openapi"].as_str()),
        (Some("application/json"), Some("3.1.0"))
    );
    let described: BTreeMap<String, Vec<String>> = description["paths"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(path, methods)| {
            (
                path.strip_prefix("/api/v1").unwrap().to_owned(),
                methods
                    .as_object()
                    .unwrap()
                    .keys()
                    .map(|method| method.to_uppercase())
                    .collect(),
            )
        })
        .collect();
    let tested = |method: &str, path: &str| {
        ROUTES
            .iter()
            .any(|(known, route, ..)| *known == method && fits(path, route))
    };
    for (path, methods) in &described {
        let filled = path
            .replace("{id}", "00000000-0000-4000-8000-000000000000")
            .replace("{name}", "OpenID");
        for method in methods {
            assert!(
                tested(method, path),
                "{method} {path} is not in the table above"
            );
            let page = app
                .browser()
                .call(
                    Method::from_bytes(method.as_bytes()).unwrap(),
                    &format!("/api/v1{filled}"),
                    &[("sec-fetch-site", "same-origin")],
                    "",
                )
                .await;
            assert_ne!(
                page.status,
                StatusCode::METHOD_NOT_ALLOWED,
                "{method} {path}"
            );
        }
        let page = app
            .browser()
            .call(Method::OPTIONS, &format!("/api/v1{filled}"), &[], "")
            .await;
        let mut allowed: Vec<&str> = page
            .header("allow")
            .unwrap_or_default()
            .split(',')
            .filter(|method| !method.is_empty() && *method != "HEAD")
            .collect();
        allowed.sort_unstable();
        let mut methods: Vec<&str> = methods.iter().map(String::as_str).collect();
        methods.sort_unstable();
        assert_eq!(
            allowed, methods,
            "{path} answers to what is described and nothing else"
        );
    }
    for (method, route, ..) in ROUTES.iter().filter(|(method, ..)| *method != "DELETE") {
        assert!(
            described
                .iter()
                .any(|(path, methods)| fits(path, route)
                    && methods.iter().any(|known| known == method)),
            "{method} {route} is not described"
        );
    }
    let user = &description["components"]["schemas"]["User"]["properties"];
    assert_eq!(
        user.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["email", "id", "is_active", "is_superuser", "is_verified"]
    );
    assert_ne!(
        description["paths"]["/api/v1/users/{id}"]["patch"]["responses"]["409"],
        Value::Null
    );
}

/// Whether a route of the table matches this path of the description.
fn fits(described: &str, route: &str) -> bool {
    let route = route
        .replace("OpenID", "{name}")
        .replace("{other}", "{id}")
        .replace("{self}", "{id}")
        .replace("{nobody}", "{id}");
    described == route
}
