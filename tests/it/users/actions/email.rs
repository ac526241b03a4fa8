//! Changing the email address of a user.

use axum::http::StatusCode;

use crate::users::post;
use crate::{
    support::{PASSWORD, SMTP},
    users::{act, fact, household, is_in, logged_in, path_of},
};

#[tokio::test]
async fn an_administrator_gives_somebody_another_address() {
    let (app, mut ada, _, bob) = household(SMTP).await;
    let his = logged_in(&app, "bob@example.org").await;
    let page = ada.get(&format!("/users/address?id={}", bob.id)).await;
    assert!(
        page.text(".lead")
            .unwrap()
            .starts_with("bob@example.org logs in with the new address")
    );
    for (email, status, reason) in [
        (
            "ADA@example.org",
            StatusCode::CONFLICT,
            "There is an account with this e-mail address already.",
        ),
        (
            "nonsense",
            StatusCode::UNPROCESSABLE_ENTITY,
            "Enter an e-mail address",
        ),
    ] {
        let page = ada
            .submit(&page, "Change e-mail", &[("email", email)])
            .await;
        assert_eq!(
            (page.status, page.heading().as_str()),
            (status, "Change e-mail")
        );
        assert!(
            page.text("#email-error").unwrap().contains(reason),
            "{email}: {}",
            page.body
        );
        assert_eq!(page.attribute("#email", "value").as_deref(), Some(email));
    }
    assert_eq!(app.mails().await.len(), 0);
    let page = ada
        .submit(&page, "Change e-mail", &[("email", " Bob@New.example ")])
        .await;
    assert_eq!(
        (page.heading().as_str(), page.path),
        (
            "bob@new.example",
            format!("{}?notice=user_updated", path_of(&bob))
        )
    );
    assert_eq!(
        fact(&ada.get(&path_of(&bob)).await, "Address proven"),
        "No",
        "an administrator's word is no proof"
    );
    let notice = app.mail().await;
    assert_eq!(
        (notice.to.as_str(), notice.subject.as_str()),
        (
            "bob@example.org",
            "Your address for MediaManager was changed"
        )
    );
    assert!(is_in(&his).await);
    assert_eq!(
        app.browser().log_in("bob@new.example", PASSWORD).await.path,
        "/account"
    );
    assert_eq!(
        app.browser()
            .log_in("bob@example.org", PASSWORD)
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_stolen_cookie_of_an_administrator_does_not_take_over_their_account() {
    let (app, ada, user, bob) = household("").await;
    let mut thief = ada.clone();
    act(&mut thief, &bob, "Make administrator").await;
    app.pass(300);
    let id = user.id.to_string();
    let page = thief
        .post_form(
            "/users/address",
            &[("id", &id), ("email", "thief@example.org")],
        )
        .await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "another address");
    // A reset link for the own account is a change of the own password, which would be enough for a
    // thief to keep the account.
    let link = post(&mut thief, &user, "create-reset-link").await;
    // Deleting the own account requires a recent login on the account page too.
    let deleted = post(&mut thief, &user, "delete").await;
    assert_eq!(
        [link.status, deleted.status],
        [StatusCode::FORBIDDEN; 2],
        "a link for oneself, and deleting oneself"
    );
    assert!(
        is_in(&ada).await
            && app.browser().log_in("ada@example.org", PASSWORD).await.path == "/account"
    );
}
