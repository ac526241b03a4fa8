//! The processor's time that passwords cost is shared out, and bounded before it is spent.

use axum::http::StatusCode;
use mediamanager_auth::server::crypto::password_hasher::Hasher;

use crate::support::{Account, App, Browser, Household, PASSWORD, app::CHEAP};

/// As many slots as one network gets.
const SLOTS: usize = 16;
/// Its estimate takes longer than that of any other text: zxcvbn tries 800 combinations of letters.
const WORST: &str = "4@8({[<369!1|0$5+7%2abcdefghijklmnop";

#[tokio::test]
async fn a_flood_of_one_network_keeps_no_other_network_from_logging_in() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let hasher = Hasher::new(CHEAP, 1).unwrap();
    let browser = Browser::new(app.with_hasher(hasher.clone()));
    let mut flood = Vec::new();
    for _ in 0..SLOTS {
        flood.push(hasher.acquire_slot("203.0.113.9").await.unwrap());
    }
    let mut same_network = browser.clone().at("203.0.113.9");
    assert_eq!(
        same_network
            .log_in("ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    let mut elsewhere = browser.at("203.0.113.7");
    elsewhere.log_in("ada@example.org", PASSWORD).await;
    assert_eq!(elsewhere.get("/account").await.path, "/account");
}

#[tokio::test]
async fn the_estimate_of_a_new_password_takes_its_turn_among_the_hashes() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut browser = app.browser();
    browser.log_in("ada@example.org", PASSWORD).await;
    let no_turns = Hasher::new(CHEAP, 0).unwrap();
    let mut browser = browser.on(app.with_hasher(no_turns));
    for password in ["passwordpassword", WORST] {
        let page = browser
            .post_form("/account/password", &[("password", password)])
            .await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{password}");
    }
}

#[tokio::test]
async fn nobody_has_weak_passwords_estimated_without_end() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut browser = app.browser();
    browser.log_in("ada@example.org", PASSWORD).await;
    let mut statuses = Vec::new();
    for _ in 0..21 {
        let page = browser
            .post_form("/account/password", &[("password", "passwordpassword")])
            .await;
        statuses.push(page.status);
    }
    assert_eq!(statuses[..20], [StatusCode::UNPROCESSABLE_ENTITY; 20]);
    assert_eq!(statuses[20], StatusCode::TOO_MANY_REQUESTS);
    app.pass(10 * 60 + 1);
    let page = browser
        .post_form("/account/password", &[("password", "passwordpassword")])
        .await;
    assert_ne!(page.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn first_logins_with_the_provider_wait_for_no_password() {
    let mut home = Household::new().await;
    home.app.router = home.app.with_hasher(Hasher::new(CHEAP, 0).unwrap());
    let mut browser = home.app.browser();
    let page = home
        .log_in(&mut browser, &Account::confirmed("new@example.org"))
        .await;
    assert_eq!(page.path, "/account", "{}", page.body);
}
