//! A user's sessions are limited, and the new one is never the one that ends (SR-100).

use super::{ALIVE, DEAD, ada, logged_in, opens};
use crate::support::App;

const LIVE: &str = "SELECT COUNT(*) FROM auth_session WHERE ended_at IS NULL";

#[tokio::test]
async fn a_new_session_lives_although_the_clock_was_set_back() {
    let app = App::new().await;
    ada(&app).await;
    for _ in 0..49 {
        app.pass(30);
        logged_in(&app, "ada@example.org").await;
    }
    app.pass(-7200);
    for _ in 0..3 {
        let (_, token) = logged_in(&app, "ada@example.org").await;
        assert_eq!(opens(&app.router, &token).await, ALIVE);
        assert_eq!(app.count(LIVE).await, 50);
    }
}

#[tokio::test]
async fn of_many_logins_in_one_second_the_newest_lives() {
    let app = App::new().await;
    let (_, oldest) = ada(&app).await;
    app.pass(1);
    for _ in 0..55 {
        let (_, token) = logged_in(&app, "ada@example.org").await;
        assert_eq!(opens(&app.router, &token).await, ALIVE);
    }
    assert_eq!(app.count(LIVE).await, 50);
    assert_eq!(opens(&app.router, &oldest).await, DEAD);
}

#[tokio::test]
async fn far_more_than_fifty_sessions_end_with_the_next_login() {
    let app = App::new().await;
    let (_, oldest) = ada(&app).await;
    let uuid = if app.database.is_postgres() {
        "gen_random_uuid()"
    } else {
        "randomblob(16)"
    };
    app.sql(&format!(
        "INSERT INTO auth_session (id, user_id, created_at, expires_at, method, client_ip, user_agent) \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 170) \
         SELECT {uuid}, user_id, created_at + i, expires_at + i, method, client_ip, user_agent FROM auth_session, n"
    ))
    .await;
    app.pass(200);
    let (_, newest) = logged_in(&app, "ada@example.org").await;
    assert_eq!(app.count(LIVE).await, 50);
    assert_eq!(
        (
            opens(&app.router, &oldest).await,
            opens(&app.router, &newest).await
        ),
        (DEAD, ALIVE)
    );
}
