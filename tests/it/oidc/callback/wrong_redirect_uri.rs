//! A redirect URI that is registered at the provider and does not exist here.

use axum::http::{Method, StatusCode};

use super::under_way;
use crate::support::{App, Household, log::Log};

const RIGHT: &str = "http://localhost:8000/api/v1/auth/cookie/%C3%9Cber%20ID%20100%25/callback";

#[tokio::test]
async fn a_wrong_callback_path_names_the_redirect_uri_to_register() {
    let log = Log::begin();
    let home = Household::new().await;
    for path in [
        "/api/v1/auth/cookie/%C3%BCber%20ID%20100%25/callback",
        "/api/v1/auth/cookie/Authentik/callback",
        "/api/v1/auth/callback",
        "/auth/oauth/callback",
        "/auth/oauth/callback/",
    ] {
        let (mut browser, back) = under_way(&home).await;
        let query = back.split_once('?').unwrap().1;
        for query in [query, "error=access_denied&state=x"] {
            let page = browser
                .call(Method::GET, &format!("{path}?{query}"), &[], "")
                .await;
            assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}: {}", page.body);
            assert_eq!(page.text("code").as_deref(), Some(RIGHT), "{path}");
            let reference = page.text(".reference").unwrap();
            assert!(reference.ends_with("(wrong_redirect_uri)"), "{reference}");
            let request_id = page.header("x-correlation-id").unwrap().to_owned();
            let text = log.text();
            assert!(
                text.lines().any(|line| line.contains(&request_id)
                    && line.contains("register exactly this redirect URI")
                    && line.contains(RIGHT)),
                "{path}: {text}"
            );
        }
    }
    assert_eq!(home.provider.times("/token"), 0);
}

#[tokio::test]
async fn what_is_no_answer_of_a_provider_is_an_ordinary_missing_page() {
    let home = Household::new().await;
    let without = App::new().await;
    for (app, path, accept) in [
        (&home.app, "/callback", "text/html"),
        (&home.app, "/callback?code=x", "text/html"),
        (&home.app, "/x?code=x&state=y", "text/html"),
        (
            &home.app,
            "/auth/callback?code=x&state=y",
            "application/json",
        ),
        (&without, "/auth/callback?code=x&state=y", "text/html"),
    ] {
        let page = app
            .browser()
            .call(Method::GET, path, &[("accept", accept)], "")
            .await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(!page.body.contains("wrong_redirect_uri"), "{path}");
    }
}
