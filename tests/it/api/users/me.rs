//! Reading and updating the own account (`/users/me`).

use axum::http::StatusCode;
use mediamanager_auth::server::flows::users::Role;
use serde_json::json;

use super::{ME, NEW, household, logged_in, patch, path_of};
use crate::support::{App, PASSWORD};

#[tokio::test]
async fn nobody_gives_themselves_anything_by_patch() {
    let app = App::with("auth.admin_emails = ['boss@example.org']").await;
    app.user("eve@example.org", Role::Pending).await;
    let mut eve = logged_in(&app, "eve@example.org").await;
    let page = patch(
        &mut eve,
        ME,
        json!({ "is_verified": true, "is_superuser": true, "is_active": true, "id": "x" }),
    )
    .await;
    assert_eq!(
        (
            page.status,
            &page.json()["is_verified"],
            &page.json()["is_superuser"]
        ),
        (StatusCode::OK, &json!(false), &json!(false))
    );
    for body in [
        json!({ "email": "eve@example.org", "is_verified": true }),
        json!({ "email": "EVE@example.org" }),
        json!({ "password": NEW }),
    ] {
        let page = patch(&mut eve, ME, body.clone()).await;
        assert_eq!(
            (page.status, &page.json()["is_verified"]),
            (StatusCode::OK, &json!(false)),
            "{body}: weakness 1 of the original"
        );
    }
    for body in [
        json!({ "hashed_password": "x" }),
        json!({ "user": { "is_superuser": true } }),
        json!({ "role": "admin", "email": "eve@example.org" }),
    ] {
        let page = patch(&mut eve, ME, body.clone()).await;
        assert_eq!(
            (page.status, &page.json()["detail"][0]["type"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("extra_forbidden")),
            "{body}"
        );
    }
    assert_eq!(
        app.count("SELECT count(*) FROM \"user\" WHERE is_superuser OR is_verified")
            .await,
        0
    );
    // An administrator without approval, as MediaManager's table may contain one.
    app.sql("UPDATE \"user\" SET is_superuser = true").await;
    let id = eve.get(ME).await.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        patch(
            &mut eve,
            &format!("/api/v1/users/{id}"),
            json!({ "is_verified": true })
        )
        .await
        .status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn ones_own_password_takes_a_young_login_or_the_present_one() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let (mut here, mut there) = (
        logged_in(&app, "ada@example.org").await,
        logged_in(&app, "ada@example.org").await,
    );
    app.pass(300);
    let page = patch(&mut here, ME, json!({ "password": NEW })).await;
    assert_eq!(
        (page.status, &page.json()["detail"]["code"]),
        (StatusCode::FORBIDDEN, &json!("UPDATE_USER_LOGIN_TOO_OLD")),
        "a stolen cookie is not enough"
    );
    let page = patch(
        &mut here,
        ME,
        json!({ "password": NEW, "current_password": "a wild guess" }),
    )
    .await;
    assert_eq!(
        (page.status, &page.json()["detail"]["code"]),
        (
            StatusCode::BAD_REQUEST,
            &json!("UPDATE_USER_BAD_CURRENT_PASSWORD")
        )
    );
    let page = patch(
        &mut here,
        ME,
        json!({ "password": "short", "current_password": PASSWORD }),
    )
    .await;
    assert_eq!(
        page.json()["detail"]["code"],
        json!("UPDATE_USER_INVALID_PASSWORD")
    );
    let page = patch(
        &mut here,
        ME,
        json!({ "password": NEW, "current_password": PASSWORD }),
    )
    .await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert_eq!(
        here.get(ME).await.status,
        StatusCode::OK,
        "this session stays"
    );
    assert_eq!(
        there.get(ME).await.status,
        StatusCode::UNAUTHORIZED,
        "the others end"
    );
    assert_eq!(
        app.browser().log_in("ada@example.org", NEW).await.path,
        "/account"
    );
}

#[tokio::test]
async fn guessing_the_present_password_is_throttled_like_a_login() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut thief = logged_in(&app, "ada@example.org").await;
    app.pass(300);
    let mut last = StatusCode::OK;
    for _ in 0..12 {
        last = patch(
            &mut thief,
            ME,
            json!({ "password": NEW, "current_password": "a wild guess" }),
        )
        .await
        .status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn an_administrators_own_address_and_password_take_the_same() {
    let (app, mut ada, user, _) = household("").await;
    app.pass(300);
    for body in [
        json!({ "password": NEW }),
        json!({ "email": "new@example.org" }),
    ] {
        let page = patch(&mut ada, &path_of(&user), body.clone()).await;
        assert_eq!(
            (page.status, &page.json()["detail"]["code"]),
            (StatusCode::FORBIDDEN, &json!("UPDATE_USER_LOGIN_TOO_OLD")),
            "{body}"
        );
    }
    let page = patch(
        &mut ada,
        &path_of(&user),
        json!({ "password": NEW, "current_password": PASSWORD }),
    )
    .await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(
        ada.get(ME).await.status,
        StatusCode::OK,
        "this session stays"
    );
}

#[tokio::test]
async fn without_mail_an_address_is_an_administrators_business() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut ada = logged_in(&app, "ada@example.org").await;
    let page = patch(
        &mut ada,
        ME,
        json!({ "email": "new@example.org", "password": NEW }),
    )
    .await;
    assert_eq!(
        (page.status, &page.json()["detail"]["code"]),
        (
            StatusCode::FORBIDDEN,
            &json!("UPDATE_USER_EMAIL_NEEDS_ADMINISTRATOR")
        )
    );
    assert_eq!(
        app.browser().log_in("ada@example.org", PASSWORD).await.path,
        "/account",
        "the password is as it was, too"
    );
}
