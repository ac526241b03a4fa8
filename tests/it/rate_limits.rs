//! Rate limits of logins, by client IP address and by account.

use axum::http::{Method, StatusCode};
use mediamanager_auth::server::crypto::password_hasher::Hasher;
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{App, Browser, PASSWORD, Page, app::CHEAP};

mod accounts;
mod client_ip;
mod devices;
mod hashing;
mod settings;
mod successes;

/// One login attempt from a client IP address.
async fn attempt(app: &App, address: &str, email: &str, password: &str) -> Page {
    app.browser()
        .at(address)
        .post_form("/login", &[("email", email), ("password", password)])
        .await
}

async fn guess(app: &App, address: &str, email: &str) -> StatusCode {
    attempt(app, address, email, "a wrong guess").await.status
}

/// The client IP address of the nth stranger.
fn stranger(n: usize) -> String {
    format!("198.51.{}.{}", n / 250, n % 250 + 1)
}

/// Fails this often, each time with another account.
async fn fail_from(app: &App, address: &str, times: usize) {
    for n in 0..times {
        assert_eq!(
            guess(app, address, &format!("nobody{n}@example.org")).await,
            StatusCode::UNAUTHORIZED,
            "failure {n}"
        );
    }
}

/// Fails this often with one account, each time from another address.
async fn fail_with(app: &App, email: &str, strangers: std::ops::Range<usize>) {
    for n in strangers {
        assert_eq!(
            guess(app, &stranger(n), email).await,
            StatusCode::UNAUTHORIZED,
            "failure {n}"
        );
    }
}

fn retry_after(page: &Page) -> i64 {
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    page.header("retry-after")
        .expect("Retry-After")
        .parse()
        .unwrap()
}

#[tokio::test]
async fn twenty_failures_close_the_door_to_their_address_only() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    fail_from(&app, "203.0.113.9", 20).await;
    for (email, password) in [
        ("ada@example.org", PASSWORD),
        ("ada@example.org", "a wrong guess"),
        ("somebody@example.org", PASSWORD),
    ] {
        let page = attempt(&app, "203.0.113.9", email, password).await;
        assert!((595..=600).contains(&retry_after(&page)));
        assert_eq!(page.header("set-cookie"), None);
    }
    assert_eq!(
        attempt(&app, "203.0.113.10", "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    app.pass(590);
    assert_eq!(
        attempt(&app, "203.0.113.9", "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::TOO_MANY_REQUESTS
    );
    app.pass(10);
    assert_eq!(
        attempt(&app, "203.0.113.9", "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn the_contract_and_the_page_share_one_budget() {
    let app = App::new().await;
    fail_from(&app, "203.0.113.9", 18).await;
    let fields = [
        ("username", "eve@example.org"),
        ("password", "a wrong guess"),
    ];
    for path in ["/api/v1/auth/cookie/login", "/api/v1/auth/jwt/login"] {
        assert_eq!(
            app.browser()
                .at("203.0.113.9")
                .post_form(path, &fields)
                .await
                .status,
            StatusCode::BAD_REQUEST
        );
    }
    let page = app
        .browser()
        .at("203.0.113.9")
        .post_form("/api/v1/auth/cookie/login", &fields)
        .await;
    assert!(retry_after(&page) > 590);
    assert_eq!(page.body, r#"{"detail":"TOO_MANY_ATTEMPTS"}"#);
    assert_eq!(
        guess(&app, "203.0.113.9", "eve@example.org").await,
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[tokio::test]
async fn a_restart_forgives_nothing_and_instances_count_together() {
    let app = App::new().await;
    fail_from(&app, "203.0.113.9", 20).await;
    let mut elsewhere = Browser::new(app.another("").await).at("203.0.113.9");
    assert!(retry_after(&elsewhere.log_in("ada@example.org", PASSWORD).await) > 590);
}

#[tokio::test]
async fn who_is_turned_away_costs_no_hash() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    fail_from(&app, "203.0.113.9", 20).await;
    fail_with(&app, "eve@example.org", 0..10).await;
    app.pass(-30);
    // No hashing slot is free, so every hash would end in 503.
    let no_turns = Hasher::new(CHEAP, 0).unwrap();
    let mut browser = Browser::new(app.with_hasher(no_turns));
    let page = browser
        .clone()
        .at("203.0.113.9")
        .log_in("ada@example.org", PASSWORD)
        .await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        browser.log_in("eve@example.org", PASSWORD).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[tokio::test]
async fn a_flood_is_turned_away_before_it_asks_the_database() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let hasher = Hasher::new(CHEAP, 1).unwrap();
    let mut browser = Browser::new(app.with_hasher(hasher.clone()));
    let mut places = Vec::new();
    // Slots for the whole queue: 16 of each network are the most.
    for slot in 0..65 {
        let network = if slot < 16 {
            "203.0.113.7".to_owned()
        } else {
            slot.to_string()
        };
        places.push(hasher.acquire_slot(&network).await.unwrap());
    }
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    let body = json!({ "token": "x", "password": PASSWORD }).to_string();
    let (mut signing_up, mut resetting) = (browser.clone(), browser.clone());
    let pages = tokio::join!(
        browser.log_in("ada@example.org", PASSWORD),
        signing_up.post_form(
            "/login/signup",
            &[("email", "eve@example.org"), ("password", PASSWORD)]
        ),
        resetting.call(Method::POST, "/api/v1/auth/reset-password", &headers, &body)
    );
    for page in [pages.0, pages.1, pages.2] {
        assert_eq!(
            (page.status, page.header("retry-after")),
            (StatusCode::SERVICE_UNAVAILABLE, Some("2")),
            "{}",
            page.path
        );
    }
    assert_eq!(
        app.count("SELECT count(*) FROM auth_rate_limit").await,
        0,
        "nothing was guessed or made, so nothing is counted"
    );
    drop(places);
    browser.log_in("ada@example.org", PASSWORD).await;
    assert_eq!(browser.get("/account").await.path, "/account");
}

#[tokio::test]
async fn who_never_got_a_turn_has_used_nothing_up() {
    let app = App::with("[policy.throttle]\nrequests_per_ip = 1").await;
    app.member("ada@example.org").await;
    fail_with(&app, "ada@example.org", 0..10).await;
    app.pass(2);
    // The owner from another address with the right password, during the flood; and a sign-up.
    let mut busy = Browser::new(app.with_hasher(Hasher::new(CHEAP, 0).unwrap())).at("198.51.100.7");
    let (mut signing_up, new) = (
        busy.clone(),
        [("email", "eve@example.org"), ("password", PASSWORD)],
    );
    let pages = tokio::join!(
        busy.log_in("ada@example.org", PASSWORD),
        signing_up.post_form("/login/signup", &new)
    );
    assert_eq!(
        (pages.0.status, pages.1.status),
        (
            StatusCode::SERVICE_UNAVAILABLE,
            StatusCode::SERVICE_UNAVAILABLE
        )
    );
    let mut calm = app.browser().at("198.51.100.7");
    assert_eq!(
        calm.clone().log_in("ada@example.org", PASSWORD).await.path,
        "/account"
    );
    assert_eq!(
        calm.post_form("/login/signup", &new).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn the_page_says_how_long_and_keeps_the_address() {
    let app = App::new().await;
    fail_from(&app, "203.0.113.7", 20).await;
    let page = app.browser().log_in("ada@example.org", PASSWORD).await;
    assert_eq!(
        (page.status, page.path.as_str()),
        (StatusCode::TOO_MANY_REQUESTS, "/login")
    );
    assert_eq!(
        page.text("[role=alert]").as_deref(),
        Some("Too many attempts. Try again in 10 minutes.")
    );
    assert_eq!(
        page.text("title").as_deref(),
        Some("Error: Log in · MediaManager")
    );
    assert_eq!(
        page.attribute("#email", "value").as_deref(),
        Some("ada@example.org")
    );
    assert_eq!(page.attribute("#password", "value"), None);
    assert!(!page.body.contains(PASSWORD));
}

#[tokio::test]
async fn nobody_waits_twice_for_an_hour_that_the_clock_was_set_back() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    app.member("eve@example.org").await;
    fail_from(&app, "203.0.113.9", 20).await;
    fail_with(&app, "ada@example.org", 0..10).await;
    assert_eq!(
        attempt(&app, "203.0.113.9", "eve@example.org", PASSWORD)
            .await
            .status,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(
        attempt(&app, &stranger(20), "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::TOO_MANY_REQUESTS
    );
    app.pass(-3600);
    assert_eq!(
        attempt(&app, "203.0.113.9", "eve@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        attempt(&app, &stranger(20), "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    // Afterwards everything counts as before.
    fail_from(&app, "203.0.113.9", 20).await;
    assert_eq!(
        retry_after(&attempt(&app, "203.0.113.9", "eve@example.org", PASSWORD).await),
        600
    );
}

#[tokio::test]
async fn somebody_told_to_wait_does_not_use_up_their_address_by_trying() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    fail_with(&app, "ada@example.org", 0..10).await;
    app.pass(-30);
    for _ in 0..25 {
        assert_eq!(
            attempt(&app, "203.0.113.7", "ada@example.org", PASSWORD)
                .await
                .status,
            StatusCode::TOO_MANY_REQUESTS
        );
    }
    app.pass(40);
    assert_eq!(
        attempt(&app, "203.0.113.7", "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER,
        "no guess of theirs was ever heard"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_guesses_at_once_from_one_address_get_twenty_answers() {
    let app = App::new().await;
    let instances = [app.router.clone(), app.another("").await];
    let mut guesses = JoinSet::new();
    for n in 0..30 {
        let (mut browser, email) = (
            Browser::new(instances[n % 2].clone()).at("203.0.113.9"),
            format!("nobody{n}@example.org"),
        );
        guesses.spawn(async move {
            browser
                .post_form(
                    "/login",
                    &[("email", &email), ("password", "a wrong guess")],
                )
                .await
                .status
        });
    }
    let mut statuses = guesses.join_all().await;
    statuses.sort();
    assert_eq!(statuses[..20], [StatusCode::UNAUTHORIZED; 20]);
    assert_eq!(statuses[20..], [StatusCode::TOO_MANY_REQUESTS; 10]);
}
