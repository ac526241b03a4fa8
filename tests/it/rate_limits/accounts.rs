//! Rate limits of an account: growing delays, and how they end.

use axum::http::{Method, StatusCode};
use mediamanager_auth::{domain::User, server::flows::users::Role};
use tokio::task::JoinSet;

use super::{attempt, fail_from, fail_with, guess, retry_after, stranger};
use crate::support::{App, PASSWORD, SMTP};

const HOME: &str = "203.0.113.7";
const NEW: &str = "copper lantern meadow 4";

#[tokio::test]
async fn ten_failures_with_an_account_bring_delays_that_double() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    // An unknown address is treated the same: a difference would reveal which accounts exist.
    for (email, first) in [("ada@example.org", 0), ("nobody@example.org", 100)] {
        fail_with(&app, email, first..first + 10).await;
        let mut strangers = first + 10..;
        let mut next = || stranger(strangers.next().unwrap());
        for delay in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            let refused = attempt(&app, &next(), email, PASSWORD).await;
            let wait = retry_after(&refused);
            assert_eq!(wait, delay, "{email}");
            let api = app
                .browser()
                .at(&next())
                .post_form(
                    "/api/v1/auth/cookie/login",
                    &[("username", email), ("password", PASSWORD)],
                )
                .await;
            assert_eq!(
                (api.status, api.body.as_str()),
                (
                    StatusCode::TOO_MANY_REQUESTS,
                    r#"{"detail":"TOO_MANY_ATTEMPTS"}"#
                )
            );
            app.pass(wait);
            assert_eq!(
                guess(&app, &next(), email).await,
                StatusCode::UNAUTHORIZED,
                "{email}: heard again after {delay} seconds"
            );
        }
        app.pass(900);
    }
    assert_eq!(
        attempt(&app, &stranger(240), "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER,
        "never locked for good"
    );
}

#[tokio::test]
async fn the_spelling_of_an_address_buys_no_new_budget() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    for (n, email) in [
        "ada@example.org",
        "ADA@example.org",
        " ada@EXAMPLE.org ",
        "Ada@Example.Org\t",
    ]
    .into_iter()
    .cycle()
    .take(12)
    .enumerate()
    {
        guess(&app, &stranger(n), email).await;
    }
    app.pass(-30);
    assert_eq!(
        guess(&app, &stranger(20), "aDa@example.org").await,
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[tokio::test]
async fn a_success_clears_the_account_and_takes_nothing_from_the_address() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    fail_with(&app, "ada@example.org", 0..9).await;
    assert_eq!(
        attempt(&app, &stranger(50), "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    fail_with(&app, "ada@example.org", 100..109).await;

    fail_from(&app, "203.0.113.9", 19).await;
    for _ in 0..25 {
        assert_eq!(
            attempt(&app, "203.0.113.9", "ada@example.org", PASSWORD)
                .await
                .status,
            StatusCode::SEE_OTHER,
            "a success is no failure"
        );
    }
    assert_eq!(
        guess(&app, "203.0.113.9", "eve@example.org").await,
        StatusCode::UNAUTHORIZED,
        "the twentieth"
    );
    assert_eq!(
        guess(&app, "203.0.113.9", "eve@example.org").await,
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[tokio::test]
async fn strangers_cannot_lock_somebody_out_of_their_own_home() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let home = HOME;
    assert_eq!(
        attempt(&app, home, "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    app.pass(29 * 86_400);
    for n in 0..20 {
        assert_eq!(
            guess(&app, &stranger(n), "ada@example.org").await,
            StatusCode::UNAUTHORIZED
        );
        app.pass(900);
    }
    assert_eq!(
        attempt(&app, &stranger(30), "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    for n in 40..60 {
        guess(&app, &stranger(n), "ada@example.org").await;
        app.pass(600);
    }
    app.pass(-600);
    assert_eq!(
        attempt(&app, &stranger(70), "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::TOO_MANY_REQUESTS,
        "from elsewhere not even she"
    );
    assert_eq!(
        attempt(&app, home, "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER,
        "from home she does"
    );

    // The separate budget is no bypass: an attacker at the same address has ten attempts too.
    fail_with_one_address(&app, home, 10).await;
    app.pass(-30);
    assert_eq!(
        guess(&app, home, "ada@example.org").await,
        StatusCode::TOO_MANY_REQUESTS
    );
}

/// Ada, who has logged in from this address, where failed logins have then reached the limit.
async fn locked_out_at_home(app: &App) -> User {
    let ada = app.member("ada@example.org").await;
    assert_eq!(
        attempt(app, HOME, "ada@example.org", PASSWORD).await.status,
        StatusCode::SEE_OTHER
    );
    fail_with_one_address(app, HOME, 10).await;
    assert_eq!(
        attempt(app, HOME, "ada@example.org", PASSWORD).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    fail_with(app, "ada@example.org", 0..10).await;
    assert_eq!(
        attempt(app, &stranger(20), "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::TOO_MANY_REQUESTS
    );
    ada
}

/// Asserts that the new password works from home and from another address, without a delay.
async fn is_let_in_everywhere(app: &App) {
    for address in [HOME, &stranger(21)] {
        assert_eq!(
            attempt(app, address, "ada@example.org", NEW).await.status,
            StatusCode::SEE_OTHER,
            "{address}"
        );
    }
}

#[tokio::test]
async fn a_reset_by_mail_ends_the_wait_at_home_as_well() {
    let app = App::with(&format!("auth.email_password_resets = true\n{SMTP}")).await;
    locked_out_at_home(&app).await;
    app.browser()
        .post_form("/login/forgot-password", &[("email", "ada@example.org")])
        .await;
    let mut browser = app.browser();
    let page = browser.get(&app.mail().await.link()).await;
    assert_eq!(
        browser
            .submit(&page, "Set password", &[("password", NEW)])
            .await
            .path,
        "/login?notice=password_reset"
    );
    is_let_in_everywhere(&app).await;
}

#[tokio::test]
async fn a_password_that_an_administrator_sets_ends_every_wait() {
    let app = App::new().await;
    app.user("boss@example.org", Role::Administrator).await;
    // Another user, whose address a pattern could match with hers.
    fail_with(&app, "ad_@example.org", 100..110).await;
    let ada = locked_out_at_home(&app).await;
    let mut boss = app.browser().at("203.0.113.99");
    boss.log_in("boss@example.org", PASSWORD).await;
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    let answer = boss
        .call(
            Method::PATCH,
            &format!("/api/v1/users/{}", ada.id),
            &headers,
            &format!(r#"{{"password":"{NEW}"}}"#),
        )
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    is_let_in_everywhere(&app).await;
    assert_eq!(
        guess(&app, &stranger(120), "ad_@example.org").await,
        StatusCode::TOO_MANY_REQUESTS,
        "nobody else's wait ends"
    );
}

async fn fail_with_one_address(app: &App, address: &str, times: usize) {
    for _ in 0..times {
        assert_eq!(
            guess(app, address, "ada@example.org").await,
            StatusCode::UNAUTHORIZED
        );
    }
}

#[tokio::test]
async fn a_home_of_long_ago_is_no_home() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let home = HOME;
    assert_eq!(
        attempt(&app, home, "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    app.pass(30 * 86_400 + 60);
    fail_with(&app, "ada@example.org", 0..10).await;
    app.pass(-30);
    assert_eq!(
        attempt(&app, home, "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_guesses_at_once_at_one_account_get_few_answers() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut guesses = JoinSet::new();
    for n in 0..30 {
        let mut browser = app.browser().at(&stranger(n));
        guesses.spawn(async move {
            browser
                .post_form(
                    "/login",
                    &[("email", "ada@example.org"), ("password", "a wrong guess")],
                )
                .await
                .status
        });
    }
    let heard = guesses
        .join_all()
        .await
        .into_iter()
        .filter(|status| *status == StatusCode::UNAUTHORIZED)
        .count();
    assert_eq!(heard, 10);
}
