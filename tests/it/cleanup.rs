//! The cleanup deletes all expired rows, in batches (SR-100, SR-173).

use mediamanager_auth::server::{
    db,
    flows::{
        cleanup::{self, ClockGuard},
        events,
    },
};

use crate::support::{App, PASSWORD};

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
    app.browser().log_in("ada@example.org", PASSWORD).await;
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

/// Runs the cleanup at intervals until it has passed this many seconds.
async fn run_for(app: &App, guard: &mut ClockGuard, uptime: &mut i64, seconds: i64) {
    let until = *uptime + seconds;
    while *uptime < until {
        *uptime += 600;
        app.pass(600);
        cleanup::run(&app.state, guard, *uptime).await;
    }
}

#[tokio::test]
async fn a_clock_that_is_far_ahead_once_deletes_nothing() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut ada = app.browser();
    ada.log_in("ada@example.org", PASSWORD).await;
    app.sql("INSERT INTO auth_used_token (id, expires_at) VALUES ('old', 0)")
        .await;
    let rows = async || {
        let mut counts = Vec::new();
        for table in ["auth_session", "auth_event", "auth_used_token"] {
            counts.push(app.count(&format!("SELECT count(*) FROM {table}")).await);
        }
        counts
    };
    let before = rows().await;
    let (mut guard, mut uptime) = (ClockGuard::default(), 0);
    let year = 400 * 86_400;

    // The program starts while the clock is wrong, and it is corrected within the hour.
    app.pass(year);
    cleanup::run(&app.state, &mut guard, uptime).await;
    run_for(&app, &mut guard, &mut uptime, 3000).await;
    app.pass(-year - 3000);
    run_for(&app, &mut guard, &mut uptime, 1200).await;
    assert_eq!(rows().await, before);
    assert_eq!(ada.get("/account").await.path, "/account");

    // It is wrong for a while, when everything has long been deleted by its age.
    run_for(&app, &mut guard, &mut uptime, 7200).await;
    let settled = rows().await;
    assert_eq!(settled[2], 0, "what is old is deleted");
    assert_eq!(settled[..2], before[..2]);
    app.pass(year);
    cleanup::run(&app.state, &mut guard, uptime).await;
    run_for(&app, &mut guard, &mut uptime, 1200).await;
    app.pass(-year);
    cleanup::run(&app.state, &mut guard, uptime).await;
    assert_eq!(rows().await, settled);
    assert_eq!(ada.get("/account").await.path, "/account");

    // A clock that stays there is right.
    app.pass(year);
    run_for(&app, &mut guard, &mut uptime, 4800).await;
    assert_eq!(rows().await[0], 0);
}
