//! Reset links revoke credentials of a squatter who created the account before the owner came
//! (SR-037); reset links of an administrator.

use crate::support::{Account, App, Household, PASSWORD, SMTP};
use axum::http::{Method, StatusCode};
use mediamanager_auth::{
    domain::Email,
    server::{
        crypto::tokens::Purpose,
        flows::{Ctx, password_reset, users::Role},
        web::cookies,
    },
};

const NEW: &str = "copper lantern meadow 4";

/// Opens a link and sets the new password; returns the path afterwards.
async fn set(app: &App, link: &str) -> String {
    let mut browser = app.browser();
    let page = browser.get(link).await;
    browser
        .submit(&page, "Set password", &[("password", NEW)])
        .await
        .path
}

#[tokio::test]
async fn the_operator_hands_over_a_link_without_any_mail() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let email = |text| Email::parse(text).unwrap();
    assert!(
        password_reset::create_reset_link_by_email(
            &Ctx::cli(&app.state),
            &email("nobody@example.org")
        )
        .await
        .unwrap()
        .is_none()
    );
    let link = password_reset::create_reset_link_by_email(
        &Ctx::cli(&app.state),
        &email("ada@example.org"),
    )
    .await
    .unwrap()
    .unwrap()
    .link;
    let link = link.strip_prefix("http://localhost:8000").unwrap();
    assert_eq!(set(&app, link).await, "/login?notice=password_reset");
    assert_eq!(
        app.browser().log_in("ada@example.org", NEW).await.path,
        "/account"
    );
    assert_eq!(app.browser().get(link).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn a_handed_over_link_leaves_a_stranger_nothing() {
    let home = Household::new().await;
    home.app.member("ada@example.org").await;
    home.app
        .sql("UPDATE auth_user_account SET email_verified_at = NULL")
        .await;
    let strangers = Account {
        subject: "stranger".into(),
        ..Account::unconfirmed("ada@example.org")
    };
    let mut stranger = home.app.browser();
    let page = home.log_in(&mut stranger, &strangers).await;
    stranger
        .submit(&page, "Connect and log in", &[("password", PASSWORD)])
        .await;
    let link = password_reset::create_reset_link_by_email(
        &Ctx::cli(&home.app.state),
        &Email::parse("ada@example.org").unwrap(),
    )
    .await
    .unwrap()
    .unwrap()
    .link;
    set(
        &home.app,
        link.strip_prefix("http://localhost:8000").unwrap(),
    )
    .await;
    assert_eq!(
        home.log_in(&mut home.app.browser(), &strangers).await.path,
        "/login/connect"
    );
}

#[tokio::test]
async fn the_owner_who_proves_the_mailbox_finds_nothing_of_a_stranger() {
    let home = Household::with(&format!("auth.email_password_resets = true\n{SMTP}")).await;
    home.app.member("ada@example.org").await;
    home.app
        .sql("UPDATE auth_user_account SET email_verified_at = NULL")
        .await;
    // The stranger has linked a provider account of their own, with the password they chose.
    let strangers = Account {
        subject: "stranger".into(),
        ..Account::unconfirmed("ada@example.org")
    };
    let mut stranger = home.app.browser();
    let page = home.log_in(&mut stranger, &strangers).await;
    assert_eq!(
        stranger
            .submit(&page, "Connect and log in", &[("password", PASSWORD)])
            .await
            .path,
        "/account"
    );
    home.app
        .browser()
        .post_form("/login/forgot-password", &[("email", "ada@example.org")])
        .await;
    let link = home.app.mail().await.link();
    assert_eq!(set(&home.app, &link).await, "/login?notice=password_reset");
    assert_eq!(
        stranger.get("/account").await.path,
        "/login?return_to=%2Faccount"
    );
    assert_eq!(
        home.log_in(&mut home.app.browser(), &strangers).await.path,
        "/login/connect",
        "the link at the provider is void"
    );
}

#[tokio::test]
async fn the_token_of_a_link_opens_no_session() {
    let app = App::new().await;
    let ada = app.user("ada@example.org", Role::Administrator).await;
    let setup = app.state.tokens.sign_setup(600).unwrap();
    let purposes = [
        Purpose::Reset,
        Purpose::AdminReset,
        Purpose::Invitation,
        Purpose::EmailVerification,
        Purpose::EmailChange,
    ];
    for token in purposes
        .map(|purpose| {
            app.state
                .tokens
                .sign_link(purpose, ada.id, &ada.email, 600)
                .unwrap()
        })
        .into_iter()
        .chain([setup])
    {
        let bearer = [("authorization", &*format!("Bearer {token}"))];
        assert_eq!(
            app.browser()
                .call(Method::GET, "/api/v1/users/me", &bearer, "")
                .await
                .status,
            StatusCode::UNAUTHORIZED
        );
        let mut browser = app.browser();
        browser.set_cookie("fastapiusersauth", &token);
        assert_eq!(
            browser.get("/account").await.path,
            "/login?return_to=%2Faccount"
        );
    }
}

#[tokio::test]
async fn what_is_sealed_for_one_cookie_opens_under_no_other_name() {
    let app = App::new().await;
    app.user("ada@example.org", Role::Administrator).await;
    let link = password_reset::create_reset_link_by_email(
        &Ctx::cli(&app.state),
        &Email::parse("ada@example.org").unwrap(),
    )
    .await
    .unwrap()
    .unwrap()
    .link;
    let link = link.strip_prefix("http://localhost:8000").unwrap();
    let mut ada = app.browser();
    ada.log_in("ada@example.org", PASSWORD).await;
    ada.get(link).await;
    let sealed = ada.cookie("reset-link").unwrap().to_owned();
    ada.set_cookie("one-time-link", &sealed);
    assert_eq!(
        ada.get("/users/link").await.status,
        StatusCode::NOT_FOUND,
        "it would show an administrator what a stranger has written"
    );
    // Both directions, with a value that each page would accept: the one-time link that a page
    // shows is no token, even under the other cookie's name.
    let key = app.state.tokens.link_cookie_key();
    let token = link.split("token=").nth(1).unwrap();
    for (name, status) in [
        ("one-time-link", StatusCode::GONE),
        ("reset-link", StatusCode::OK),
    ] {
        let cookie = cookies::seal(
            &app.state.config,
            key,
            name,
            &serde_json::json!(token).to_string(),
            60,
        )
        .unwrap();
        let mut browser = app.browser();
        browser.set_cookie(
            "reset-link",
            cookie
                .to_str()
                .unwrap()
                .split(';')
                .next()
                .unwrap()
                .split_once('=')
                .unwrap()
                .1,
        );
        assert_eq!(
            browser.get("/login/reset-password").await.status,
            status,
            "{name}"
        );
    }
}
