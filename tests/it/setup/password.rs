//! The rules for the first administrator's password and email address.

use axum::http::StatusCode;

use super::{BUTTON, USERS, token_of};
use crate::support::{App, PASSWORD};

#[tokio::test]
async fn a_bad_first_password_is_refused_beside_its_field_and_the_link_still_works() {
    let app = App::new().await;
    let path = app.setup_path().await.unwrap();
    let mut browser = app.browser();
    let page = browser.get(&path).await;
    let too_long = "violet kettle harbour ".repeat(12);
    let cases = [
        ("", "Enter a password."),
        ("violet ket9", "Use at least 12 characters."),
        ("\u{1f600}\u{1f600}\u{1f600}", "Use at least 12 characters."),
        (
            &too_long[..257],
            "Enter a password of at most 256 characters.",
        ),
        (
            "passwordpassword",
            "This password is easy to guess. Use several unrelated words or a longer one.",
        ),
        (
            "mediamanager",
            "This password is easy to guess. Use several unrelated words or a longer one.",
        ),
        (
            "aaaaaaaaaaaaaaaaaaaa",
            "This password is easy to guess. Use several unrelated words or a longer one.",
        ),
        (
            "violet lovelace harbour 9",
            "Choose a password that does not contain your e-mail name.",
        ),
        (
            "violet LoveLace harbour 9",
            "Choose a password that does not contain your e-mail name.",
        ),
    ];
    for (password, message) in cases {
        let answer = browser
            .submit_only(
                &page,
                BUTTON,
                &[("email", "lovelace@example.org"), ("password", password)],
            )
            .await;
        assert_eq!(
            (answer.status, answer.path.as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "/setup"),
            "{password}"
        );
        assert_eq!(
            answer.text("#password-error").as_deref(),
            Some(message),
            "{password}"
        );
        assert_eq!(
            answer.text("#email-error").as_deref(),
            Some(""),
            "{password}"
        );
        assert_eq!(
            answer.attribute("#password", "aria-invalid").as_deref(),
            Some("true")
        );
        assert_eq!(
            answer.attribute("#password", "aria-describedby").as_deref(),
            Some("password-hint password-error")
        );
        assert_eq!(
            answer.attribute("#email", "value").as_deref(),
            Some("lovelace@example.org"),
            "nothing is lost"
        );
        assert_eq!(
            answer.attribute("input[name=token]", "value").as_deref(),
            Some(token_of(&path)),
            "the way on is kept"
        );
        assert_eq!(answer.attribute("#password", "value"), None);
        assert!(answer.text("title").unwrap().starts_with("Error: "));
        assert!(
            password.is_empty() || password == "mediamanager" || !answer.body.contains(password),
            "{password}: never shown again"
        );
        assert_eq!(
            (app.count(USERS).await, browser.cookie("fastapiusersauth")),
            (0, None)
        );
    }
    let answer = browser
        .submit_only(
            &page,
            BUTTON,
            &[("email", "not an address"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        answer.text("#email-error").as_deref(),
        Some("Enter an e-mail address like name@example.org.")
    );

    let answer = browser
        .submit(
            &answer,
            BUTTON,
            &[("email", "lovelace@example.org"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(
        answer.path, "/account",
        "the refusals did not use the link up"
    );
}

#[tokio::test]
async fn the_longest_password_counts_to_its_last_character() {
    let app = App::new().await;
    let path = app.setup_path().await.unwrap();
    let longest: String = "violet kettle h\u{e4}rbour 9 "
        .chars()
        .cycle()
        .take(256)
        .collect();
    let page = app.browser().get(&path).await;
    app.browser()
        .submit(
            &page,
            BUTTON,
            &[("email", "lovelace@example.org"), ("password", &longest)],
        )
        .await;
    let other_end: String = longest.chars().take(255).chain(['!']).collect();
    assert_eq!(
        app.browser()
            .log_in("lovelace@example.org", &other_end)
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        app.browser()
            .log_in("lovelace@example.org", &longest)
            .await
            .path,
        "/account"
    );
}

#[tokio::test]
async fn the_configured_length_is_said_before_and_asked_for_after() {
    let app = App::with("policy.password_min_length = 24").await;
    let path = app.setup_path().await.unwrap();
    let page = app.browser().get(&path).await;
    assert!(
        page.text("#password-hint")
            .unwrap()
            .contains("At least 24 characters")
    );
    let answer = app
        .browser()
        .submit(
            &page,
            BUTTON,
            &[("email", "ada@example.org"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(
        answer.text("#password-error").as_deref(),
        Some("Use at least 24 characters.")
    );
}
