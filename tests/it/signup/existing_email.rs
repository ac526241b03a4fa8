//! Signing up with an address that has an account already: no account enumeration.

use axum::http::StatusCode;
use mediamanager_auth::{domain::Email, server::db};
use serde_json::{Value, json};

use super::{people, register, sign_up};
use crate::support::{App, PASSWORD, SMTP};

#[tokio::test]
async fn with_mail_an_address_that_has_an_account_gets_the_same_answer_and_its_owner_a_mail() {
    let app = App::with(SMTP).await;
    app.member("ada@example.org").await;
    let (taken, free) = (
        sign_up(&app, "ADA@example.org", "another good password 1").await,
        sign_up(&app, "new@example.org", "another good password 1").await,
    );
    assert_eq!(
        (taken.status, &taken.path, taken.text("main")),
        (free.status, &free.path, free.text("main"))
    );
    let taken = register(
        &app,
        "203.0.113.7",
        &json!({ "email": "ada@example.org", "password": "another good password 1" }),
    )
    .await;
    let free = register(
        &app,
        "203.0.113.7",
        &json!({ "email": "newer@example.org", "password": "another good password 1" }),
    )
    .await;
    assert_eq!(
        (taken.status, free.status),
        (StatusCode::CREATED, StatusCode::CREATED)
    );
    for (page, email) in [(&taken, "ada@example.org"), (&free, "newer@example.org")] {
        let user = page.json();
        assert_eq!(
            user.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["email", "id", "is_active", "is_superuser", "is_verified"]
        );
        assert_eq!(
            (user["email"].as_str(), &user["is_verified"]),
            (Some(email), &json!(false))
        );
        assert_eq!(user["id"].as_str().unwrap().len(), 36);
    }
    let ids: Vec<_> = [
        taken.json()["id"].clone(),
        register(
            &app,
            "203.0.113.7",
            &json!({ "email": "ada@example.org", "password": "another good password 1" }),
        )
        .await
        .json()["id"]
            .clone(),
    ]
    .into();
    assert_ne!(ids[0], ids[1], "it says nothing of the real one");
    let mails = app.mails().await;
    let to_ada: Vec<_> = mails
        .iter()
        .filter(|mail| mail.to == "ada@example.org")
        .map(|mail| mail.subject.as_str())
        .collect();
    assert_eq!(to_ada, ["You have an account at MediaManager"; 3]);
    assert_eq!(
        app.browser().log_in("ada@example.org", PASSWORD).await.path,
        "/account",
        "nothing of hers has changed"
    );
}

#[tokio::test]
async fn without_mail_the_refusal_is_neutral_and_rare() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let page = sign_up(&app, "ada@example.org", "another good password 1").await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(
        page.text("#email-error")
            .unwrap()
            .contains("cannot be used for a new account")
    );
    assert_eq!(
        page.attribute("#email", "value").as_deref(),
        Some("ada@example.org")
    );
    let body = json!({ "email": "Ada@Example.ORG", "password": "another good password 1" });
    for _ in 0..2 {
        let answer = register(&app, "203.0.113.7", &body).await;
        assert_eq!(
            (answer.status, answer.json()["detail"].as_str()),
            (
                StatusCode::BAD_REQUEST,
                Some("REGISTER_USER_ALREADY_EXISTS")
            )
        );
    }
    assert_eq!(
        register(&app, "203.0.113.7", &body).await.status,
        StatusCode::TOO_MANY_REQUESTS,
        "three addresses an hour can be tried"
    );
    let free = json!({ "email": "new@example.org", "password": PASSWORD });
    assert_eq!(
        register(&app, "203.0.113.7", &free).await.status,
        StatusCode::TOO_MANY_REQUESTS,
        "or running out would tell as much as a refusal"
    );
    assert_eq!(
        register(&app, "198.51.100.1", &free).await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn twenty_sign_ups_of_one_address_make_one_account() {
    for toml in ["", SMTP] {
        let app = App::with(toml).await;
        let all = (0..20).map(|number| {
            let email = if number % 2 == 0 {
                "ada@example.org"
            } else {
                "ADA@example.org"
            };
            let (app, address) = (&app, format!("198.51.100.{number}"));
            async move {
                register(
                    app,
                    &address,
                    &json!({ "email": email, "password": format!("{PASSWORD} of {number}") }),
                )
                .await
            }
        });
        let answers = futures_util::future::join_all(all).await;
        assert_eq!(people(&app).await, 1, "{toml}");
        let made =
            db::users::find_by_email(&app.state.db, &Email::parse("ada@example.org").unwrap())
                .await
                .unwrap()
                .unwrap()
                .user
                .id
                .to_string();
        let winners: Vec<_> = (0..20)
            .filter(|number: &usize| {
                answers[*number].status == StatusCode::CREATED
                    && answers[*number].json()["id"] == made
            })
            .collect();
        assert_eq!(winners.len(), 1, "{toml}: {winners:?}");
        for (number, answer) in answers
            .iter()
            .enumerate()
            .filter(|(number, _)| *number != winners[0])
        {
            // With mail, the winner's response; without, the ordinary rejection.
            let expected = if toml.is_empty() {
                (
                    StatusCode::BAD_REQUEST,
                    json!("REGISTER_USER_ALREADY_EXISTS"),
                )
            } else {
                (StatusCode::CREATED, Value::Null)
            };
            assert_eq!(
                (answer.status, answer.json()["detail"].clone()),
                expected,
                "{number}"
            );
        }
        assert_eq!(
            app.browser()
                .log_in("ada@example.org", &format!("{PASSWORD} of {}", winners[0]))
                .await
                .path,
            "/login/verify",
            "the winner's password counts"
        );
        if !toml.is_empty() {
            let mails = app.mails().await;
            assert_eq!(
                mails
                    .iter()
                    .filter(|mail| mail.subject.starts_with("Confirm your address"))
                    .count(),
                1,
                "{mails:?}"
            );
        }
    }
}
