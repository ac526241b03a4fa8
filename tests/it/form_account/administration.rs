//! A form that one administrator has opened does not act for another one.

use axum::http::StatusCode;
use mediamanager_auth::{domain::User, server::flows::users::Role};

use super::{find, is_refused, logged_in, switch, traces};
use crate::support::{App, Browser, SMTP};

/// Ada and Bob, administrators; Eve, a member with a session; Will, pending. The browser is Ada's.
async fn household() -> (App, Browser, User, User) {
    let app = App::with(SMTP).await;
    for email in ["ada@example.org", "bob@example.org"] {
        app.user(email, Role::Administrator).await;
    }
    let (eve, will) = (
        app.member("eve@example.org").await,
        app.user("will@example.org", Role::Pending).await,
    );
    logged_in(&app, "eve@example.org").await;
    let browser = logged_in(&app, "ada@example.org").await;
    (app, browser, eve, will)
}

/// Submits forms that Ada has opened, after another user has logged in.
async fn opened_before(email: &str) {
    let (app, mut browser, eve, will) = household().await;
    let mut opened = Vec::new();
    for (path, button, typed) in [
        ("/users".to_owned(), "Approve will@example.org", &[][..]),
        (
            "/users/new".to_owned(),
            "Create user",
            &[("email", "new@example.org")][..],
        ),
        (
            format!("/users/address?id={}", eve.id),
            "Change e-mail",
            &[("email", "new@example.org")][..],
        ),
        (
            format!("/users/{}", eve.id),
            "End the session of an unknown program",
            &[],
        ),
        (
            format!("/users/change?id={}&action=approve", will.id),
            "Approve",
            &[],
        ),
        (
            format!("/users/change?id={}&action=disable", eve.id),
            "Disable",
            &[],
        ),
        (
            format!("/users/change?id={}&action=make-administrator", eve.id),
            "Make administrator",
            &[],
        ),
        (
            format!("/users/change?id={}&action=end-sessions", eve.id),
            "End all sessions",
            &[],
        ),
        (
            format!("/users/change?id={}&action=create-reset-link", eve.id),
            "Make a link for a new password",
            &[],
        ),
        (
            format!("/users/change?id={}&action=delete", eve.id),
            "Delete",
            &[],
        ),
    ] {
        let page = browser.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        opened.push((page, button, typed));
    }
    switch(&mut browser, email).await;
    let before = traces(&app).await;
    for (page, button, typed) in &opened {
        let answer = browser.submit(page, button, typed).await;
        is_refused(&answer, email);
        assert!(
            answer
                .attribute(".links a", "href")
                .unwrap()
                .starts_with("/users")
        );
    }
    assert_eq!(
        traces(&app).await,
        before,
        "nothing is done, and nothing is written down about {email}"
    );
    assert!(
        find(&app, "eve@example.org")
            .await
            .is_some_and(|user| user.is_active && !user.is_superuser)
    );
    assert!(
        find(&app, "will@example.org")
            .await
            .is_some_and(|user| !user.is_verified)
    );
    assert!(find(&app, "new@example.org").await.is_none());
}

#[tokio::test]
async fn what_one_administrator_has_opened_another_does_not_do() {
    opened_before("bob@example.org").await;
}

#[tokio::test]
async fn what_an_administrator_has_opened_is_no_attempt_of_the_member_who_logged_in_since() {
    opened_before("eve@example.org").await;
}

#[tokio::test]
async fn an_administrator_who_has_logged_in_again_goes_on() {
    let (app, mut browser, eve, _) = household().await;
    let page = browser
        .get(&format!("/users/change?id={}&action=delete", eve.id))
        .await;
    switch(&mut browser, "ada@example.org").await;
    assert_eq!(
        browser.submit(&page, "Delete", &[]).await.path,
        "/users?notice=user_deleted"
    );
    assert!(find(&app, "eve@example.org").await.is_none());
}
