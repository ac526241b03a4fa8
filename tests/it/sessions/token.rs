//! The session cookie and the JWT inside.

use axum::http::{Method, StatusCode};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use mediamanager_auth::server::crypto::random;
use serde_json::{Value, json};

use super::{ALIVE, DEAD, NAME, ada, cookie_of, logged_in, opens, post_login};
use crate::support::{App, PASSWORD, TOKEN_SECRET};

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

/// The same with a header that names members which the reader has to understand (RFC 7515 §4.1.11).
fn sign_with(claims: &Value, critical: &[&str]) -> String {
    let header = Header {
        crit: Some(critical.iter().map(|name| (*name).to_owned()).collect()),
        ..Header::new(Algorithm::HS256)
    };
    encode(
        &header,
        claims,
        &EncodingKey::from_secret(TOKEN_SECRET.as_bytes()),
    )
    .unwrap()
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
        // Headers about the connection, from a proxy or a client, change nothing.
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
        (
            "issued in an hour",
            with("iat", json!(app.state.clock.now() + 3600)),
        ),
        (
            "issued before the login",
            with("iat", json!(app.state.clock.now() - 3600)),
        ),
        ("critical", sign_with(&genuine, &["exp"])),
        ("nothing critical", sign_with(&genuine, &[])),
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
async fn a_doubtful_cookie_means_nobody() {
    let app = App::new().await;
    let (_, token) = ada(&app).await;
    let good = format!("{NAME}={token}");
    for cookies in [
        vec![format!("{good}; {good}")],
        vec![good.clone(), good.clone()],
        vec![format!("{good}; {NAME}=")],
        vec![format!("{good}; {NAME}")],
        vec![format!("{NAME}; {good}")],
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
    let bytes = [format!("{good}; {NAME}=").as_bytes(), b"\xff\xfe"].concat();
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
