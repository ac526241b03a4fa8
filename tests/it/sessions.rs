use crate::support::{App, Browser, PASSWORD, Page, TOKEN_SECRET};
use axum::{
    Router,
    http::{Method, StatusCode},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use mediamanager_auth::server::crypto::random;
use serde_json::{Value, json};

const NAME: &str = "fastapiusersauth";
/// What a live token gets as a cookie on a page, as a cookie of the contract, and as a bearer
/// token.
const ALIVE: [u16; 3] = [200, 200, 200];
const DEAD: [u16; 3] = [303, 401, 401];

async fn opens(router: &Router, token: &str) -> [u16; 3] {
    let mut browser = Browser::new(router.clone());
    let bearer = browser
        .call(
            Method::GET,
            "/api/v1/users/me",
            &[("authorization", &format!("Bearer {token}"))],
            "",
        )
        .await;
    browser.set_cookie(NAME, token);
    let page = browser.call(Method::GET, "/account", &[], "").await;
    let me = browser.call(Method::GET, "/api/v1/users/me", &[], "").await;
    [page, me, bearer].map(|page| page.status.as_u16())
}

/// A browser that has just logged in, and its token.
async fn logged_in(app: &App, email: &str) -> (Browser, String) {
    let mut browser = app.browser();
    assert_eq!(browser.log_in(email, PASSWORD).await.status, StatusCode::OK);
    let token = browser.cookie(NAME).unwrap().to_owned();
    (browser, token)
}

async fn ada(app: &App) -> (Browser, String) {
    app.member("ada@example.org").await;
    logged_in(app, "ada@example.org").await
}

fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(
        &URL_SAFE_NO_PAD
            .decode(token.split('.').nth(index).unwrap())
            .unwrap(),
    )
    .unwrap()
}

fn sign(claims: &Value) -> String {
    encode(
        &Header::new(Algorithm::HS256),
        claims,
        &EncodingKey::from_secret(TOKEN_SECRET.as_bytes()),
    )
    .unwrap()
}

/// The cookie's value, and its attributes in order of the alphabet.
fn cookie_of(page: &Page) -> (String, Vec<String>) {
    let cookies: Vec<_> = page.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies.len(), 1, "one cookie and no other");
    let mut parts = cookies[0]
        .to_str()
        .unwrap()
        .split("; ")
        .map(ToOwned::to_owned);
    let value = parts
        .next()
        .unwrap()
        .strip_prefix("fastapiusersauth=")
        .unwrap()
        .to_owned();
    let mut attributes: Vec<_> = parts.collect();
    attributes.sort();
    (value, attributes)
}

async fn post_login(browser: &mut Browser, password: &str) -> Page {
    browser
        .post_form(
            "/login",
            &[("email", "ada@example.org"), ("password", password)],
        )
        .await
}

#[tokio::test]
async fn the_cookie_says_exactly_what_it_must() {
    let http = ["HttpOnly", "Max-Age=86400", "Path=/", "SameSite=Lax"].as_slice();
    let https = [
        "HttpOnly",
        "Max-Age=86400",
        "Path=/",
        "SameSite=Lax",
        "Secure",
    ]
    .as_slice();
    for (toml, expected) in [
        ("", http),
        ("misc.frontend_url = 'https://media.example.org'", https),
    ] {
        let app = App::with(toml).await;
        app.member("ada@example.org").await;
        let mut browser = app.browser();
        let page = post_login(&mut browser, PASSWORD).await;
        assert_eq!(cookie_of(&page).1, expected);
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert_eq!(
            page.header("strict-transport-security").is_some(),
            expected == https
        );
        // What a proxy or a client says about the connection changes nothing.
        let headers = [
            ("x-forwarded-proto", "https"),
            ("content-type", "application/x-www-form-urlencoded"),
            ("forwarded", "proto=https"),
        ];
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("username", "ada@example.org")
            .append_pair("password", PASSWORD)
            .finish();
        let page = app
            .browser()
            .call(Method::POST, "/api/v1/auth/cookie/login", &headers, &body)
            .await;
        assert_eq!(cookie_of(&page).1, expected);
        assert_eq!(page.header("cache-control"), Some("no-store"));

        let page = browser.post_form("/logout", &[]).await;
        let gone: Vec<_> = expected
            .iter()
            .map(|attribute| attribute.replace("86400", "0"))
            .collect();
        assert_eq!(
            cookie_of(&page),
            (String::new(), gone),
            "taken away with the same attributes"
        );
    }
}

#[tokio::test]
async fn the_token_is_what_mediamanager_reads_and_nothing_more() {
    let app = App::with("auth.session_lifetime = 3600").await;
    let id = app.member("ada@example.org").await.id;
    let mut browser = app.browser();
    let (token, attributes) = cookie_of(&post_login(&mut browser, PASSWORD).await);
    assert!(attributes.contains(&"Max-Age=3600".to_owned()) && token.len() < 1000);
    assert_eq!(part(&token, 0), json!({ "alg": "HS256", "typ": "JWT" }));
    let claims = part(&token, 1);
    let names: Vec<_> = claims
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(names, ["aud", "exp", "iat", "jti", "sub"]);
    assert_eq!(
        (&claims["sub"], &claims["aud"]),
        (&json!(id.to_string()), &json!(["fastapi-users:auth"]))
    );
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        3600
    );
    assert_ne!(
        part(&logged_in(&app, "ada@example.org").await.1, 1)["jti"],
        claims["jti"]
    );
}

#[tokio::test]
async fn a_right_signature_is_not_enough() {
    let app = App::new().await;
    let (_, adas) = ada(&app).await;
    let eve = app.member("eve@example.org").await.id;
    let (_, eves) = logged_in(&app, "eve@example.org").await;
    let genuine = part(&eves, 1);
    assert_eq!(
        opens(&app.router, &sign(&genuine)).await,
        ALIVE,
        "the key of the test is the right one"
    );

    let with = |name: &str, value: Value| {
        let mut claims = genuine.clone();
        claims[name] = value;
        sign(&claims)
    };
    let without = |name: &str| {
        let mut claims = genuine.clone();
        claims.as_object_mut().unwrap().remove(name);
        sign(&claims)
    };
    let adas_session = part(&adas, 1)["jti"].clone();
    for (attack, token) in [
        (
            "a session that never was",
            with("jti", json!(random::uuid().to_string())),
        ),
        ("somebody else's session", with("jti", adas_session)),
        (
            "my session for somebody else",
            with("sub", part(&adas, 1)["sub"].clone()),
        ),
        ("nobody", with("sub", json!(random::uuid().to_string()))),
        (
            "a session of the original",
            sign(&json!({ "sub": eve, "aud": ["fastapi-users:auth"], "exp": genuine["exp"] })),
        ),
        (
            "another purpose",
            with("aud", json!(["fastapi-users:reset"])),
        ),
        ("expired", with("exp", json!(app.state.clock.now() - 1))),
        ("not yet", with("nbf", json!(app.state.clock.now() + 60))),
        ("for ever", without("exp")),
        ("no session", without("jti")),
        ("the setup link", app.state.tokens.sign_setup(60).unwrap()),
        ("nothing", "x".to_owned()),
    ] {
        assert_eq!(opens(&app.router, &token).await, DEAD, "{attack}");
    }
    assert_eq!(
        (
            opens(&app.router, &adas).await,
            opens(&app.router, &eves).await
        ),
        (ALIVE, ALIVE),
        "attacks end nothing"
    );
}

#[tokio::test]
async fn rights_are_read_anew_for_every_request() {
    let app = App::new().await;
    let (mut browser, token) = ada(&app).await;
    app.sql("UPDATE \"user\" SET is_superuser = true").await;
    assert_eq!(
        browser.get("/api/v1/users/me").await.json()["is_superuser"],
        json!(true)
    );
    app.sql("UPDATE \"user\" SET is_superuser = false").await;
    assert_eq!(
        browser.get("/api/v1/users/me").await.json()["is_superuser"],
        json!(false)
    );
    app.sql("UPDATE \"user\" SET is_active = false").await;
    assert_eq!(opens(&app.router, &token).await, DEAD, "disabled");
    assert_eq!(
        opens(&app.another("").await, &token).await,
        DEAD,
        "on every instance"
    );
    app.sql("DELETE FROM \"user\"").await;
    assert_eq!(opens(&app.router, &token).await, DEAD, "deleted");
    assert_eq!(app.count("SELECT COUNT(*) FROM auth_session").await, 0);
}

#[tokio::test]
async fn a_session_ends_a_day_after_the_login_however_much_it_is_used() {
    let app = App::new().await;
    let (_, token) = ada(&app).await;
    for _ in 0..3 {
        app.pass(28_796);
        assert_eq!(opens(&app.router, &token).await, ALIVE);
    }
    app.pass(12);
    assert_eq!(opens(&app.router, &token).await, DEAD);
    app.pass(-3600);
    assert_eq!(
        opens(&app.router, &token).await,
        ALIVE,
        "ended by the clock, not by a person"
    );
}

#[tokio::test]
async fn a_log_out_holds_at_once_everywhere_and_for_good() {
    let app = App::new().await;
    let (mut browser, token) = ada(&app).await;
    let (_, other) = logged_in(&app, "ada@example.org").await;
    let elsewhere = app.another("").await;
    assert_eq!(opens(&elsewhere, &token).await, ALIVE);
    let page = browser.post_form("/logout", &[]).await;
    assert_eq!(
        (page.status, page.location().as_deref()),
        (StatusCode::SEE_OTHER, Some("/login?notice=logged_out"))
    );
    assert_eq!(
        page.header("clear-site-data"),
        Some("\"cache\", \"storage\"")
    );
    assert_eq!(page.header("cache-control"), Some("no-store"));
    for instance in [&app.router, &elsewhere, &app.another("").await] {
        assert_eq!(opens(instance, &token).await, DEAD);
        assert_eq!(opens(instance, &other).await, ALIVE, "only this device");
    }
    app.pass(-3600);
    assert_eq!(
        opens(&app.router, &token).await,
        DEAD,
        "a clock that steps back revives nothing"
    );
}

#[tokio::test]
async fn what_another_instance_ends_is_ended_here_within_a_second() {
    for change in [
        "UPDATE auth_session SET ended_at = 1",
        "UPDATE \"user\" SET is_active = false",
        "DELETE FROM auth_session",
    ] {
        let app = App::new().await;
        let (mut browser, token) = ada(&app).await;
        assert_eq!(browser.get("/account").await.path, "/account");
        app.sql_elsewhere(change).await;
        app.pass(1);
        assert_eq!(opens(&app.router, &token).await, DEAD, "{change}");
    }
}

#[tokio::test]
async fn a_clock_set_back_does_not_revive_a_session() {
    let app = App::new().await;
    let (mut browser, token) = ada(&app).await;
    assert_eq!(browser.get("/account").await.path, "/account");
    browser.post_form("/logout", &[]).await;
    app.pass(3600);
    assert_eq!(opens(&app.router, &token).await, DEAD);
    app.pass(-3600);
    assert_eq!(opens(&app.router, &token).await, DEAD);
}

#[tokio::test]
async fn log_out_works_without_a_session_and_with_a_dead_one() {
    let app = App::new().await;
    let (mut browser, token) = ada(&app).await;
    browser.post_form("/logout", &[]).await;
    for cookie in [None, Some(token.as_str()), Some("nonsense")] {
        let mut browser = app.browser();
        if let Some(cookie) = cookie {
            browser.set_cookie(NAME, cookie);
        }
        let page = browser.post_form("/logout", &[]).await;
        assert_eq!(
            (page.status, page.location().as_deref()),
            (StatusCode::SEE_OTHER, Some("/login?notice=logged_out")),
            "{cookie:?}"
        );
        assert_eq!(
            (cookie_of(&page).0.as_str(), page.header("clear-site-data")),
            ("", Some("\"cache\", \"storage\""))
        );
    }
}

#[tokio::test]
async fn a_new_login_ends_the_session_presented_with_it() {
    let app = App::new().await;
    let (mut browser, first) = ada(&app).await;
    assert_eq!(
        post_login(&mut browser, "not her password").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        opens(&app.router, &first).await,
        ALIVE,
        "a failed one ends nothing"
    );
    assert_eq!(
        post_login(&mut browser, PASSWORD).await.status,
        StatusCode::SEE_OTHER
    );
    let second = browser.cookie(NAME).unwrap().to_owned();
    assert_eq!(
        (
            opens(&app.router, &first).await,
            opens(&app.router, &second).await
        ),
        (DEAD, ALIVE)
    );
    assert_eq!(
        browser
            .post_form(
                "/api/v1/auth/jwt/login",
                &[("username", "ada@example.org"), ("password", PASSWORD)]
            )
            .await
            .status,
        StatusCode::OK
    );
    assert_eq!(opens(&app.router, &second).await, DEAD, "by every way in");
}

#[tokio::test]
async fn the_fifty_first_session_ends_the_oldest() {
    let app = App::new().await;
    let (_, oldest) = ada(&app).await;
    let mut tokens = Vec::new();
    for _ in 0..50 {
        assert_eq!(opens(&app.router, &oldest).await, ALIVE);
        app.pass(2);
        let mut browser = app.browser();
        post_login(&mut browser, PASSWORD).await;
        tokens.push(browser.cookie(NAME).unwrap().to_owned());
    }
    assert_eq!(opens(&app.router, &oldest).await, DEAD);
    assert_eq!(
        (
            opens(&app.router, &tokens[0]).await,
            opens(&app.router, &tokens[49]).await
        ),
        (ALIVE, ALIVE)
    );
    assert_eq!(
        app.count("SELECT COUNT(*) FROM auth_session WHERE ended_at IS NULL")
            .await,
        50
    );
}

#[tokio::test]
async fn a_doubtful_cookie_means_nobody() {
    let app = App::new().await;
    let (_, token) = ada(&app).await;
    let good = format!("{NAME}={token}");
    for cookies in [
        vec![format!("{good}; {good}")],
        vec![good.clone(), good.clone()],
        vec![format!("{good}; {NAME}=")],
        vec![format!("{good}; broken")],
        vec![format!("={token}")],
        vec![format!("{NAME}x={token}")],
        vec![format!("FastapiUsersAuth={token}")],
        vec![format!("$Version=1, {good}")],
        vec![";;;=".to_owned()],
        vec!["a".repeat(8000)],
    ] {
        let headers: Vec<_> = cookies
            .iter()
            .map(|cookie| ("cookie", cookie.as_str()))
            .collect();
        assert_eq!(
            app.browser()
                .call(Method::GET, "/api/v1/users/me", &headers, "")
                .await
                .status,
            StatusCode::UNAUTHORIZED,
            "{cookies:?}"
        );
        assert_eq!(
            app.browser()
                .call(Method::GET, "/account", &headers, "")
                .await
                .status,
            StatusCode::SEE_OTHER,
            "{cookies:?}"
        );
    }
    let mut browser = app.browser();
    let mut request = browser
        .request(Method::GET, "/api/v1/users/me")
        .body(axum::body::Body::empty())
        .unwrap();
    let bytes = [format!("{good}; x=").as_bytes(), b"\xff\xfe"].concat();
    request.headers_mut().insert(
        "cookie",
        axum::http::HeaderValue::from_bytes(&bytes).unwrap(),
    );
    assert_eq!(browser.send(request).await.status, StatusCode::UNAUTHORIZED);
    for parameter in [NAME, "access_token", "token", "jwt"] {
        assert_eq!(
            app.browser()
                .call(
                    Method::GET,
                    &format!("/api/v1/users/me?{parameter}={token}"),
                    &[],
                    ""
                )
                .await
                .status,
            StatusCode::UNAUTHORIZED
        );
    }
    let beside_others = format!("theme=dark; {good}; lang=en");
    assert_eq!(
        app.browser()
            .call(
                Method::GET,
                "/api/v1/users/me",
                &[("cookie", &beside_others)],
                ""
            )
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_bearer_token_opens_the_contract_and_no_page() {
    let app = App::new().await;
    let (_, token) = ada(&app).await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let bearer = [("authorization", &*format!("{scheme} {token}"))];
        assert_eq!(
            app.browser()
                .call(Method::GET, "/api/v1/users/me", &bearer, "")
                .await
                .status,
            StatusCode::OK
        );
        let page = app
            .browser()
            .call(Method::GET, "/account", &bearer, "")
            .await;
        assert_eq!(
            page.location().as_deref(),
            Some("/login?return_to=%2Faccount")
        );
    }
}

#[tokio::test]
async fn a_bad_bearer_token_never_falls_back_to_a_good_cookie() {
    let app = App::new().await;
    let (mut browser, token) = ada(&app).await;
    for value in [
        "Bearer x",
        "Bearer x.y.z",
        "bearer nonsense",
        "Bearer  ",
        "Bearer ",
        "Bearer",
        &format!("Bearer {token}x"),
        "Bearer\tx",
    ] {
        let page = browser
            .call(
                Method::GET,
                "/api/v1/users/me",
                &[("authorization", value)],
                "",
            )
            .await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{value:?}");
    }
    let page = browser
        .call(
            Method::GET,
            "/api/v1/users/me",
            &[("authorization", "Basic YTpi")],
            "",
        )
        .await;
    assert_eq!(
        page.status,
        StatusCode::OK,
        "another scheme is somebody else's business"
    );
}

#[tokio::test]
async fn without_a_database_nobody_is_logged_in_and_nobody_logged_out() {
    let app = App::new().await;
    let setup = format!("/setup?token={}", app.state.tokens.sign_setup(60).unwrap());
    let (mut browser, token) = ada(&app).await;
    app.state.db.clone().close().await.unwrap();
    app.pass(1);
    let bearer = format!("Bearer {token}");
    let form = &[
        ("email", "ada@example.org"),
        ("username", "ada@example.org"),
        ("password", PASSWORD),
    ][..];
    for page in [
        browser.call(Method::GET, "/account", &[], "").await,
        browser.call(Method::GET, "/login", &[], "").await,
        browser.call(Method::GET, "/api/v1/users/me", &[], "").await,
        browser.post_form("/logout", &[]).await,
        browser.post_form("/api/v1/auth/cookie/logout", &[]).await,
        app.browser()
            .call(
                Method::GET,
                "/api/v1/users/me",
                &[("authorization", &bearer)],
                "",
            )
            .await,
        app.browser().post_form("/login", form).await,
        app.browser()
            .post_form("/api/v1/auth/cookie/login", form)
            .await,
        app.browser()
            .post_form("/api/v1/auth/jwt/login", form)
            .await,
        app.browser().get(&setup).await,
        app.browser().get("/readyz").await,
    ] {
        assert_eq!(
            (page.status, page.header("set-cookie")),
            (StatusCode::SERVICE_UNAVAILABLE, None),
            "{}",
            page.path
        );
        assert!(!page.body.is_empty(), "{}", page.path);
        assert!(
            !page.body.to_lowercase().contains("sql") && !page.body.contains("pool"),
            "{}: nothing of the library",
            page.path
        );
    }
    assert_eq!(app.browser().get("/livez").await.status, StatusCode::OK);
}

#[tokio::test]
async fn without_a_database_the_setup_link_is_not_blamed() {
    let app = App::new().await;
    let path = app.setup_path().await.unwrap();
    app.state.db.clone().close().await.unwrap();
    let page = app.browser().get(&path).await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "Try again soon")
    );
    assert!(page.header("retry-after").is_some());
}
