//! Updating another user: rights, email address, password, and invalid bodies.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::{ME, NEW, household, logged_in, patch, path_of};
use crate::support::{Browser, SMTP};

#[tokio::test]
async fn an_administrator_changes_rights_as_mediamanagers_table_does() {
    let (app, mut ada, _, bob) = household("").await;
    let mut his = logged_in(&app, "bob@example.org").await;
    let page = patch(&mut ada, &path_of(&bob), json!({ "id": "x", "is_active": true, "is_superuser": "yes", "is_verified": 1, "other": [1] })).await;
    assert_eq!(
        (page.status, &page.json()["is_superuser"]),
        (StatusCode::OK, &json!(true))
    );
    assert_eq!(
        his.get("/api/v1/users/all").await.status,
        StatusCode::OK,
        "at once"
    );
    let page = patch(
        &mut ada,
        &path_of(&bob),
        json!({ "is_superuser": "off", "is_verified": false }),
    )
    .await;
    assert_eq!(
        (&page.json()["is_superuser"], &page.json()["is_verified"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(
        his.get("/api/v1/users/all").await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        patch(&mut ada, &path_of(&bob), json!({ "is_active": 0 }))
            .await
            .json()["is_active"],
        json!(false)
    );
    assert_eq!(
        his.get(ME).await.status,
        StatusCode::UNAUTHORIZED,
        "a disabled account has no sessions"
    );
    assert_eq!(
        patch(&mut ada, &path_of(&bob), json!({ "is_active": "TRUE" }))
            .await
            .json()["is_active"],
        json!(true)
    );
    assert_eq!(
        his.get(ME).await.status,
        StatusCode::UNAUTHORIZED,
        "and gets none back"
    );
    let unchanged = ada.get(&path_of(&bob)).await.body;
    assert_eq!(
        patch(&mut ada, &path_of(&bob), json!({})).await.body,
        unchanged
    );
    assert_eq!(
        patch(&mut ada, &path_of(&bob), json!({ "password": null }))
            .await
            .body,
        unchanged
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_told_field_by_field() {
    let (_app, mut ada, _, bob) = household("").await;
    for (body, kind, at) in [
        (
            json!({ "is_active": "perhaps" }),
            "bool_parsing",
            json!(["body", "is_active"]),
        ),
        (
            json!({ "is_verified": 2 }),
            "bool_parsing",
            json!(["body", "is_verified"]),
        ),
        (
            json!({ "is_superuser": [] }),
            "bool_parsing",
            json!(["body", "is_superuser"]),
        ),
        (
            json!({ "email": 7 }),
            "string_type",
            json!(["body", "email"]),
        ),
        (
            json!({ "email": "no address" }),
            "value_error",
            json!(["body", "email"]),
        ),
        (
            json!({ "password": 7 }),
            "string_type",
            json!(["body", "password"]),
        ),
        (json!([1]), "model_attributes_type", json!(["body"])),
    ] {
        let page = patch(&mut ada, &path_of(&bob), body.clone()).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!(
            (
                &page.json()["detail"][0]["type"],
                &page.json()["detail"][0]["loc"]
            ),
            (&json!(kind), &at),
            "{body}"
        );
    }
    for body in [
        json!({ "email": null }),
        json!({ "is_active": null }),
        json!({ "is_superuser": null }),
        json!({ "is_verified": null }),
    ] {
        let page = patch(&mut ada, &path_of(&bob), body.clone()).await;
        assert_eq!(
            (page.status, page.json()["detail"].is_string()),
            (StatusCode::CONFLICT, true),
            "{body}"
        );
    }
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    let broken = ada.call(Method::PATCH, ME, &headers, "{").await;
    assert_eq!(broken.json()["detail"][0]["type"], json!("json_invalid"));
    let page = Browser::new(_app.router.clone())
        .call(Method::PATCH, ME, &headers, "{")
        .await;
    assert_eq!(
        page.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "looked at before the session, as in the original"
    );
    assert_eq!(
        ada.get(&path_of(&bob)).await.json()["is_active"],
        json!(true),
        "and nothing was changed"
    );
}

#[tokio::test]
async fn a_password_that_an_administrator_sets_ends_everything_before_it() {
    let (app, mut ada, _, bob) = household(SMTP).await;
    let mut his = logged_in(&app, "bob@example.org").await;
    for (password, code) in [
        ("", "UPDATE_USER_INVALID_PASSWORD"),
        ("short", "UPDATE_USER_INVALID_PASSWORD"),
        ("passwordpassword", "UPDATE_USER_INVALID_PASSWORD"),
    ] {
        let page = patch(
            &mut ada,
            &path_of(&bob),
            json!({ "password": password, "is_verified": false }),
        )
        .await;
        assert_eq!(
            (page.status, &page.json()["detail"]["code"]),
            (StatusCode::BAD_REQUEST, &json!(code)),
            "{password:?}"
        );
        assert!(page.json()["detail"]["reason"].is_string());
    }
    assert_eq!(
        ada.get(&path_of(&bob)).await.json()["is_verified"],
        json!(true),
        "all of it or nothing"
    );
    assert_eq!(
        patch(&mut ada, &path_of(&bob), json!({ "password": NEW }))
            .await
            .status,
        StatusCode::OK
    );
    assert_eq!(his.get(ME).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        app.browser().log_in("bob@example.org", NEW).await.path,
        "/account"
    );
    let mail = app.mail().await;
    assert_eq!(
        (mail.to.as_str(), mail.subject.as_str()),
        (
            "bob@example.org",
            "Your password for MediaManager was changed"
        )
    );
    assert!(mail.text.contains("an administrator has set the password"));
}

#[tokio::test]
async fn an_address_that_an_administrator_gives_is_proven_by_nobody() {
    let (app, mut ada, _, bob) =
        household(&format!("auth.admin_emails = ['boss@example.org']\n{SMTP}")).await;
    let taken = patch(
        &mut ada,
        &path_of(&bob),
        json!({ "email": "ADA@example.org" }),
    )
    .await;
    assert_eq!(
        (taken.status, &taken.json()["detail"]),
        (
            StatusCode::BAD_REQUEST,
            &json!("UPDATE_USER_EMAIL_ALREADY_EXISTS")
        )
    );
    app.sql("UPDATE \"user\" SET is_verified = false WHERE email = 'bob@example.org'")
        .await;
    let page = patch(
        &mut ada,
        &path_of(&bob),
        json!({ "email": " Boss@Example.org " }),
    )
    .await;
    assert_eq!(
        (&page.json()["email"], &page.json()["is_verified"]),
        (&json!("boss@example.org"), &json!(false)),
        "an address approves nobody"
    );
    let mail = app.mail().await;
    assert_eq!(
        (mail.to.as_str(), mail.subject.as_str()),
        (
            "bob@example.org",
            "Your address for MediaManager was changed"
        ),
        "the old mailbox is told"
    );
    let mut boss = logged_in(&app, "boss@example.org").await;
    assert_eq!(
        boss.get(ME).await.json()["is_superuser"],
        json!(false),
        "admin_emails needs a proof"
    );
    assert_eq!(
        patch(
            &mut ada,
            &path_of(&bob),
            json!({ "email": "boss@example.org" })
        )
        .await
        .status,
        StatusCode::OK,
        "the same once more"
    );
    assert!(app.mails().await.is_empty());
}
