//! The verification link: who may use it, and what invalidates it (SR-037, SR-039).

use axum::http::{Method, StatusCode};
use mediamanager_auth::server::crypto::tokens::Purpose;
use serde_json::json;

use super::{ada, is_proven};
use crate::support::PASSWORD;

#[tokio::test]
async fn whoever_is_not_logged_in_is_asked_to_be_first() {
    let (app, _, link) = ada().await;
    let mut browser = app.browser();
    let page = browser.get(&link).await;
    assert!(page.path.starts_with("/login?return_to="), "{}", page.path);
    let page = browser
        .submit(
            &page,
            "Log in",
            &[("email", "ada@example.org"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(
        page.heading(),
        "Confirm your address",
        "and then goes on to where the link leads"
    );
    assert_eq!(
        browser.submit(&page, "Confirm the address", &[]).await.path,
        "/login/verify?notice=email_verified"
    );
}

#[tokio::test]
async fn the_token_leaves_the_address_and_is_in_no_page() {
    let (app, mut browser, link) = ada().await;
    let token = link.split("token=").nth(1).unwrap().to_owned();
    let mut elsewhere = app.browser();
    for browser in [&mut browser, &mut elsewhere] {
        let answer = browser.call(Method::GET, &link, &[], "").await;
        assert_eq!(
            (answer.status, answer.location().as_deref()),
            (StatusCode::SEE_OTHER, Some("/account/confirm"))
        );
        let cookie = answer.header("set-cookie").unwrap();
        assert!(
            cookie.contains("HttpOnly")
                && cookie.contains("SameSite=Lax")
                && !cookie.contains(&token),
            "{cookie}"
        );
    }
    let page = elsewhere.get("/account/confirm").await;
    assert_eq!(
        page.path, "/login?return_to=%2Faccount%2Fconfirm",
        "nor in the address of the login page"
    );
    assert!(!page.body.contains(&token));
    let page = browser.get("/account/confirm").await;
    assert!(
        page.heading() == "Confirm your address" && !page.body.contains(&token),
        "{}",
        page.body
    );
    browser.submit(&page, "Confirm the address", &[]).await;
    assert!(is_proven(&app).await);
    assert_eq!(
        browser
            .cookie_names()
            .filter(|name| !name.starts_with("device-"))
            .collect::<Vec<_>>(),
        ["fastapiusersauth", "notice"],
        "used, it goes"
    );
    assert_eq!(
        browser
            .submit(&page, "Confirm the address", &[])
            .await
            .status,
        StatusCode::GONE
    );
}

#[tokio::test]
async fn a_click_on_a_strangers_mail_makes_their_account_nobodys_own() {
    // Eve registers Ada's address with a password of her own. Ada, who has another account, opens
    // the link in the mail.
    let (app, _, link) = ada().await;
    app.member("real@example.org").await;
    let mut browser = app.browser();
    browser.log_in("real@example.org", PASSWORD).await;
    let page = browser.get(&link).await;
    let page = browser.submit(&page, "Confirm the address", &[]).await;
    assert_eq!(page.status, StatusCode::GONE);
    assert!(
        page.body
            .contains("not valid for the account that is logged in")
    );
    let token = link.split("token=").nth(1).unwrap();
    let body = json!({ "token": token }).to_string();
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    let answer = browser
        .call(Method::POST, "/api/v1/auth/verify", &headers, &body)
        .await;
    assert_eq!(
        (answer.status, answer.json()["detail"].as_str()),
        (StatusCode::BAD_REQUEST, Some("VERIFY_USER_BAD_TOKEN"))
    );
    assert_eq!(
        app.browser()
            .call(Method::POST, "/api/v1/auth/verify", &headers, &body)
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        app.count("SELECT count(*) FROM auth_user_account WHERE email_verified_at IS NOT NULL")
            .await,
        1,
        "only the real one's"
    );
}

#[tokio::test]
async fn a_link_dies_with_its_address_its_time_and_for_other_purposes() {
    let (app, mut browser, link) = ada().await;
    let user = app.member("other@example.org").await;
    let ids = app
        .state
        .tokens
        .sign_link(
            Purpose::EmailVerification,
            user.id,
            "other@example.org",
            600,
        )
        .unwrap();
    let reset = app
        .state
        .tokens
        .sign_link(Purpose::Reset, user.id, "ada@example.org", 600)
        .unwrap();
    let good = link.split("token=").nth(1).unwrap().to_owned();
    for token in [ids.as_str(), &reset, "x", ""] {
        let page = browser
            .get(&format!("/account/confirm?token={token}"))
            .await;
        assert_eq!(
            browser
                .submit(&page, "Confirm the address", &[])
                .await
                .status,
            StatusCode::GONE
        );
    }
    app.sql("UPDATE \"user\" SET email = 'new@example.org' WHERE email = 'ada@example.org'")
        .await;
    let page = browser.get(&format!("/account/confirm?token={good}")).await;
    assert_eq!(
        browser
            .submit(&page, "Confirm the address", &[])
            .await
            .status,
        StatusCode::GONE,
        "it was for the old address"
    );
    let (app, mut browser, link) = ada().await;
    app.pass(86_400);
    browser.log_in("ada@example.org", PASSWORD).await;
    let page = browser.get(&link).await;
    assert_eq!(
        browser
            .submit(&page, "Confirm the address", &[])
            .await
            .status,
        StatusCode::GONE,
        "a day is over"
    );
}
