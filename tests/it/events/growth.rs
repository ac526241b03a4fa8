//! The audit log is bounded, and what is frequent displaces nothing that is rare (SR-173, SR-180).

use axum::http::StatusCode;
use mediamanager_auth::{
    domain::AuditEvent,
    server::{db::events::AuditFilter, flows::events},
};

use super::{App, find, household, post_from_another_site};

async fn count(app: &App, kind: AuditEvent) -> usize {
    let filter = AuditFilter {
        kind: Some(kind),
        ..AuditFilter::default()
    };
    find(app, filter).await.len()
}

/// Inserts this many events of a kind; `user` is SQL.
async fn insert(app: &App, kind: &str, user: &str, times: u32) {
    let now = app.state.clock.now();
    app.sql(&format!(
        "INSERT INTO auth_event (occurred_at, kind, user_id, method, client_ip, request_id, detail) \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {times}) \
         SELECT {now}, '{kind}', {user}, 'password', '192.0.2.1', '', '' FROM n"
    ))
    .await;
}

fn user(email: &str) -> String {
    format!("(SELECT id FROM \"user\" WHERE email = '{email}')")
}

#[tokio::test]
async fn what_is_frequent_displaces_nothing_rare_and_nobody_elses() {
    let (app, ..) = household("").await;
    // The real break-in, and then the flood that is to hide it.
    insert(&app, "role_changed", &user("bob@example.org"), 1).await;
    insert(&app, "password_reset", &user("bob@example.org"), 1).await;
    insert(&app, "logged_in", &user("bob@example.org"), 1).await;
    insert(&app, "login_failed", &user("bob@example.org"), 3).await;
    insert(&app, "logged_in", &user("ada@example.org"), 5000).await;
    insert(&app, "logged_out", &user("ada@example.org"), 5000).await;
    insert(&app, "login_failed", "NULL", 12_000).await;
    let bobs_logins = "SELECT count(*) FROM auth_event JOIN \"user\" u ON u.id = user_id \
                       WHERE u.email LIKE 'bob%' AND kind IN ('logged_in', 'login_failed')";
    assert_eq!(app.count(bobs_logins).await, 4);

    assert!(events::purge(&app.state).await.unwrap() > 9000);
    assert_eq!(
        (
            count(&app, AuditEvent::RoleChanged).await,
            count(&app, AuditEvent::PasswordReset).await,
            app.count(bobs_logins).await
        ),
        (1, 1, 4)
    );
    assert_eq!(
        (
            count(&app, AuditEvent::LoggedIn).await,
            count(&app, AuditEvent::LoggedOut).await,
            count(&app, AuditEvent::LoginFailed).await
        ),
        (1001, 1000, 10_003)
    );
    assert_eq!(events::purge(&app.state).await, Ok(0));
}

#[tokio::test]
async fn a_kind_is_bounded_however_many_people_fill_it() {
    let (app, ..) = household("").await;
    let uuid = if app.database.is_postgres() {
        "gen_random_uuid()"
    } else {
        "randomblob(16)"
    };
    insert(&app, "login_failed", uuid, 21_000).await;
    events::purge(&app.state).await.unwrap();
    assert_eq!(count(&app, AuditEvent::LoginFailed).await, 20_000);
}

#[tokio::test]
async fn strangers_from_everywhere_have_one_budget_for_each_kind() {
    let (app, mut ada, ..) = household("").await;
    // As after 5 000 other sites' requests from as many networks.
    let until = app.state.clock.now() + 600;
    app.sql(&format!(
        "INSERT INTO auth_rate_limit (key, failures, blocked_until, last_attempt_at) \
         VALUES ('event:csrf_rejected', 5000, {until}, {})",
        until - 600
    ))
    .await;
    let keys = "SELECT count(*) FROM auth_rate_limit";
    let before = app.count(keys).await;
    assert_eq!(
        post_from_another_site(&app).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(count(&app, AuditEvent::CsrfRejected).await, 0);
    assert_eq!(app.count(keys).await, before, "no row for each network");
    // Another kind has its own budget.
    let mut bob = app.browser();
    bob.log_in("bob@example.org", super::PASSWORD).await;
    bob.get("/users").await;
    assert_eq!(count(&app, AuditEvent::AccessDenied).await, 1);
    assert!(ada.get("/users/events").await.body.contains("/users"));
    app.pass(600);
    post_from_another_site(&app).await;
    assert_eq!(count(&app, AuditEvent::CsrfRejected).await, 1);
}
