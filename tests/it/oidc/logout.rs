//! Logout at the provider, and back-channel logout by the provider.

use crate::support::{Account, Browser, Household, PASSWORD, Page, provider::CLIENT_ID};
use axum::http::{Method, StatusCode};
use mediamanager_auth::server::{clock::Clock, crypto::random, db};
use serde_json::{Value, json};

mod at_the_provider;
mod tokens;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

fn ada() -> Account {
    Account::confirmed("ada@example.org")
}

async fn logged_in(home: &Household, account: &Account) -> Browser {
    let mut browser = home.app.browser();
    assert_eq!(home.log_in(&mut browser, account).await.path, "/account");
    browser
}

async fn is_in(browser: &mut Browser) -> bool {
    browser.get("/account").await.path == "/account"
}

/// The claims of a valid logout token.
fn claims(home: &Household) -> Value {
    let now = Clock::System.now();
    json!({ "iss": home.provider.origin(), "aud": CLIENT_ID, "iat": now, "exp": now + 120, "jti": random::uuid(), "sub": ada().subject, "events": { EVENT: {} } })
}

async fn send(home: &Household, token: &str) -> Page {
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("logout_token", token)
        .finish();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    home.app
        .browser()
        .call(
            Method::POST,
            "/api/v1/auth/oidc/backchannel-logout",
            &headers,
            &body,
        )
        .await
}

#[tokio::test]
async fn logging_out_ends_here_and_offers_to_log_out_there_too() {
    let home = Household::new().await;
    let mut browser = logged_in(&home, &ada()).await;
    let page = browser.get("/account").await;
    let page = browser.submit(&page, "Log out", &[]).await;
    assert_eq!(
        page.text("[role=status]").as_deref(),
        Some("You are logged out.")
    );
    assert_eq!(
        page.text("a.button").as_deref(),
        Some("Also log out of Über ID 100%")
    );
    let href = page.attribute("a.button", "href").unwrap();
    let expected = format!(
        "{}/logout?client_id=media+manager%2F%C3%A4&id_token_hint=eyJ",
        home.provider.origin()
    );
    assert!(href.starts_with(&expected), "{href}");
    let back = "&post_logout_redirect_uri=http%3A%2F%2Flocalhost%3A8000%2Flogin";
    assert!(href.ends_with(back), "{href}");
    assert!(!is_in(&mut browser).await);
}

#[tokio::test]
async fn logging_out_of_a_password_session_says_nothing_of_the_provider() {
    let home = Household::new().await;
    home.app.member("ada@example.org").await;
    home.app
        .state
        .providers
        .first()
        .unwrap()
        .current_metadata()
        .await
        .unwrap();
    let mut browser = home.app.browser();
    let page = browser.log_in("ada@example.org", PASSWORD).await;
    let page = browser.submit(&page, "Log out", &[]).await;
    assert_eq!(
        page.text("a.button").as_deref(),
        Some("Continue with Über ID 100%")
    );
}

#[tokio::test]
async fn a_provider_without_a_logout_is_not_offered_one() {
    let home = Household::new().await;
    home.provider.twist("metadata", |metadata| {
        drop(
            metadata
                .as_object_mut()
                .unwrap()
                .remove("end_session_endpoint"),
        )
    });
    let mut browser = logged_in(&home, &ada()).await;
    let page = browser.get("/account").await;
    let page = browser.submit(&page, "Log out", &[]).await;
    assert!(!page.body.contains("Also log out"), "{}", page.body);
}

#[tokio::test]
async fn the_provider_ends_the_sessions_of_a_person_and_nobody_elses() {
    let home = Household::new().await;
    let (mut first, mut second) = (
        logged_in(&home, &ada()).await,
        logged_in(&home, &ada()).await,
    );
    let mut eve = logged_in(&home, &Account::confirmed("eve@example.org")).await;
    home.app.member("by-password@example.org").await;
    let mut other = home.app.browser();
    other.log_in("by-password@example.org", PASSWORD).await;
    let answer = send(&home, &home.provider.sign(claims(&home), "logout+jwt")).await;
    assert_eq!(
        (answer.status, answer.header("cache-control")),
        (StatusCode::OK, Some("no-store")),
        "{}",
        answer.body
    );
    assert!(!is_in(&mut first).await && !is_in(&mut second).await);
    assert!(is_in(&mut eve).await && is_in(&mut other).await);
    let again = send(&home, &home.provider.sign(claims(&home), "JWT")).await;
    assert_eq!(
        again.status,
        StatusCode::OK,
        "nothing left to end is fine too"
    );
}

#[tokio::test]
async fn the_provider_ends_one_of_its_sessions() {
    let home = Household::new().await;
    home.provider
        .twist("claims", |claims| claims["sid"] = "desk".into());
    let mut desk = logged_in(&home, &ada()).await;
    home.provider
        .twist("claims", |claims| claims["sid"] = "phone".into());
    let mut phone = logged_in(&home, &ada()).await;
    home.provider.is_good_again();
    let mut by_session = claims(&home);
    by_session["sid"] = "desk".into();
    by_session.as_object_mut().unwrap().remove("sub");
    assert_eq!(
        send(&home, &home.provider.sign(by_session, "logout+jwt"))
            .await
            .status,
        StatusCode::OK
    );
    assert!(!is_in(&mut desk).await && is_in(&mut phone).await);
    let mut of_somebody_else = claims(&home);
    of_somebody_else["sid"] = "phone".into();
    of_somebody_else["sub"] = "somebody else".into();
    assert_eq!(
        send(&home, &home.provider.sign(of_somebody_else, "logout+jwt"))
            .await
            .status,
        StatusCode::OK
    );
    assert!(is_in(&mut phone).await, "both must fit");
}

#[tokio::test]
async fn a_session_whose_number_the_provider_never_said_ends_with_the_person() {
    let home = Household::new().await;
    home.provider.twist("claims", |claims| {
        drop(claims.as_object_mut().unwrap().remove("sid"))
    });
    let mut browser = logged_in(&home, &ada()).await;
    home.provider.is_good_again();
    let mut both = claims(&home);
    both["sid"] = "desk".into();
    assert_eq!(
        send(&home, &home.provider.sign(both, "logout+jwt"))
            .await
            .status,
        StatusCode::OK
    );
    assert!(!is_in(&mut browser).await);
}

#[tokio::test]
async fn a_logout_token_is_used_once() {
    let home = Household::new().await;
    let token = home.provider.sign(claims(&home), "logout+jwt");
    assert_eq!(send(&home, &token).await.status, StatusCode::OK);
    let mut browser = logged_in(&home, &ada()).await;
    let answer = send(&home, &token).await;
    assert_eq!(
        (answer.status, answer.json()["error"].as_str()),
        (StatusCode::BAD_REQUEST, Some("invalid_request"))
    );
    assert!(is_in(&mut browser).await);
}

#[tokio::test]
async fn a_used_logout_token_stays_used_when_the_clock_goes_forward_and_back() {
    let home = Household::new().await;
    let token = home.provider.sign(claims(&home), "logout+jwt");
    assert_eq!(send(&home, &token).await.status, StatusCode::OK);
    let purge = async || {
        db::used_tokens::purge(&home.app.state.db, home.app.state.clock.now())
            .await
            .unwrap()
    };
    home.app.pass(3600);
    assert_eq!(purge().await, 0);
    home.app.pass(-3600);
    assert_eq!(send(&home, &token).await.status, StatusCode::BAD_REQUEST);
    home.app.pass(25 * 3600);
    assert_eq!(
        purge().await,
        2,
        "it is forgotten one day, with the logout that it announced"
    );
}

#[tokio::test]
async fn nobody_but_the_provider_can_log_people_out() {
    let home = Household::new().await;
    let mut browser = logged_in(&home, &ada()).await;
    let now = Clock::System.now();
    type Twist = (&'static str, fn(&mut Value, i64));
    let twists: [Twist; 18] = [
        ("another issuer", |claims, _| {
            claims["iss"] = "https://evil.example".into()
        }),
        ("another audience", |claims, _| {
            claims["aud"] = "somebody else".into()
        }),
        ("a nonce: an ID token", |claims, _| {
            claims["nonce"] = "x".into()
        }),
        ("no event", |claims, _| claims["events"] = json!({})),
        ("an event that is none", |claims, _| {
            claims["events"] = json!({ EVENT: true })
        }),
        ("events that are a list", |claims, _| {
            claims["events"] = json!([EVENT])
        }),
        (
            "another event",
            |claims, _| {
                claims["events"] =
                    json!({ "http://schemas.openid.net/event/frontchannel-logout": {} })
            },
        ),
        ("another authorized party", |claims, _| {
            claims["azp"] = "somebody else".into()
        }),
        ("an audience beside us", |claims, _| {
            claims["aud"] = json!([CLIENT_ID, "somebody else"])
        }),
        ("not valid yet", |claims, now| {
            claims["nbf"] = (now + 70).into()
        }),
        ("a session that is a number", |claims, _| {
            claims["sid"] = 7.into()
        }),
        ("no name", |claims, _| {
            drop(claims.as_object_mut().unwrap().remove("jti"))
        }),
        ("nobody", |claims, _| {
            drop(claims.as_object_mut().unwrap().remove("sub"))
        }),
        ("a subject that is a number", |claims, _| {
            claims["sub"] = 1.into()
        }),
        ("expired", |claims, now| claims["exp"] = (now - 61).into()),
        ("no expiry", |claims, _| {
            drop(claims.as_object_mut().unwrap().remove("exp"))
        }),
        ("from the future", |claims, now| {
            claims["iat"] = (now + 70).into()
        }),
        ("no time of issue", |claims, _| {
            drop(claims.as_object_mut().unwrap().remove("iat"))
        }),
    ];
    for (name, twist) in twists {
        let mut claims = claims(&home);
        twist(&mut claims, now);
        let answer = send(&home, &home.provider.sign(claims, "logout+jwt")).await;
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (StatusCode::BAD_REQUEST, Some("invalid_request")),
            "{name}"
        );
    }
    for key in [
        crate::support::Key::Stranger,
        crate::support::Key::Hs256,
        crate::support::Key::Nothing,
    ] {
        home.provider.knobs().key = key;
        assert_eq!(
            send(&home, &home.provider.sign(claims(&home), "logout+jwt"))
                .await
                .status,
            StatusCode::BAD_REQUEST,
            "{key:?}"
        );
    }
    home.provider.is_good_again();
    assert_eq!(
        send(&home, &home.provider.sign(claims(&home), "at+jwt"))
            .await
            .status,
        StatusCode::BAD_REQUEST,
        "typ"
    );
    for body in [
        "",
        "logout_token=",
        "logout_token=a&logout_token=b",
        "x=y",
        "logout_token=%ff",
    ] {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = home
            .app
            .browser()
            .call(
                Method::POST,
                "/api/v1/auth/oidc/backchannel-logout",
                &headers,
                body,
            )
            .await;
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (StatusCode::BAD_REQUEST, Some("invalid_request")),
            "{body}"
        );
    }
    let from_a_browser = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "cross-site"),
    ];
    let answer = home
        .app
        .browser()
        .call(
            Method::POST,
            "/api/v1/auth/oidc/backchannel-logout",
            &from_a_browser,
            "logout_token=x",
        )
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(is_in(&mut browser).await);
}
