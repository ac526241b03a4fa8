//! CORS: only configured origins may read responses.

use axum::http::{Method, StatusCode};

use super::{COOKIE_LOGIN, COOKIE_LOGOUT, FORM, ME};
use crate::support::App;

/// Configurations, and whether they allow the origin `FRONTEND`.
const CORS: [(&str, bool); 3] = [
    ("", false),
    ("misc.cors_urls = ['https://other.example']", false),
    ("misc.cors_urls = ['http://localhost:5173']", true),
];
const FRONTEND: (&str, &str) = ("origin", "http://localhost:5173");

#[tokio::test]
async fn a_browser_on_a_configured_origin_gets_leave_to_ask() {
    for (toml, is_named) in CORS {
        let app = App::with(toml).await;
        for (path, method) in [(COOKIE_LOGIN, "POST"), (COOKIE_LOGOUT, "POST"), (ME, "GET")] {
            let wish = [
                ("access-control-request-method", method),
                ("access-control-request-headers", "content-type"),
                FRONTEND,
            ];
            let page = app.browser().call(Method::OPTIONS, path, &wish, "").await;
            assert_eq!(
                page.header("access-control-allow-origin"),
                is_named.then_some(FRONTEND.1),
                "{toml} {path} {}",
                page.status
            );
            if is_named {
                assert_eq!(
                    (page.status, page.header("access-control-allow-credentials")),
                    (StatusCode::OK, Some("true"))
                );
                let methods: Vec<_> = page
                    .header("access-control-allow-methods")
                    .unwrap()
                    .split(',')
                    .map(str::trim)
                    .collect();
                assert_eq!(
                    methods,
                    ["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS"]
                );
                assert_eq!(
                    page.header("access-control-allow-headers"),
                    Some("accept,accept-language,content-language,content-type")
                );
                assert!(
                    page.headers.get_all("vary").iter().any(|vary| vary
                        .to_str()
                        .unwrap()
                        .to_lowercase()
                        .contains("origin"))
                );
            }
            let names: Vec<_> = page
                .headers
                .keys()
                .filter(|name| name.as_str().starts_with("access-control"))
                .collect();
            assert!(
                !toml.is_empty() || names.is_empty(),
                "{path}: nothing at all where nothing is configured: {names:?}"
            );
        }
        let page = app
            .browser()
            .call(
                Method::OPTIONS,
                "/login",
                &[("access-control-request-method", "POST"), FRONTEND],
                "",
            )
            .await;
        assert_eq!(
            page.header("access-control-allow-origin"),
            None,
            "pages are for nobody else"
        );
    }
}

#[tokio::test]
async fn only_a_configured_origin_may_read_answers() {
    for (toml, is_named) in CORS {
        let app = App::with(toml).await;
        app.member("ada@example.org").await;
        for page in [
            app.browser().call(Method::GET, ME, &[FRONTEND], "").await,
            app.browser()
                .call(Method::GET, "/api/v1/auth/metadata", &[FRONTEND], "")
                .await,
        ] {
            assert_eq!(
                page.header("access-control-allow-origin"),
                is_named.then_some(FRONTEND.1),
                "{toml} {}",
                page.path
            );
            assert!(!is_named || page.header("access-control-allow-credentials") == Some("true"));
        }
        for path in ["/login", "/", "/livez"] {
            assert_eq!(
                app.browser()
                    .call(Method::GET, path, &[FRONTEND], "")
                    .await
                    .header("access-control-allow-origin"),
                None,
                "{toml} {path}"
            );
        }
        let login = "username=ada%40example.org&password=violet+kettle+harbour+9";
        let page = app
            .browser()
            .call(
                Method::POST,
                COOKIE_LOGIN,
                &[FRONTEND, ("content-type", FORM)],
                login,
            )
            .await;
        assert_eq!(page.status == StatusCode::NO_CONTENT, is_named, "{toml}");
        assert_eq!(
            page.header("access-control-allow-origin"),
            is_named.then_some(FRONTEND.1),
            "{toml}"
        );
    }
}
