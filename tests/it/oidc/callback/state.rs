//! The `state` parameter: bound to the browser, single use, short-lived (SR-053 to SR-055).

use axum::http::StatusCode;

use super::{is_refused, under_way, without};
use crate::support::{Household, app_with_provider};

#[tokio::test]
async fn a_stranger_cannot_log_somebody_in_with_their_own_code() {
    let home = Household::new().await;
    let (_, attackers) = under_way(&home).await;
    // The victim has no login attempt, and then an own one.
    let mut victim = home.app.browser();
    is_refused(
        &home,
        &app_with_provider::call_back(&mut victim, &attackers).await,
        400,
        "unknown_state",
    );
    let (mut victim, _) = under_way(&home).await;
    is_refused(
        &home,
        &app_with_provider::call_back(&mut victim, &attackers).await,
        400,
        "unknown_state",
    );
}

#[tokio::test]
async fn a_missing_or_changed_state_is_refused() {
    let home = Household::new().await;
    for change in [
        |back: &str| without(back, "state"),
        |back: &str| back.replace("state=", "state=x"),
        |back: &str| format!("{}&state=", without(back, "state")),
    ] {
        let (mut browser, back) = under_way(&home).await;
        is_refused(
            &home,
            &app_with_provider::call_back(&mut browser, &change(&back)).await,
            400,
            "unknown_state",
        );
    }
}

#[tokio::test]
async fn an_answer_counts_once() {
    let home = Household::new().await;
    let (mut browser, back) = under_way(&home).await;
    let mut thief = browser.clone();
    assert_eq!(
        app_with_provider::call_back(&mut browser, &back)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    // The thief has the former cookies and the callback URL.
    let page = app_with_provider::call_back(&mut thief, &back).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.text(".reference").unwrap().contains("unknown_state"));
    assert_eq!(home.provider.times("/token"), 1);
}

#[tokio::test]
async fn of_twenty_answers_at_once_one_counts() {
    let home = Household::new().await;
    let (browser, back) = under_way(&home).await;
    let all = (0..20).map(|_| {
        let (mut tab, back) = (browser.clone(), back.clone());
        async move { app_with_provider::call_back(&mut tab, &back).await.status }
    });
    let statuses = futures_util::future::join_all(all).await;
    assert_eq!(
        statuses
            .iter()
            .filter(|status| **status == StatusCode::SEE_OTHER)
            .count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(home.provider.times("/token"), 1);
}

#[tokio::test]
async fn an_answer_that_took_too_long_is_refused_and_gone() {
    let home = Household::new().await;
    let (mut browser, back) = under_way(&home).await;
    home.app.pass(600);
    is_refused(
        &home,
        &app_with_provider::call_back(&mut browser, &back).await,
        400,
        "unknown_state",
    );
}

#[tokio::test]
async fn a_refused_answer_uses_the_attempt_up() {
    let home = Household::new().await;
    let (mut browser, back) = under_way(&home).await;
    let refused = without(&back, "code") + "&error=access_denied";
    is_refused(
        &home,
        &app_with_provider::call_back(&mut browser, &refused).await,
        403,
        "access_denied",
    );
    is_refused(
        &home,
        &app_with_provider::call_back(&mut browser, &back).await,
        400,
        "unknown_state",
    );
    let (mut browser, back) = under_way(&home).await;
    is_refused(
        &home,
        &app_with_provider::call_back(&mut browser, &format!("{back}&code=twice")).await,
        400,
        "malformed_callback",
    );
    is_refused(
        &home,
        &app_with_provider::call_back(&mut browser, &back).await,
        400,
        "unknown_state",
    );
}

#[tokio::test]
async fn a_malformed_answer_uses_the_attempt_up_also_for_who_has_a_copy_of_the_cookie() {
    let home = Household::new().await;
    let (browser, back) = under_way(&home).await;
    let (mut first, mut thief) = (browser.clone(), browser);
    is_refused(
        &home,
        &app_with_provider::call_back(&mut first, &format!("{back}&code=twice")).await,
        400,
        "malformed_callback",
    );
    is_refused(
        &home,
        &app_with_provider::call_back(&mut thief, &back).await,
        400,
        "unknown_state",
    );
}

#[tokio::test]
async fn a_handshake_of_another_secret_or_purpose_is_worthless() {
    let home = Household::new().await;
    let (mut browser, back) = under_way(&home).await;
    let names: Vec<String> = browser
        .cookie_names()
        .filter(|name| name.starts_with("oidc-attempt-"))
        .map(ToOwned::to_owned)
        .collect();
    let value = browser.cookie(&names[0]).unwrap().to_owned();
    // The sealed value under another attempt's name, damaged, and as a pending link.
    let mut other = home.app.browser();
    other.set_cookie("oidc-attempt-0123456789abcdef", &value);
    other.set_cookie("pending-link", &value);
    is_refused(
        &home,
        &app_with_provider::call_back(&mut other, &back).await,
        400,
        "unknown_state",
    );
    assert_eq!(other.get("/login/connect").await.status, StatusCode::GONE);
    browser.set_cookie(&names[0], &value.replace(|c: char| c.is_ascii_digit(), "A"));
    is_refused(
        &home,
        &app_with_provider::call_back(&mut browser, &back).await,
        400,
        "unknown_state",
    );
}
