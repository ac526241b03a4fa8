//! One-time links for a new password, which the administrator gives to the user.

use axum::http::StatusCode;

use mediamanager_auth::server::flows::users::Role;

use super::{NEW, choose, shown};
use crate::{
    support::{PASSWORD, SMTP, log::Log},
    users::{act, household, is_in, logged_in, path_of},
};

#[tokio::test]
async fn a_link_that_is_handed_over_works_once_and_ends_what_was() {
    let (app, mut ada, _, bob) = household(SMTP).await;
    let his = logged_in(&app, "bob@example.org").await;
    let page = act(&mut ada, &bob, "Make a link for a new password").await;
    assert!(page.text(".lead").unwrap().contains("for 30 minutes"));
    assert_eq!(page.attribute(".links a", "href"), Some(path_of(&bob)));
    let link = shown(&page);
    assert_eq!(ada.get("/users/link").await.status, StatusCode::NOT_FOUND);
    assert!(is_in(&his).await, "making it ends nothing");
    let page = choose(&app, &link, "short").await;
    assert_eq!(
        page.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "the rule for new passwords holds, and uses nothing up"
    );
    assert_eq!(
        choose(&app, &link, NEW).await.path,
        "/login?notice=password_reset"
    );
    assert!(!is_in(&his).await);
    assert_eq!(app.mail().await.to, "bob@example.org", "he is told");
    assert_eq!(choose(&app, &link, PASSWORD).await.status, StatusCode::GONE);

    let late = shown(&act(&mut ada, &bob, "Make a link for a new password").await);
    app.pass(1800);
    assert_eq!(choose(&app, &late, PASSWORD).await.status, StatusCode::GONE);
    assert_eq!(
        app.browser().log_in("bob@example.org", NEW).await.path,
        "/account"
    );
}

#[tokio::test]
async fn a_link_that_is_handed_over_is_in_no_address_no_log_and_no_event() {
    let log = Log::begin();
    let (app, mut ada, _, bob) = household("").await;
    let page = ada
        .get(&format!(
            "/users/change?id={}&action=create-reset-link",
            bob.id
        ))
        .await;
    let answer = ada
        .submit_only(&page, "Make a link for a new password", &[])
        .await;
    assert_eq!(
        (answer.status, answer.location().as_deref()),
        (StatusCode::SEE_OTHER, Some("/users/link"))
    );
    let cookie = answer.header("set-cookie").unwrap();
    assert!(
        cookie.contains("HttpOnly")
            && cookie.contains("SameSite=Lax")
            && cookie.contains("Max-Age=60"),
        "{cookie}"
    );
    // The cookie shows nothing to another user of the same browser.
    let mut member = logged_in(&app, "bob@example.org").await;
    member.set_cookie("one-time-link", ada.cookie("one-time-link").unwrap());
    assert_eq!(
        member.get("/users/link").await.status,
        StatusCode::FORBIDDEN
    );
    let page = ada.get("/users/link").await;
    let token = shown(&page).split("token=").nth(1).unwrap().to_owned();
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert!(!cookie.contains(&token));
    choose(&app, &shown(&page), NEW).await;
    let events = ada.get("/users/events").await;
    assert!(events.body.contains("A link for a new password was made"));
    let signature = token.rsplit('.').next().unwrap();
    for secret in [token.as_str(), signature, NEW] {
        assert!(!log.text().contains(secret), "the log: {secret}");
        assert!(!events.body.contains(secret), "the events: {secret}");
    }
    assert!(log.text().contains("reset_link_created"));
}

/// The cookie is sealed, but its lifetime is the browser's business, and an administrator's screen
/// may be another's later.
#[tokio::test]
async fn a_copied_cookie_with_a_one_time_link_is_for_its_administrator_and_for_a_minute() {
    let (app, mut ada, _, bob) = household("").await;
    app.user("cleo@example.org", Role::Administrator).await;
    let mut cleo = logged_in(&app, "cleo@example.org").await;
    let page = ada
        .get(&format!(
            "/users/change?id={}&action=create-reset-link",
            bob.id
        ))
        .await;
    ada.submit_only(&page, "Make a link for a new password", &[])
        .await;
    let copy = ada.cookie("one-time-link").unwrap().to_owned();
    cleo.set_cookie("one-time-link", &copy);
    assert_eq!(
        cleo.get("/users/link").await.status,
        StatusCode::NOT_FOUND,
        "another administrator's"
    );
    app.pass(60);
    assert_eq!(
        ada.get("/users/link").await.status,
        StatusCode::NOT_FOUND,
        "too late"
    );
    ada.set_cookie("one-time-link", &copy);
    app.pass(-1);
    assert_eq!(ada.get("/users/link").await.status, StatusCode::OK);
}
