//! The operator's limits (`[policy.throttle]`).

use axum::http::StatusCode;

use crate::support::{App, PASSWORD, SMTP};

async fn guess(app: &App, address: &str, email: &str) -> (StatusCode, Option<u64>) {
    let page = app
        .browser()
        .at(address)
        .post_form("/login", &[("email", email), ("password", "a wrong guess")])
        .await;
    (
        page.status,
        page.header("retry-after")
            .map(|seconds| seconds.parse().unwrap()),
    )
}

#[tokio::test]
async fn a_network_gets_as_many_failures_as_the_operator_says() {
    let app = App::with("[policy.throttle]\nlogin_failures_per_ip = 5").await;
    for n in 0..5 {
        assert_eq!(
            guess(&app, "203.0.113.9", &format!("nobody{n}@example.org"))
                .await
                .0,
            StatusCode::UNAUTHORIZED
        );
    }
    assert_eq!(
        guess(&app, "203.0.113.9", "nobody6@example.org").await,
        (StatusCode::TOO_MANY_REQUESTS, Some(600))
    );
}

#[tokio::test]
async fn delays_double_up_to_what_the_operator_says() {
    let app = App::with("[policy.throttle]\nlogin_failures_per_account = 3\nmax_delay = 10").await;
    let mut strangers = (1..).map(|n| format!("203.0.113.{n}"));
    let mut next = || strangers.next().unwrap();
    for _ in 0..3 {
        assert_eq!(
            guess(&app, &next(), "ada@example.org").await.0,
            StatusCode::UNAUTHORIZED
        );
    }
    for delay in [1, 2, 4, 8, 10, 10] {
        assert_eq!(
            guess(&app, &next(), "ada@example.org").await,
            (StatusCode::TOO_MANY_REQUESTS, Some(delay))
        );
        app.pass(delay.cast_signed());
        assert_eq!(
            guess(&app, &next(), "ada@example.org").await.0,
            StatusCode::UNAUTHORIZED
        );
    }
}

#[tokio::test]
async fn a_network_may_ask_as_often_as_the_operator_says() {
    let app = App::with(&format!(
        "auth.email_password_resets = true\n{SMTP}[policy.throttle]\nrequests_per_ip = 2"
    ))
    .await;
    let ask = async |address: &str| {
        app.browser()
            .at(address)
            .post_form("/login/forgot-password", &[("email", "nobody@example.org")])
            .await
            .status
    };
    for _ in 0..2 {
        assert_eq!(ask("203.0.113.9").await, StatusCode::SEE_OTHER);
    }
    assert_eq!(ask("203.0.113.9").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(ask("203.0.113.10").await, StatusCode::SEE_OTHER);
    app.pass(3600);
    assert_eq!(ask("203.0.113.9").await, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_account_gets_as_many_mails_as_the_operator_says() {
    let app = App::with(&format!(
        "auth.email_password_resets = true\n{SMTP}[policy.throttle]\nmails_per_account = 2"
    ))
    .await;
    app.member("ada@example.org").await;
    let ask = async || {
        app.browser()
            .post_form("/login/forgot-password", &[("email", "ada@example.org")])
            .await
            .status
    };
    for mails in [1, 1, 0] {
        assert_eq!(
            ask().await,
            StatusCode::SEE_OTHER,
            "the answer tells nothing"
        );
        assert_eq!(app.mails().await.len(), mails);
    }
    app.pass(3600);
    assert_eq!(
        (ask().await, app.mails().await.len()),
        (StatusCode::SEE_OTHER, 1)
    );
}

#[tokio::test]
async fn without_a_throttle_nobody_waits_and_every_start_warns() {
    let app = App::with("[policy.throttle]\nenabled = false").await;
    app.member("ada@example.org").await;
    for _ in 0..25 {
        assert_eq!(
            guess(&app, "203.0.113.9", "ada@example.org").await.0,
            StatusCode::UNAUTHORIZED
        );
    }
    assert_eq!(
        app.browser().log_in("ada@example.org", PASSWORD).await.path,
        "/account"
    );
    assert!(
        app.state
            .config
            .warnings
            .iter()
            .any(|warning| warning.starts_with("INSECURE: policy.throttle.enabled"))
    );
}
