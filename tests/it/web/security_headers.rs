use axum::http::{Method, StatusCode};

use crate::support::{App, Page};

/// One response of every kind: page, form error, redirect, error page, JSON, JSON error, static
/// file, health.
async fn one_of_each(app: &App) -> Vec<Page> {
    let mut browser = app.browser();
    let mut pages = Vec::new();
    for path in [
        "/login",
        "/account",
        "/nothing",
        "/setup?token=x",
        "/api/v1/auth/metadata",
        "/api/v1/users/me",
        "/api/nothing",
        "/pkg/none.js",
        "/livez",
        "/readyz",
    ] {
        let request = browser
            .request(Method::GET, path)
            .body(axum::body::Body::empty())
            .unwrap();
        pages.push(browser.send(request).await);
    }
    pages.push(
        browser
            .post_form("/login", &[("email", "a@b"), ("password", "x")])
            .await,
    );
    pages.push(browser.post_form("/nothing", &[]).await);
    pages.push(browser.post_form("/account", &[]).await);
    pages
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_protect_it() {
    let app = App::new().await;
    for page in one_of_each(&app).await {
        let place = format!("{} {}", page.path, page.status);
        let policy = page
            .header("content-security-policy")
            .expect(&place)
            .to_owned();
        for part in [
            "default-src 'self'",
            "'wasm-unsafe-eval'",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(part), "{place}: {policy}");
        }
        assert!(
            !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"),
            "{place}: {policy}"
        );
        let scripts = policy
            .split(';')
            .find_map(|part| part.trim().strip_prefix("script-src "))
            .expect(&place);
        let sources: Vec<_> = scripts.split(' ').collect();
        assert!(
            sources.len() == 2
                && sources[0].starts_with("'nonce-")
                && sources[1] == "'wasm-unsafe-eval'",
            "a file of the application on this origin is no script of ours: {scripts}"
        );
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(page.header(name), Some(value), "{place}");
        }
        assert!(page.header("permissions-policy").is_some(), "{place}");
        assert_eq!(page.header("x-correlation-id").expect(&place).len(), 32);
        assert_eq!(
            page.header("strict-transport-security"),
            None,
            "{place}: plain http"
        );
        assert_eq!(page.header("access-control-allow-origin"), None, "{place}");
        if !page.path.starts_with("/pkg") {
            assert_eq!(page.header("cache-control"), Some("no-store"), "{place}");
        }
        if page
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/"))
        {
            assert!(
                page.header("content-type")
                    .unwrap()
                    .contains("charset=utf-8"),
                "{place}"
            );
        }
        assert!(page.status.as_u16() < 500, "{place}");
    }
}

#[tokio::test]
async fn an_error_of_the_contract_always_has_a_body() {
    let app = App::new().await;
    for page in one_of_each(&app).await {
        if page.path.starts_with("/api") && page.status.as_u16() >= 400 {
            assert!(!page.body.is_empty(), "{} {}", page.path, page.status);
        }
    }
}

#[tokio::test]
async fn https_brings_hsts_to_every_answer() {
    let app = App::with("misc.frontend_url = 'https://media.example.org'").await;
    for page in one_of_each(&app).await {
        assert_eq!(
            page.header("strict-transport-security"),
            Some("max-age=31536000"),
            "{} {}",
            page.path,
            page.status
        );
    }
}

#[tokio::test]
async fn the_nonce_is_new_in_every_answer_and_on_every_inline_script() {
    let app = App::new().await;
    let (first, second) = (
        app.browser().get("/login").await,
        app.browser().get("/login").await,
    );
    let nonce = |page: &Page| {
        page.header("content-security-policy")
            .unwrap()
            .split("'nonce-")
            .nth(1)
            .unwrap()
            .split('\'')
            .next()
            .unwrap()
            .to_owned()
    };
    assert_ne!(nonce(&first), nonce(&second));
    assert!(nonce(&first).len() >= 22, "128 bits");
    assert_eq!(
        first.body.matches("<script").count(),
        first
            .body
            .matches(&format!("nonce=\"{}\"", nonce(&first)))
            .count()
    );
    assert_eq!(
        first.body.matches(" style=").count(),
        0,
        "the policy would refuse it"
    );
}

#[tokio::test]
async fn pages_load_nothing_from_other_hosts() {
    let app = App::new().await;
    for path in ["/login", "/setup", "/logout", "/nothing"] {
        let page = app.browser().get(path).await;
        for place in page.body.match_indices("http") {
            let context = &page.body[place.0..(place.0 + 40).min(page.body.len())];
            assert!(
                context.starts_with("http://www.w3.org/2000/svg"),
                "{path}: {context}"
            );
        }
    }
}

#[tokio::test]
async fn nothing_is_echoed_for_an_unknown_path() {
    let app = App::new().await;
    let page = app
        .browser()
        .get("/%3Cscript%3Ealert(1)%3C/script%3E?x=%3Cscript%3E")
        .await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (StatusCode::NOT_FOUND, "Page not found")
    );
    assert!(!page.body.contains("alert(1)"));
}

#[tokio::test]
async fn health_says_nothing_about_the_program() {
    let app = App::new().await;
    assert_eq!(app.browser().get("/livez").await.body, "ok");
    assert_eq!(app.browser().get("/readyz").await.body, "ready");
    app.state.stopping.cancel();
    assert_eq!(
        app.browser().get("/readyz").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(app.browser().get("/livez").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_absence_of_a_file_is_not_kept_for_a_year() {
    let app = App::new().await;
    let page = app.browser().get("/pkg/mediamanager-auth.old.js").await;
    assert_eq!(
        (page.status, page.header("cache-control")),
        (StatusCode::NOT_FOUND, Some("no-store"))
    );
}
