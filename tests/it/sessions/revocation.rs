//! The end of a session: expiry, logout, a new login, and too many sessions.

use axum::http::StatusCode;

use super::{ALIVE, DEAD, NAME, ada, cookie_of, logged_in, opens, post_login};
use crate::support::{App, PASSWORD};

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
    assert_eq!(page.header("clear-site-data"), Some("\"cache\""));
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
            ("", Some("\"cache\""))
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
