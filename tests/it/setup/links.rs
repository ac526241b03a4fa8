//! The setup link: single use, short-lived, and never in a redirect.

use axum::http::{Method, StatusCode, header};
use jsonwebtoken::{EncodingKey, Header, encode};
use mediamanager_auth::server::crypto::{random, tokens::Purpose};
use serde_json::json;

use super::{BUTTON, is_refused, token_of};
use crate::support::{App, Browser, PASSWORD, Page, TOKEN_SECRET};

async fn set_up(browser: &mut Browser, path: &str, email: &str) -> Page {
    let page = browser.get(path).await;
    browser
        .submit(&page, BUTTON, &[("email", email), ("password", PASSWORD)])
        .await
}

#[tokio::test]
async fn a_setup_link_works_once() {
    let app = App::new().await;
    let path = app.setup_path().await.unwrap();
    assert_eq!(
        set_up(&mut app.browser(), &path, "ada@example.org")
            .await
            .path,
        "/account"
    );
    is_refused(&app, &path, StatusCode::CONFLICT, "Setup is done").await;
    is_refused(&app, "/setup", StatusCode::CONFLICT, "Setup is done").await;
    let page = app.browser().get(&path).await;
    assert_eq!(
        page.attribute("main a", "href").as_deref(),
        Some("/login"),
        "no dead end"
    );
}

#[tokio::test]
async fn a_setup_link_ends_after_a_day() {
    let app = App::new().await;
    let path = app.setup_path().await.unwrap();
    app.pass(86_390);
    assert_eq!(app.browser().get(&path).await.status, StatusCode::OK);
    app.pass(10);
    is_refused(&app, &path, StatusCode::GONE, "Open the setup link").await;
    let newer = app.setup_path().await.unwrap();
    assert_eq!(
        set_up(&mut app.browser(), &newer, "ada@example.org")
            .await
            .path,
        "/account"
    );
}

#[tokio::test]
async fn a_damaged_or_missing_setup_token_opens_nothing() {
    let app = App::new().await;
    let path = app.setup_path().await.unwrap();
    let token = token_of(&path);
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("{token}")
    };
    for damaged in [
        String::new(),
        "x".to_owned(),
        "..".to_owned(),
        token[1..].to_owned(),
        token[..token.len() - 4].to_owned(),
        format!("{token}A"),
        token.to_ascii_uppercase(),
        format!("{header}.{claims}."),
        format!("{header}.{claims}"),
        format!("{claims}.{header}.{signature}"),
        format!(
            "{header}.{claims}.{}",
            signature.chars().rev().collect::<String>()
        ),
        "%00%ff".to_owned(),
    ] {
        is_refused(
            &app,
            &format!("/setup?token={damaged}"),
            StatusCode::GONE,
            "Open the setup link",
        )
        .await;
    }
    is_refused(&app, "/setup", StatusCode::GONE, "Open the setup link").await;
    assert!(
        app.browser()
            .get("/setup")
            .await
            .body
            .contains("user create --admin"),
        "says what to do instead"
    );
}

#[tokio::test]
async fn a_token_for_something_else_is_no_setup_token() {
    let app = App::new().await;
    let now = app.state.clock.now();
    let (session, _) = app
        .state
        .tokens
        .sign_session(random::uuid(), random::uuid(), 86_400)
        .unwrap();
    // Valid except for the key: the session key signs nothing else.
    let claims = json!({ "aud": ["mediamanager-auth:setup"], "iat": now, "exp": now + 60 });
    let forged = encode(
        &Header::default(),
        &claims,
        &EncodingKey::from_secret(TOKEN_SECRET.as_bytes()),
    )
    .unwrap();
    let purposes = [
        Purpose::Reset,
        Purpose::AdminReset,
        Purpose::Invitation,
        Purpose::EmailVerification,
        Purpose::EmailChange,
    ];
    let links = purposes.map(|purpose| {
        app.state
            .tokens
            .sign_link(purpose, random::uuid(), "x", 600)
            .unwrap()
    });
    for token in [session, forged].into_iter().chain(links) {
        is_refused(
            &app,
            &format!("/setup?token={token}"),
            StatusCode::GONE,
            "Open the setup link",
        )
        .await;
    }
}

#[tokio::test]
async fn a_link_of_before_a_restart_still_works() {
    let app = App::new().await;
    let path = app.setup_path().await.unwrap();
    let mut restarted = Browser::new(app.another("").await);
    assert_eq!(
        set_up(&mut restarted, &path, "ada@example.org").await.path,
        "/account"
    );
    is_refused(&app, &path, StatusCode::CONFLICT, "Setup is done").await;
}

#[tokio::test]
async fn the_setup_token_is_in_no_redirect_and_reading_does_not_use_it_up() {
    let app = App::new().await;
    let path = app.setup_path().await.unwrap();
    let token = token_of(&path);
    let mut browser = app.browser();
    for other in [
        path.clone(),
        format!("{path}&__err=x&__path=y"),
        format!("/?token={token}"),
        format!("/account?token={token}"),
        format!("/setup/?token={token}"),
        format!("//setup?token={token}&__err=x"),
        format!("/setup/link?token={token}"),
        format!("/login?token={token}"),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let page = browser.call(method, &other, &[], "").await;
            let target = page.location().unwrap_or_default();
            assert!(!target.contains(token), "{other}: {target}");
        }
    }
    let page = browser.get(&path).await;
    let answer = browser
        .submit_only(
            &page,
            BUTTON,
            &[("email", "ada@example.org"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(answer.location().as_deref(), Some("/account"));
    assert!(
        !answer
            .headers
            .values()
            .any(|value| value.to_str().unwrap().contains(token))
    );
    assert_eq!(
        answer.header(header::REFERRER_POLICY.as_str()),
        Some("same-origin")
    );
    let page = browser.call(Method::GET, &path, &[], "").await;
    assert_eq!(
        (page.status, page.location()),
        (StatusCode::CONFLICT, None),
        "nor for somebody who is logged in"
    );
}
