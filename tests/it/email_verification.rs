//! Verifying an email address, which does not approve the user (SR-037, SR-039).

use axum::http::{Method, StatusCode};
use mediamanager_auth::server::flows::users::Role;
use serde_json::json;

use crate::support::{App, Browser, PASSWORD, SMTP};

mod links;

/// A user after sign-up and login, and the link from the mail.
async fn ada() -> (App, Browser, String) {
    let app = App::with(SMTP).await;
    let mut browser = app.browser();
    let page = browser.get("/login/signup").await;
    browser
        .submit(
            &page,
            "Create account",
            &[("email", "ada@example.org"), ("password", PASSWORD)],
        )
        .await;
    let link = app.mail().await.link();
    assert_eq!(
        browser.log_in("ada@example.org", PASSWORD).await.path,
        "/login/verify"
    );
    (app, browser, link)
}

async fn is_proven(app: &App) -> bool {
    app.count("SELECT count(*) FROM auth_user_account WHERE email_verified_at IS NOT NULL")
        .await
        == 1
}

#[tokio::test]
async fn the_link_proves_the_address_and_approves_nobody() {
    let (app, mut browser, link) = ada().await;
    let page = browser.get(&link).await;
    assert_eq!(page.heading(), "Confirm your address");
    assert!(!is_proven(&app).await, "reading proves nothing");
    let page = browser.submit(&page, "Confirm the address", &[]).await;
    assert_eq!(page.path, "/login/verify?notice=email_verified");
    assert!(is_proven(&app).await);
    assert_eq!(
        app.count("SELECT count(*) FROM \"user\" WHERE is_verified")
            .await,
        0,
        "nobody approves themselves"
    );
    let page = browser.get(&link).await;
    assert_eq!(
        browser.submit(&page, "Confirm the address", &[]).await.path,
        "/login/verify?notice=email_verified",
        "twice is no harm"
    );
}

#[tokio::test]
async fn the_contract_proves_addresses_too() {
    let (app, mut browser, link) = ada().await;
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    for email in ["ada@example.org", "nobody@example.org"] {
        let answer = browser
            .call(
                Method::POST,
                "/api/v1/auth/request-verify-token",
                &headers,
                &json!({ "email": email }).to_string(),
            )
            .await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (StatusCode::ACCEPTED, "null")
        );
    }
    assert_eq!(
        app.mail().await.subject,
        "Confirm your address for MediaManager"
    );
    let token = link.split("token=").nth(1).unwrap();
    let answer = browser
        .call(
            Method::POST,
            "/api/v1/auth/verify",
            &headers,
            &json!({ "token": token }).to_string(),
        )
        .await;
    assert_eq!(
        (answer.status, answer.json()["is_verified"].clone()),
        (StatusCode::OK, json!(false))
    );
    assert!(is_proven(&app).await);
    let again = browser
        .call(
            Method::POST,
            "/api/v1/auth/verify",
            &headers,
            &json!({ "token": token }).to_string(),
        )
        .await;
    assert_eq!(
        (again.status, again.json()["detail"].as_str()),
        (
            StatusCode::BAD_REQUEST,
            Some("VERIFY_USER_ALREADY_VERIFIED")
        )
    );
    browser
        .call(
            Method::POST,
            "/api/v1/auth/request-verify-token",
            &headers,
            r#"{"email":"ada@example.org"}"#,
        )
        .await;
    assert_eq!(
        app.mails()
            .await
            .iter()
            .filter(|mail| mail.to == "ada@example.org")
            .count(),
        0,
        "there is nothing left to prove"
    );
}

#[tokio::test]
async fn the_mail_can_be_sent_again_from_the_waiting_page() {
    let (app, mut browser, _) = ada().await;
    let page = browser.get("/login/verify").await;
    let page = browser.submit(&page, "Send the mail again", &[]).await;
    assert!(
        page.text("[role=status]")
            .unwrap()
            .contains("We have sent a mail")
    );
    let link = app.mail().await.link();
    let page = browser.get(&link).await;
    browser.submit(&page, "Confirm the address", &[]).await;
    assert!(is_proven(&app).await);
    assert!(
        !browser
            .get("/login/verify")
            .await
            .body
            .contains("Send the mail again"),
        "there is nothing left to prove"
    );
    assert_eq!(
        app.browser().post_form("/login/verify", &[]).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn asking_without_end_is_answered_beside_the_button() {
    let (_app, mut browser, _) = ada().await;
    let page = browser.get("/login/verify").await;
    let mut last = None;
    for _ in 0..11 {
        last = Some(browser.submit(&page, "Send the mail again", &[]).await);
    }
    let last = last.unwrap();
    assert_eq!(
        (last.status, last.heading().as_str()),
        (StatusCode::TOO_MANY_REQUESTS, "Waiting for approval")
    );
    assert!(
        last.text("[role=alert]")
            .unwrap()
            .contains("Too many attempts")
    );
}

#[tokio::test]
async fn administrators_are_told_that_somebody_waits_once_an_hour() {
    let app = App::with(SMTP).await;
    app.user("boss@example.org", Role::Administrator).await;
    let confirm = async |email: &str| {
        let mut browser = app.browser();
        let page = browser.get("/login/signup").await;
        browser
            .submit(
                &page,
                "Create account",
                &[("email", email), ("password", PASSWORD)],
            )
            .await;
        let mails = app.mails().await;
        let link = mails.iter().find(|mail| mail.to == email).unwrap().link();
        browser.log_in(email, PASSWORD).await;
        let page = browser.get(&link).await;
        browser.submit(&page, "Confirm the address", &[]).await;
        app.mails().await
    };
    let told = confirm("ada@example.org").await;
    assert_eq!(
        (told.len(), told[0].to.as_str(), told[0].subject.as_str()),
        (
            1,
            "boss@example.org",
            "Somebody waits for approval at MediaManager"
        )
    );
    assert!(
        !told[0].text.contains("ada@example.org"),
        "who, is for the list of users"
    );
    assert_eq!(confirm("eve@example.org").await.len(), 0);
    assert_eq!(confirm("bob@example.org").await.len(), 0);
    app.pass(3601);
    assert_eq!(
        app.mails().await.len(),
        1,
        "whoever came in between is announced, together, when the hour is over"
    );
}

#[tokio::test]
async fn somebody_approved_before_they_confirmed_can_still_confirm() {
    let (app, mut browser, _) = ada().await;
    app.sql("UPDATE \"user\" SET is_verified = true").await;
    let account = browser.get("/account").await;
    assert_eq!(
        account
            .attribute("main a[href='/login/verify']", "href")
            .as_deref(),
        Some("/login/verify")
    );
    let page = browser.get("/login/verify").await;
    assert_eq!(page.heading(), "Confirm your address");
    let page = browser.submit(&page, "Send the mail", &[]).await;
    assert_eq!(
        (page.path.as_str(), page.heading().as_str()),
        (
            "/login/verify?notice=verification_sent",
            "Confirm your address"
        )
    );
    let page = browser.get(&app.mail().await.link()).await;
    assert_eq!(
        browser.submit(&page, "Confirm the address", &[]).await.path,
        "/account?notice=email_verified"
    );
    assert!(!browser.get("/account").await.body.contains("Confirm it"));
    assert_eq!(
        browser.get("/login/verify").await.path,
        "/account",
        "there is nothing left to do there"
    );
}

#[tokio::test]
async fn without_mail_nobody_is_sent_to_a_page_that_cannot_help() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    app.sql("UPDATE auth_user_account SET email_verified_at = NULL")
        .await;
    let mut browser = app.browser();
    assert!(
        !browser
            .log_in("ada@example.org", PASSWORD)
            .await
            .body
            .contains("/login/verify")
    );
    assert_eq!(browser.get("/login/verify").await.path, "/account");
}
