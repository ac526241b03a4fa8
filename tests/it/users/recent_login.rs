//! What gives control over an account requires a recent login of the administrator (SR-142).

use axum::http::{Method, StatusCode};
use mediamanager_auth::domain::User;

use super::{household, post};
use crate::support::{App, Browser, PASSWORD};

const OLD: i64 = 5 * 60 + 1;

async fn api(admin: &Browser, method: Method, user: &User, body: &str) -> StatusCode {
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    let path = format!("/api/v1/users/{}", user.id);
    let answer = admin.clone().call(method, &path, &headers, body).await;
    if answer.status == StatusCode::FORBIDDEN {
        assert_eq!(
            answer.json()["detail"]["code"],
            "UPDATE_USER_LOGIN_TOO_OLD",
            "{}",
            answer.body
        );
    }
    answer.status
}

/// Everything about users that a thief would change.
async fn state_of(app: &App) -> Vec<i64> {
    let mut counts = Vec::new();
    for query in [
        "SELECT count(*) FROM \"user\"",
        "SELECT count(*) FROM \"user\" WHERE is_superuser",
        "SELECT count(*) FROM auth_event WHERE kind IN ('reset_link_created', 'password_changed', 'email_changed', 'user_created')",
    ] {
        counts.push(app.count(query).await);
    }
    counts
}

#[tokio::test]
async fn a_stolen_administrators_cookie_takes_over_no_account() {
    let (app, mut ada, _, bob) = household("").await;
    let before = state_of(&app).await;
    app.pass(OLD);
    for action in ["create-reset-link", "make-administrator", "delete"] {
        let page = post(&mut ada, &bob, action).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{action}");
    }
    let id = bob.id.to_string();
    for (path, fields) in [
        (
            "/users/address",
            [("id", id.as_str()), ("email", "eve@example.org")],
        ),
        ("/users/new", [("email", "eve@example.org"), ("x", "")]),
    ] {
        let page = ada.post_form(path, &fields).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
    }
    for body in [
        r#"{"password":"copper lantern meadow 4"}"#,
        r#"{"email":"eve@example.org"}"#,
        r#"{"is_superuser":true,"is_verified":true,"is_active":true}"#,
    ] {
        assert_eq!(
            api(&ada, Method::PATCH, &bob, body).await,
            StatusCode::FORBIDDEN,
            "{body}"
        );
    }
    assert_eq!(
        api(&ada, Method::DELETE, &bob, "").await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(state_of(&app).await, before);
}

#[tokio::test]
async fn what_gives_no_control_stays_one_click() {
    let (app, mut ada, _, bob) = household("").await;
    app.pass(OLD);
    for (action, body) in [
        ("disable", r#"{"is_active":false}"#),
        ("enable", r#"{"is_active":true}"#),
        ("approve", r#"{"is_verified":true,"is_superuser":false}"#),
        ("end-sessions", "{}"),
    ] {
        let page = post(&mut ada, &bob, action).await;
        assert!(
            page.location().is_some_and(|to| to.starts_with("/users")),
            "{action} {}",
            page.status
        );
        assert_eq!(api(&ada, Method::PATCH, &bob, body).await, StatusCode::OK);
    }
}

#[tokio::test]
async fn the_page_asks_for_a_login_and_comes_back() {
    let (app, mut ada, _, bob) = household("").await;
    let page = format!("/users/change?id={}&action=delete", bob.id);
    app.pass(OLD);
    for path in [
        page.as_str(),
        "/users/new",
        &format!("/users/address?id={}", bob.id),
    ] {
        let asked = ada.get(path).await;
        assert!(asked.path.starts_with("/account/log-in-again"), "{path}");
    }
    let asked = ada.get(&page).await;
    let back = ada.submit(&asked, "Go on", &[("password", PASSWORD)]).await;
    assert_eq!(back.path, page);
    let done = ada.submit(&back, "Delete", &[]).await;
    assert_eq!(done.path, "/users?notice=user_deleted", "{}", done.body);
}

#[tokio::test]
async fn the_api_takes_the_administrators_own_password_instead() {
    let (app, ada, _, bob) = household("").await;
    app.pass(OLD);
    let body = |password: &str| {
        format!(r#"{{"password":"copper lantern meadow 4","current_password":"{password}"}}"#)
    };
    assert_eq!(
        api(&ada, Method::PATCH, &bob, &body("not the administrator's")).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        api(&ada, Method::PATCH, &bob, &body(PASSWORD)).await,
        StatusCode::OK
    );
}
