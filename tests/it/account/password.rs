//! Changing the password: the sessions it ends, and the rules for the new one.

use axum::http::StatusCode;

use super::{NEW, RESETS, change_password, handed_over, is_in, logged_in, mailed, may_log_in};
use crate::support::{App, PASSWORD, SMTP};

#[tokio::test]
async fn whoever_changes_the_password_stays_logged_in_here_and_nowhere_else() {
    let app = App::with(&format!("{RESETS}{SMTP}")).await;
    app.member("ada@example.org").await;
    app.member("eve@example.org").await;
    let (mut here, there, eves) = (
        logged_in(&app, "ada@example.org").await,
        logged_in(&app, "ada@example.org").await,
        logged_in(&app, "eve@example.org").await,
    );
    let links = [
        mailed(&app, "ada@example.org").await,
        handed_over(&app, "ada@example.org").await,
    ];
    let page = change_password(&mut here, NEW).await;
    assert_eq!(
        (page.status, page.path.as_str()),
        (StatusCode::OK, "/account?notice=password_changed")
    );
    assert!(
        page.text("[role=status]")
            .unwrap()
            .starts_with("Your password is changed."),
        "{}",
        page.body
    );
    assert_eq!(
        (is_in(&here).await, is_in(&there).await, is_in(&eves).await),
        (true, false, true)
    );
    let notice = app.mail().await;
    assert_eq!(
        (notice.to.as_str(), notice.subject.as_str()),
        (
            "ada@example.org",
            "Your password for MediaManager was changed"
        )
    );
    assert!(
        notice.text.contains("203.0.113.7") && !notice.text.contains(NEW),
        "{}",
        notice.text
    );
    for link in links {
        assert_eq!(
            app.browser().get(&link).await.status,
            StatusCode::GONE,
            "links for a new password die with the old one"
        );
    }
    assert_eq!(
        (
            may_log_in(&app, "ada@example.org", PASSWORD).await,
            may_log_in(&app, "ada@example.org", NEW).await
        ),
        (false, true)
    );
}

#[tokio::test]
async fn the_rule_for_new_passwords_stands_beside_the_field_and_nothing_typed_comes_back() {
    let app = App::new().await;
    app.member("ada.lovelace@example.org").await;
    let (mut here, there) = (
        logged_in(&app, "ada.lovelace@example.org").await,
        logged_in(&app, "ada.lovelace@example.org").await,
    );
    let page = here.get("/account/password").await;
    assert!(
        page.text("#password-hint")
            .unwrap()
            .contains("At least 12 characters")
    );
    assert_eq!(
        page.attribute("#password", "autocomplete").as_deref(),
        Some("new-password")
    );
    for (password, reason) in [
        ("q7", "Use at least 12 characters."),
        ("passwordpassword", "easy to guess"),
        (
            "my ada.lovelace password",
            "does not contain your e-mail name",
        ),
    ] {
        let page = change_password(&mut here, password).await;
        assert_eq!(
            (page.status, page.path.as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "/account/password")
        );
        assert!(
            page.text("#password-error").unwrap().contains(reason),
            "{password}: {:?}",
            page.text("#password-error")
        );
        assert_eq!(
            (
                page.attribute("#password", "value"),
                page.attribute("#email", "value").as_deref()
            ),
            (None, Some("ada.lovelace@example.org"))
        );
        assert!(
            !page.body.contains(&format!("\"{password}\"")),
            "{password}"
        );
    }
    assert!(is_in(&there).await, "a refused change ends nothing");
    assert!(may_log_in(&app, "ada.lovelace@example.org", PASSWORD).await);
}
