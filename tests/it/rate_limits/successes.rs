//! Successful logins, and answers with 429, are no way to grow or to write the database without
//! end (SR-173).

use axum::http::{Method, StatusCode};
use mediamanager_auth::server::crypto::password_hasher::Hasher;

use super::{attempt, fail_from, fail_with, guess, retry_after, stranger};
use crate::support::{App, Browser, PASSWORD, app::CHEAP};

const ADA: &str = "ada@example.org";
const HOME: &str = "203.0.113.7";
const ROWS: &str = "SELECT count(*) FROM auth_session";

/// Logs in as a script does, and logs out again.
async fn in_and_out(browser: &mut Browser) -> StatusCode {
    let fields = [("username", ADA), ("password", PASSWORD)];
    let page = browser.post_form("/api/v1/auth/jwt/login", &fields).await;
    if page.status == StatusCode::OK {
        let bearer = format!("Bearer {}", page.json()["access_token"].as_str().unwrap());
        let headers = [("authorization", bearer.as_str())];
        let out = browser
            .call(Method::POST, "/api/v1/auth/jwt/logout", &headers, "")
            .await;
        assert_eq!(out.status, StatusCode::NO_CONTENT);
    }
    page.status
}

#[tokio::test]
async fn nobody_logs_in_and_out_without_end() {
    let app = App::new().await;
    app.member(ADA).await;
    app.member("eve@example.org").await;
    let mut script = app.browser().at(HOME);
    for n in 0..60 {
        assert_eq!(in_and_out(&mut script).await, StatusCode::OK, "{n}");
    }
    let logged_in = "SELECT count(*) FROM auth_event WHERE kind = 'logged_in'";
    for _ in 0..3 {
        assert!(retry_after(&attempt(&app, HOME, ADA, PASSWORD).await) > 590);
    }
    assert_eq!(app.count(logged_in).await, 60);
    // No hashing slot is free, so every hash would end in 503.
    let no_turns = Hasher::new(CHEAP, 0).unwrap();
    let mut costly = Browser::new(app.with_hasher(no_turns)).at(HOME);
    assert_eq!(
        costly.log_in(ADA, PASSWORD).await.status,
        StatusCode::TOO_MANY_REQUESTS,
        "no hash"
    );
    // Neither another account nor another network is concerned.
    for (address, email) in [(HOME, "eve@example.org"), ("203.0.113.8", ADA)] {
        assert_eq!(
            attempt(&app, address, email, PASSWORD).await.status,
            StatusCode::SEE_OTHER
        );
    }
    app.pass(600);
    assert_eq!(in_and_out(&mut script).await, StatusCode::OK);
}

#[tokio::test]
async fn ended_sessions_are_few_and_the_owners_home_is_among_them() {
    let app = App::with("[policy.throttle]\nenabled = true").await;
    app.member(ADA).await;
    let mut owner = app.browser().at(HOME);
    owner.log_in(ADA, PASSWORD).await;
    owner.post_form("/logout", &[]).await;
    let mut script = app.browser().at("192.0.2.200");
    for _ in 0..120 {
        app.pass(20);
        assert_eq!(in_and_out(&mut script).await, StatusCode::OK);
    }
    assert_eq!(app.count(ROWS).await, 2, "one a network and program");
    fail_with(&app, ADA, 0..10).await;
    app.pass(-30);
    assert_eq!(
        guess(&app, &stranger(20), ADA).await,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(
        attempt(&app, HOME, ADA, PASSWORD).await.status,
        StatusCode::SEE_OTHER,
        "the script has not displaced the home"
    );
}

#[tokio::test]
async fn ended_sessions_from_everywhere_are_bounded_for_each_user() {
    let app = App::new().await;
    app.member(ADA).await;
    app.member("eve@example.org").await;
    let mut eve = app.browser();
    eve.log_in("eve@example.org", PASSWORD).await;
    eve.post_form("/logout", &[]).await;
    for n in 0..220 {
        let mut script = app.browser().at(&stranger(n));
        assert_eq!(in_and_out(&mut script).await, StatusCode::OK);
    }
    let rows = app.count(ROWS).await;
    assert!(rows <= 202, "{rows} rows");
    let eves = "SELECT count(*) FROM auth_session s JOIN \"user\" u ON u.id = s.user_id WHERE email LIKE 'eve%'";
    assert_eq!(app.count(eves).await, 1, "nobody else's");
}

#[tokio::test]
async fn a_429_writes_nothing() {
    let app = App::new().await;
    app.member(ADA).await;
    fail_with(&app, ADA, 0..10).await;
    fail_from(&app, "203.0.113.9", 20).await;
    app.pass(-30);
    let prober = "192.0.2.1";
    // The first ones leave their rows in the audit log.
    for address in [prober, "203.0.113.9"] {
        for _ in 0..20 {
            guess(&app, address, ADA).await;
        }
    }
    let state = "SELECT CAST(sum(failures) + sum(last_attempt_at) + sum(blocked_until) + count(*) AS bigint) FROM auth_rate_limit";
    let before = app.count(state).await;
    app.pass(1);
    for address in [prober, "203.0.113.9"] {
        assert_eq!(
            guess(&app, address, ADA).await,
            StatusCode::TOO_MANY_REQUESTS
        );
    }
    assert_eq!(app.count(state).await, before);
    assert_eq!(
        app.count("SELECT count(*) FROM auth_rate_limit WHERE key = 'network:192.0.2.1'")
            .await,
        0
    );
}
