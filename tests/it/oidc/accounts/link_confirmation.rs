//! Confirming with the password that an account and an identity belong together.

use axum::http::StatusCode;
use mediamanager_auth::{
    domain::{AuthError, Password},
    server::flows::{Ctx, login},
};

use super::{ada, details, unproven};
use crate::support::{Account, Household, PASSWORD, app_with_provider};

#[tokio::test]
async fn an_unconfirmed_address_is_proven_once_with_the_password() {
    let home = Household::new().await;
    home.app.member("ada@example.org").await;
    let mut browser = home.app.browser();
    let away =
        app_with_provider::set_out_from(&mut browser, "/login?return_to=%2Faccount%3Ffrom%3Dhere")
            .await;
    let account = Account::unconfirmed("ada@example.org");
    let page = browser.get(&home.provider.answer(&away, &account)).await;
    assert_eq!(
        (page.path.as_str(), page.heading().as_str()),
        ("/login/connect", "An account with this address exists")
    );
    assert_eq!(
        page.attribute("#email", "value").as_deref(),
        Some("ada@example.org")
    );
    assert!(page.attribute("#email", "readonly").is_some());
    assert_eq!(
        details(&home, "link_confirmation_required").await,
        [
            "the provider does not say email_verified: true; let it confirm addresses, or set policy.openid_connect.trust_unverified_email = true if nobody can choose a stranger's address there"
        ]
    );

    let page = browser
        .submit(
            &page,
            "Connect and log in",
            &[("password", "not her password")],
        )
        .await;
    assert_eq!(
        (page.status, page.path.as_str()),
        (StatusCode::UNAUTHORIZED, "/login/connect")
    );
    let page = browser
        .submit(
            &page,
            "Connect and log in",
            &[("email", "eve@example.org"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(
        page.path, "/account?from=here",
        "the address in the form is only for show"
    );
    assert!(page.body.contains("ada@example.org"));

    assert_eq!(
        home.log_in(&mut home.app.browser(), &account).await.path,
        "/account",
        "from now on the provider is enough"
    );
    assert_eq!(
        browser.get("/login/connect").await.status,
        StatusCode::GONE,
        "it was for one use"
    );
}

#[tokio::test]
async fn what_is_pending_ends_after_ten_minutes_and_is_nobodys_without_its_cookie() {
    let home = Household::new().await;
    home.app.member("ada@example.org").await;
    let mut browser = home.app.browser();
    let page = home
        .log_in(&mut browser, &Account::unconfirmed("ada@example.org"))
        .await;
    home.app.pass(600);
    let late = browser
        .submit(&page, "Connect and log in", &[("password", PASSWORD)])
        .await;
    assert_eq!(late.status, StatusCode::GONE);
    assert!(late.body.contains("start again"));
    let strange = home
        .app
        .browser()
        .submit(&page, "Connect and log in", &[("password", PASSWORD)])
        .await;
    assert_eq!(strange.status, StatusCode::GONE);
    assert_eq!(
        home.app.count("SELECT count(*) FROM auth_identity").await,
        0
    );
}

#[tokio::test]
async fn guessing_on_the_connect_page_is_throttled_like_a_login() {
    let home = Household::new().await;
    home.app.member("ada@example.org").await;
    let mut browser = home.app.browser();
    let page = home
        .log_in(&mut browser, &Account::unconfirmed("ada@example.org"))
        .await;
    let mut last = None;
    for _ in 0..12 {
        last = Some(
            browser
                .submit(
                    &page,
                    "Connect and log in",
                    &[("password", "a guess of somebody")],
                )
                .await
                .status,
        );
    }
    assert_eq!(last, Some(StatusCode::TOO_MANY_REQUESTS));
    let elsewhere = home
        .app
        .browser()
        .at("198.51.100.1")
        .log_in("ada@example.org", PASSWORD)
        .await;
    assert_eq!(
        elsewhere.status,
        StatusCode::TOO_MANY_REQUESTS,
        "one budget for both pages"
    );
}

#[tokio::test]
async fn nobody_is_asked_for_a_password_that_never_existed() {
    let home = Household::new().await;
    home.log_in(
        &mut home.app.browser(),
        &Account::unconfirmed("ada@example.org"),
    )
    .await;
    let page = home
        .come_back(&Account {
            subject: "of another issuer".into(),
            ..Account::unconfirmed("ada@example.org")
        })
        .await;
    assert!(
        page.text(".reference")
            .unwrap()
            .contains("login_not_allowed"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn a_password_that_becomes_void_while_it_is_checked_opens_nothing() {
    let home = Household::new().await;
    unproven(&home, "ada@example.org").await;
    let email = mediamanager_auth::domain::Email::parse("ada@example.org").unwrap();
    let attempt = login::PasswordLogin {
        email: Some(email),
        password: Password::parse(PASSWORD.to_owned()).unwrap(),
    };
    let cx = Ctx::cli(&home.app.state);
    let proven = login::verify_password(&cx, attempt).await.unwrap();
    // The owner logs in before the squatter's session starts.
    assert_eq!(
        home.log_in(&mut home.app.browser(), &ada()).await.path,
        "/account"
    );
    assert_eq!(
        login::recheck_credentials(&cx.transaction().await.unwrap(), &proven).await,
        Err(AuthError::BadCredentials)
    );
}
