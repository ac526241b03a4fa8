//! A clock that steps an hour forwards and back, as after suspend or a time correction (SR-195).
//! Revoked sessions and used tokens stay so; expiry follows the clock, as in the services that read
//! our tokens.

use axum::http::{Method, StatusCode};
use mediamanager_auth::server::db;
use serde_json::json;

use super::ADA;
use crate::support::{Account, App, Browser, Household, PASSWORD, Page, SMTP, app_with_provider};

const HOUR: i64 = 60 * 60;
const ANOTHER: &str = "copper lantern meadow 4";
const RESETS: &str = "auth.email_password_resets = true\n";
/// Steps forwards and back, and back and forwards, which end at the original time.
const STEPS: [i64; 5] = [HOUR, -HOUR, -HOUR, HOUR, 0];

async fn logged_in(app: &App) -> Browser {
    let mut browser = app.browser();
    assert_eq!(browser.log_in(ADA, PASSWORD).await.path, "/account");
    browser
}

/// The cleanup, which runs every ten minutes.
async fn keep_house(app: &App) {
    let (state, now) = (&app.state, app.state.clock.now());
    db::sessions::purge(&state.db, now).await.unwrap();
    db::rate_limits::purge(&state.db, now).await.unwrap();
    db::used_tokens::purge(&state.db, now).await.unwrap();
    mediamanager_auth::server::flows::events::purge(state)
        .await
        .unwrap();
}

/// Asserts that `holds` is true after each step.
async fn through_all_steps(app: &App, holds: impl AsyncFn()) {
    for step in STEPS {
        app.pass(step);
        keep_house(app).await;
        holds().await;
    }
}

async fn open_link(app: &App, link: &str) -> StatusCode {
    app.browser().get(link).await.status
}

async fn mailed_link(app: &App) -> String {
    app.browser()
        .post_form("/login/forgot-password", &[("email", ADA)])
        .await;
    app.mail().await.link()
}

async fn set_password(app: &App, link: &str, password: &str) -> Page {
    let mut browser = app.browser();
    let page = browser.get(link).await;
    browser
        .submit(&page, "Set password", &[("password", password)])
        .await
}

#[tokio::test]
async fn a_session_that_somebody_has_ended_stays_ended() {
    let app = App::with(&format!("{RESETS}{SMTP}")).await;
    app.member(ADA).await;
    let (mut logged_out, elsewhere, mut ada) = (
        logged_in(&app).await,
        logged_in(&app).await,
        logged_in(&app).await,
    );
    let as_they_were = [logged_out.clone(), elsewhere, ada.clone()];
    logged_out.post_form("/logout", &[]).await;
    let change = json!({ "password": ANOTHER, "current_password": PASSWORD }).to_string();
    assert_eq!(
        ada.call(
            Method::PATCH,
            "/api/v1/users/me",
            &[("content-type", "application/json")],
            &change
        )
        .await
        .status,
        StatusCode::OK
    );
    through_all_steps(&app, async || {
        let mut statuses = Vec::new();
        for mut browser in as_they_were.clone() {
            statuses.push(browser.get("/api/v1/users/me").await.status.as_u16());
        }
        assert_eq!(statuses, [401, 401, 200]);
    })
    .await;
}

#[tokio::test]
async fn a_link_that_was_used_stays_used() {
    let app = App::with(&format!("{RESETS}{SMTP}")).await;
    app.member(ADA).await;
    let (used, beside_it) = (mailed_link(&app).await, mailed_link(&app).await);
    assert_eq!(
        set_password(&app, &used, ANOTHER).await.path,
        "/login?notice=password_reset"
    );
    through_all_steps(&app, async || {
        assert_eq!(
            (
                open_link(&app, &used).await,
                open_link(&app, &beside_it).await
            ),
            (StatusCode::GONE, StatusCode::GONE)
        );
    })
    .await;
    assert_eq!(app.browser().log_in(ADA, ANOTHER).await.path, "/account");
}

#[tokio::test]
async fn a_link_whose_time_is_over_is_no_use_until_the_clock_says_otherwise() {
    let app = App::with(&format!("{RESETS}{SMTP}")).await;
    app.member(ADA).await;
    let link = mailed_link(&app).await;
    app.pass(HOUR);
    assert_eq!(open_link(&app, &link).await, StatusCode::GONE);
    app.pass(-HOUR);
    assert_eq!(
        open_link(&app, &link).await,
        StatusCode::OK,
        "the half hour that was promised is not over"
    );
    app.pass(-HOUR);
    assert_eq!(
        open_link(&app, &link).await,
        StatusCode::OK,
        "a link from the future is one of a clock that was ahead"
    );
}

#[tokio::test]
async fn an_answer_of_the_provider_counts_once_also_when_the_clock_was_ahead_in_between() {
    let home = Household::new().await;
    let account = Account::confirmed(ADA);
    let mut browser = home.app.browser();
    let back = home
        .provider
        .answer(&app_with_provider::set_out(&mut browser).await, &account);
    let mut copy = browser.clone();
    assert_eq!(
        app_with_provider::call_back(&mut browser, &back)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    home.app.pass(HOUR);
    keep_house(&home.app).await;
    home.app.pass(-HOUR);
    let page = app_with_provider::call_back(&mut copy, &back).await;
    assert_eq!(
        (page.status, home.provider.times("/token")),
        (StatusCode::BAD_REQUEST, 1),
        "{}",
        page.body
    );
    assert!(page.text(".reference").unwrap().contains("unknown_state"));
}

#[tokio::test]
async fn every_page_and_form_answers_whatever_the_time_is() {
    let app = App::with(&format!("{RESETS}{SMTP}")).await;
    app.user(
        ADA,
        mediamanager_auth::server::flows::users::Role::Administrator,
    )
    .await;
    let ada = logged_in(&app).await;
    app.browser().log_in(ADA, "not her password").await;
    for step in [
        HOUR,
        -2 * HOUR,
        HOUR,
        -app.state.clock.now(),
        i64::from(i32::MAX),
    ] {
        app.pass(step);
        keep_house(&app).await;
        for path in [
            "/login",
            "/account",
            "/users",
            "/users/events",
            "/api/v1/users/me",
            "/readyz",
        ] {
            let page = ada.clone().get(path).await;
            assert!(
                !page.status.is_server_error(),
                "{path} after {step}: {}",
                page.status
            );
        }
        for (path, password) in [
            ("/login", PASSWORD),
            ("/login", "not her password"),
            ("/login/forgot-password", ""),
            ("/logout", ""),
        ] {
            let page = app
                .browser()
                .post_form(path, &[("email", ADA), ("password", password)])
                .await;
            assert!(
                !page.status.is_server_error(),
                "{path} after {step}: {}",
                page.status
            );
        }
        app.mails().await;
    }
}
