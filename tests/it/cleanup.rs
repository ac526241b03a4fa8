//! The cleanup deletes all expired rows, in batches (SR-100, SR-173).

use mediamanager_auth::server::{db, flows::events};

use crate::support::App;

/// Two and a half batches.
const MANY: u32 = 2500;

/// Inserts rows of these values; `i` is the row number.
async fn fill(app: &App, table: &str, columns: &str, values: &str) {
    let numbers =
        format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})");
    app.sql(&format!(
        "INSERT INTO {table} ({columns}) {numbers} SELECT {values} FROM n"
    ))
    .await;
}

#[tokio::test]
async fn a_backlog_of_any_size_is_gone_after_one_round_and_the_rest_stays() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    app.browser()
        .log_in("ada@example.org", crate::support::PASSWORD)
        .await;
    app.browser()
        .log_in("ada@example.org", "a wrong guess")
        .await;
    let kept = async |table: &str| app.count(&format!("SELECT count(*) FROM {table}")).await;
    let (sessions, throttles, rows) = (
        kept("auth_session").await,
        kept("auth_rate_limit").await,
        kept("auth_event").await,
    );
    assert!(sessions > 0 && throttles > 0 && rows > 0);

    let uuid = if app.database.is_postgres() {
        "gen_random_uuid()"
    } else {
        "randomblob(16)"
    };
    let session = format!("{uuid}, (SELECT id FROM \"user\"), 0, 0, 'password', '', ''");
    fill(
        &app,
        "auth_session",
        "id, user_id, created_at, expires_at, method, client_ip, user_agent",
        &session,
    )
    .await;
    fill(
        &app,
        "auth_rate_limit",
        "key, failures, blocked_until, last_attempt_at",
        "'old ' || i, 1, 0, 0",
    )
    .await;
    fill(&app, "auth_used_token", "id, expires_at", "'old ' || i, 0").await;
    fill(
        &app,
        "auth_event",
        "occurred_at, kind, method, client_ip, request_id, detail",
        "0, 'login_failed', '', '', '', ''",
    )
    .await;

    let (db, now) = (&app.state.db, app.state.clock.now());
    assert_eq!(db::sessions::purge(db, now).await, Ok(MANY.into()));
    assert_eq!(db::rate_limits::purge(db, now).await, Ok(MANY.into()));
    assert_eq!(db::used_tokens::purge(db, now).await, Ok(MANY.into()));
    assert_eq!(events::purge(&app.state).await, Ok(MANY.into()));
    assert_eq!(
        (
            kept("auth_session").await,
            kept("auth_rate_limit").await,
            kept("auth_used_token").await,
            kept("auth_event").await
        ),
        (sessions, throttles, 0, rows)
    );
}
