use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};

use crate::support::{App, PASSWORD, Page};

/// A login posted with these headers beside the form's own.
async fn post_login(app: &App, path: &str, headers: &[(&str, &str)]) -> Page {
    let mut browser = app.browser();
    let name = if path == "/login" {
        "email"
    } else {
        "username"
    };
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair(name, "ada@example.org")
        .append_pair("password", PASSWORD)
        .finish();
    let mut request = browser
        .request(Method::POST, path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    browser.send(request.body(Body::from(body)).unwrap()).await
}

const HERE: &str = "http://localhost:8000";

#[tokio::test]
async fn another_site_cannot_log_a_browser_in() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    for path in [
        "/login",
        "/api/v1/auth/cookie/login",
        "/api/v1/auth/jwt/login",
    ] {
        for headers in [
            &[
                ("sec-fetch-site", "cross-site"),
                ("origin", "https://evil.example"),
            ][..],
            &[
                ("sec-fetch-site", "same-site"),
                ("origin", "http://localhost:9000"),
            ],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "cross-site"), ("origin", HERE)],
            &[("origin", "null")],
            &[("origin", "https://evil.example")],
            &[("origin", "http://localhost:80000")],
            &[("origin", "http://localhost:8000.evil.example")],
            &[
                ("origin", "https://evil.example"),
                ("referer", "http://localhost:8000/login"),
            ],
            &[
                ("origin", "https://evil.example"),
                ("x-forwarded-host", "evil.example"),
            ],
        ] {
            let page = post_login(&app, path, headers).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path} {headers:?}");
            assert_eq!(page.header("set-cookie"), None);
        }
    }
}

#[tokio::test]
async fn our_own_pages_may() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    for headers in [
        &[("sec-fetch-site", "same-origin"), ("origin", HERE)][..],
        &[("origin", HERE)],
    ] {
        assert_eq!(
            post_login(&app, "/login", headers).await.status,
            StatusCode::SEE_OTHER,
            "{headers:?}"
        );
        assert_eq!(
            post_login(&app, "/api/v1/auth/cookie/login", headers)
                .await
                .status,
            StatusCode::NO_CONTENT,
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn scripts_may_use_the_contract_but_not_the_forms() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    assert_eq!(
        post_login(&app, "/api/v1/auth/cookie/login", &[])
            .await
            .status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        post_login(&app, "/login", &[]).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn a_configured_origin_may_and_only_without_better_evidence() {
    let app = App::with("misc.cors_urls = ['http://localhost:5173']").await;
    app.member("ada@example.org").await;
    let origin = ("origin", "http://localhost:5173");
    assert_eq!(
        post_login(&app, "/api/v1/auth/cookie/login", &[origin])
            .await
            .status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        post_login(
            &app,
            "/api/v1/auth/cookie/login",
            &[origin, ("sec-fetch-site", "same-site")]
        )
        .await
        .status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn the_refusal_names_both_origins_so_that_it_can_be_mended() {
    let app = App::new().await;
    let page = post_login(
        &app,
        "/login",
        &[
            ("origin", "https://media.example.org"),
            ("sec-fetch-site", "cross-site"),
        ],
    )
    .await;
    assert_eq!(page.heading(), "Refused");
    for text in ["https://media.example.org", HERE, "misc.frontend_url"] {
        assert!(page.body.contains(text), "{text}");
    }
    let page = post_login(
        &app,
        "/login",
        &[("origin", "https://x\"><script>alert(1)</script>")],
    )
    .await;
    assert!(!page.body.contains("<script>alert"));
}

#[tokio::test]
async fn log_out_cannot_be_forced_from_another_site() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut browser = app.browser();
    browser.log_in("ada@example.org", PASSWORD).await;
    let forced = browser
        .request(Method::POST, "/logout")
        .header("sec-fetch-site", "cross-site")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    assert_eq!(
        browser
            .send(forced.body(Body::empty()).unwrap())
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(browser.get("/logout").await.heading(), "Log out");
    assert_eq!(
        browser.get("/account").await.path,
        "/account",
        "still logged in: reading changes nothing"
    );
}

/// A page of another site can send neither the header nor read the answer, so only the program that
/// holds the token does this, and what a browser says of the site is no reason to refuse it.
#[tokio::test]
async fn a_bearer_token_is_taken_whatever_site_the_request_names() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut browser = app.browser();
    browser.log_in("ada@example.org", PASSWORD).await;
    let session = browser.cookie("fastapiusersauth").unwrap().to_owned();
    let cross_site = [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ];
    let bearer = format!("Bearer {session}");
    let with_token = [&[("authorization", bearer.as_str())][..], &cross_site].concat();
    let with_nonsense = [&[("authorization", "Bearer x")][..], &cross_site].concat();
    let with_basic = [&[("authorization", "Basic eDp5")][..], &cross_site].concat();
    let path = "/api/v1/auth/jwt/logout";
    // The cookie is never used beside the header, and no other header is exempt.
    for (headers, status) in [
        (&with_nonsense, StatusCode::UNAUTHORIZED),
        (&with_basic, StatusCode::FORBIDDEN),
        (&cross_site.to_vec(), StatusCode::FORBIDDEN),
    ] {
        let answer = browser.call(Method::POST, path, headers, "").await;
        assert_eq!(answer.status, status, "{headers:?}");
    }
    let live = "SELECT count(*) FROM auth_session WHERE ended_at IS NULL";
    assert_eq!(app.count(live).await, 1);
    let answer = app
        .browser()
        .call(Method::POST, path, &with_token, "")
        .await;
    assert!(answer.status.is_success(), "{}", answer.status);
    assert_eq!(app.count(live).await, 0);
    // Not on a page, which takes no bearer token.
    let answer = app
        .browser()
        .call(Method::POST, "/logout", &with_token, "")
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

/// A second line contradicts the first, and whoever reads the first may not be whom the browser
/// meant.
#[tokio::test]
async fn a_second_origin_line_beside_ours_is_refused() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    for headers in [
        &[("origin", HERE), ("origin", "https://evil.example")][..],
        &[("origin", "https://evil.example"), ("origin", HERE)],
        &[("origin", HERE), ("origin", HERE)],
        &[
            ("sec-fetch-site", "same-origin"),
            ("origin", HERE),
            ("origin", "https://evil.example"),
        ],
        &[
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "cross-site"),
            ("origin", HERE),
        ],
    ] {
        for path in ["/login", "/api/v1/auth/cookie/login"] {
            let page = post_login(&app, path, headers).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path} {headers:?}");
            assert_eq!(page.header("set-cookie"), None);
        }
    }
}

/// A browser adds no bearer header to another site's form, so what has one is a program that holds
/// the token.
#[tokio::test]
async fn a_bearer_request_from_another_site_passes_and_one_with_a_cookie_does_not() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let elsewhere = [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ];
    let mut browser = app.browser();
    browser.log_in("ada@example.org", PASSWORD).await;
    let token = browser.cookie("fastapiusersauth").unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    for authorization in [None, Some("Basic YWRhOng="), Some("bearerx")] {
        let headers: Vec<_> = elsewhere
            .into_iter()
            .chain(authorization.map(|value| ("authorization", value)))
            .collect();
        let page = browser
            .call(Method::POST, "/api/v1/auth/jwt/logout", &headers, "")
            .await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{authorization:?}");
    }
    let headers: Vec<_> = elsewhere
        .into_iter()
        .chain([("authorization", bearer.as_str())])
        .collect();
    let page = browser.call(Method::POST, "/logout", &headers, "").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "a page takes no bearer");
    let page = app
        .browser()
        .call(Method::POST, "/api/v1/auth/jwt/logout", &headers, "")
        .await;
    assert_eq!(page.status, StatusCode::NO_CONTENT);
    assert_eq!(
        browser.get("/account").await.path,
        "/login?return_to=%2Faccount"
    );
}
