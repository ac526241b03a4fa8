//! The authorization request: its parameters, the redirect URI, and the routes that send it.

use std::collections::HashSet;

use axum::http::{Method, StatusCode};

use super::{CALLBACK, query};
use crate::support::{Account, App, Household, app_with_provider, provider::CLIENT_ID};

#[tokio::test]
async fn the_request_says_what_the_protocol_asks_for_and_is_new_each_time() {
    let home = Household::new().await;
    let mut browser = home.app.browser();
    let mut seen = HashSet::new();
    for _ in 0..3 {
        let query = query(&app_with_provider::set_out(&mut browser).await);
        assert_eq!(
            query["redirect_uri"],
            format!("http://localhost:8000{CALLBACK}")
        );
        assert_eq!(query["client_id"], CLIENT_ID);
        assert_eq!(query["scope"], "openid email profile");
        assert_eq!(
            query.keys().map(String::as_str).collect::<Vec<_>>(),
            [
                "client_id",
                "code_challenge",
                "code_challenge_method",
                "nonce",
                "redirect_uri",
                "response_type",
                "scope",
                "state"
            ]
        );
        for name in ["state", "nonce", "code_challenge"] {
            assert!(query[name].len() >= 43, "256 bits of {name}");
            assert!(seen.insert(query[name].clone()), "{name} was used before");
        }
    }
}

#[tokio::test]
async fn no_request_header_moves_the_redirect_uri() {
    let home = Household::new().await;
    let mut browser = home.app.browser();
    let evil = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=evil.example"),
        ("referer", "https://evil.example/"),
    ];
    let answer = browser.call(Method::GET, "/login/oidc", &evil, "").await;
    assert_eq!(
        query(&answer.location().unwrap())["redirect_uri"],
        format!("http://localhost:8000{CALLBACK}")
    );
}

#[tokio::test]
async fn the_link_always_answers_with_a_redirect() {
    let home = Household::new().await;
    let no_provider = App::new().await;
    for path in [
        "/login/oidc",
        "/login/oidc?",
        "/login/oidc?return_to=//evil.example",
        "/login/oidc?return_to=/a&return_to=/b",
        "/login/oidc?return_to[]=/a",
        "/login/oidc?return_to=%ff",
        "/login/oidc?x[y][z]=1&=&&",
        "/login/oidc?__path=x&__err=y",
    ] {
        for accept in ["text/html", "application/json", "*/*"] {
            let answer = home
                .app
                .browser()
                .call(
                    Method::GET,
                    path,
                    &[("referer", "https://evil.example/")],
                    "",
                )
                .await;
            assert!(
                answer.status.is_redirection(),
                "{path} {accept}: {}",
                answer.status
            );
            let target = answer.location().unwrap();
            assert!(
                target.starts_with(home.provider.origin()) || target == "/login/oidc",
                "{path}: {target}"
            );
            assert!(
                !target.contains("__err") && !target.contains("evil"),
                "{path}: {target}"
            );
        }
        let answer = no_provider.browser().call(Method::GET, path, &[], "").await;
        assert!(answer.status.is_redirection(), "{path} without a provider");
    }
    assert_eq!(
        home.app
            .browser()
            .post_form("/login/oidc", &[])
            .await
            .status,
        StatusCode::METHOD_NOT_ALLOWED
    );
    assert!(
        home.app
            .browser()
            .call(Method::HEAD, "/login/oidc", &[], "")
            .await
            .status
            .is_redirection()
    );
}

#[tokio::test]
async fn mediamanagers_own_frontends_set_out_too() {
    let home = Household::new().await;
    for (path, callback) in [
        (
            "/api/v1/auth/cookie/%C3%9Cber%20ID%20100%25/authorize?scopes=email",
            CALLBACK,
        ),
        (
            "/api/v1/auth/oauth/authorize?scopes=openid&scopes=email&scopes=groups&scopes=a%20b",
            "/api/v1/auth/oauth/callback",
        ),
    ] {
        let mut browser = home.app.browser();
        let answer = browser.call(Method::GET, path, &[], "").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let away = answer.json()["authorization_url"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(
            query(&away)["redirect_uri"],
            format!("http://localhost:8000{callback}")
        );
        assert_eq!(
            query(&away)["scope"],
            if path.contains("groups") {
                "openid email profile groups"
            } else {
                "openid email profile"
            }
        );
        let back = home
            .provider
            .answer(&away, &Account::confirmed("ada@example.org"));
        let answer = app_with_provider::call_back(&mut browser, &back).await;
        assert_eq!(
            answer.location().as_deref(),
            Some("/account"),
            "{}",
            answer.body
        );
    }
}

#[tokio::test]
async fn the_name_is_compared_to_the_letter_and_hides_nothing() {
    let home = Household::new().await;
    for name in [
        "%C3%BCber%20ID%20100%25",
        "Authentik",
        "login",
        "logout",
        "x",
    ] {
        for action in ["authorize", "callback?code=x&state=y"] {
            // A browser gets a page that names the right redirect URI instead.
            let page = home
                .app
                .browser()
                .call(
                    Method::GET,
                    &format!("/api/v1/auth/cookie/{name}/{action}"),
                    &[("accept", "*/*")],
                    "",
                )
                .await;
            assert_eq!(
                (page.status, page.body.as_str()),
                (StatusCode::NOT_FOUND, "Not Found"),
                "{name} {action}"
            );
        }
    }
    let metadata = home.app.browser().get("/api/v1/auth/metadata").await.json();
    assert_eq!(metadata["oauth_name"], "Über ID 100%");
    assert_eq!(metadata["oauth_providers"][0], "Über ID 100%");
}

#[tokio::test]
async fn a_configured_redirect_uri_is_the_only_one_ever_sent() {
    let own = "http://localhost:8000/api/v1/auth/oauth/callback";
    let home = Household::with(&format!("policy.openid_connect.redirect_uri = '{own}'")).await;
    let mut browser = home.app.browser();
    let away = app_with_provider::set_out(&mut browser).await;
    assert_eq!(query(&away)["redirect_uri"], own);
    let back = home
        .provider
        .answer(&away, &Account::confirmed("ada@example.org"));
    assert_eq!(
        app_with_provider::call_back(&mut browser, &back)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    let asked = browser
        .call(
            Method::GET,
            "/api/v1/auth/cookie/%C3%9Cber%20ID%20100%25/authorize",
            &[],
            "",
        )
        .await;
    assert_eq!(
        query(asked.json()["authorization_url"].as_str().unwrap())["redirect_uri"],
        own
    );
}
