//! Events of administrators who act on other users.

use axum::http::{Method, StatusCode};
use mediamanager_auth::{
    domain::AuditEvent,
    server::{db::events::AuditFilter, flows::users::Role},
};

use super::{id_of, is_written};
use crate::events::{find, household, logged_in};

#[tokio::test]
async fn everything_that_administrators_do_leaves_one_row() {
    let (app, mut ada, user, _) = household("").await;
    let (by, eve) = (
        Some(user.id),
        app.user("eve@example.org", Role::Pending).await,
    );
    let (about, id) = (Some(eve.id), eve.id.to_string());
    for (action, expected) in [
        ("approve", &[("user_approved", about, by, "", "")][..]),
        ("approve", &[]),
        (
            "make-administrator",
            &[("role_changed", about, by, "", "administrator")],
        ),
        ("make-member", &[("role_changed", about, by, "", "member")]),
        ("disable", &[("user_disabled", about, by, "", "")]),
        ("create-reset-link", &[]),
        ("enable", &[("user_enabled", about, by, "", "")]),
        (
            "create-reset-link",
            &[("reset_link_created", about, by, "handed_over", "")],
        ),
        ("end-sessions", &[("sessions_ended", about, by, "", "all")]),
        ("explode", &[]),
    ] {
        let page = ada
            .post_form("/users/change", &[("id", &id), ("action", action)])
            .await;
        is_written(&app, &page, expected).await;
    }
    logged_in(&app, "eve@example.org").await;
    let page = ada.get(&format!("/users/{id}")).await;
    let page = ada
        .submit_only(&page, "End the session of an unknown program", &[])
        .await;
    is_written(&app, &page, &[("sessions_ended", about, by, "", "")]).await;
    let page = ada
        .post_form(
            "/users/address",
            &[("id", &id), ("email", "eve@new.example")],
        )
        .await;
    is_written(&app, &page, &[("email_changed", about, by, "", "")]).await;
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    for (body, expected) in [
        (
            r#"{"is_verified":false}"#,
            &[("approval_revoked", about, by, "", "")][..],
        ),
        (
            r#"{"is_verified":true,"is_superuser":true}"#,
            &[
                ("user_approved", about, by, "", ""),
                ("role_changed", about, by, "", "administrator"),
            ],
        ),
        (
            r#"{"password":"copper lantern meadow 4"}"#,
            &[("password_changed", about, by, "", "")],
        ),
        (r#"{"password":"short","is_active":false}"#, &[]),
    ] {
        let page = ada
            .call(
                Method::PATCH,
                &format!("/api/v1/users/{id}"),
                &headers,
                body,
            )
            .await;
        is_written(&app, &page, expected).await;
    }
    let page = ada
        .post_form("/users/change", &[("id", &id), ("action", "delete")])
        .await;
    is_written(&app, &page, &[("user_deleted", about, by, "", "")]).await;
    let page = ada
        .post_form("/users/new", &[("email", "new@example.org")])
        .await;
    let new = Some(id_of(&app, "new@example.org").await);
    is_written(
        &app,
        &page,
        &[
            ("user_created", new, by, "", "member"),
            ("reset_link_created", new, by, "handed_over", ""),
        ],
    )
    .await;
    // A rejected change writes no row, because the row is part of its transaction.
    for action in ["make-member", "disable", "delete"] {
        let page = ada
            .post_form(
                "/users/change",
                &[("id", &user.id.to_string()), ("action", action)],
            )
            .await;
        assert_eq!(page.status, StatusCode::CONFLICT, "{action}");
        is_written(&app, &page, &[]).await;
    }
    let made = find(
        &app,
        AuditFilter {
            user: Some(user.id),
            kind: Some(AuditEvent::UserCreated),
            ..AuditFilter::default()
        },
    )
    .await;
    assert_eq!(
        (
            made[0].method.as_str(),
            made[0].client_ip.as_str(),
            made[0].detail.as_str()
        ),
        ("shell", "shell", "administrator")
    );
}
