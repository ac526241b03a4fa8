//! A database that accepts no writes: locked by another process, read-only, or full. Sessions stay
//! live and the program stays ready, because the services behind it only ask it to check sessions.

use axum::http::StatusCode;
use futures_util::future::join_all;
use mediamanager_auth::server::web::router::router;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};

use super::Siege;
use crate::support::{Browser, PASSWORD};

mod disk_full;
mod every_change;

const TABLES: &str = "\"user\", auth_user_account, auth_session, auth_event";

/// Asserts that writing requests are answered with a message to try again, and that all others
/// work.
async fn goes_without_writing(siege: &Siege) {
    let before = siege.rows().await;
    let (readers, is_ready, (), ()) = tokio::join!(
        join_all(siege.readers()),
        siege.is_ready(),
        siege.lives(),
        siege.refuses(siege.writers())
    );
    for (page, took) in readers {
        assert_eq!(page.status, StatusCode::OK, "{} after {took:?}", page.path);
    }
    assert!(is_ready);
    // More requests than connections: the time spent waiting for a connection counts against the
    // time for the database.
    siege
        .refuses((0..3).flat_map(|_| siege.writers()).collect())
        .await;
    assert_eq!(siege.rows().await, before);
}

/// The program with a single database connection, whose settings the test changes.
async fn on_one_connection(siege: &mut Siege) -> DatabaseConnection {
    let mut options = ConnectOptions::new(&siege.app.database.url);
    let only = Database::connect(options.max_connections(1).sqlx_logging(false).to_owned())
        .await
        .unwrap();
    siege.app.state.db = only.clone().into();
    siege.app.router = router(siege.app.state.clone());
    let ada = siege.ada.cookie("fastapiusersauth").unwrap().to_owned();
    siege.ada = Browser::new(siege.app.router.clone());
    siege.ada.set_cookie("fastapiusersauth", &ada);
    only
}

async fn say(db: &impl ConnectionTrait, words: &str) {
    db.execute_unprepared(words).await.unwrap();
}

#[tokio::test]
async fn a_database_that_somebody_else_is_writing_is_read() {
    let siege = Siege::new().await;
    let immediately = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let writing = siege
        .side_door
        .begin_with_options(immediately)
        .await
        .unwrap();
    if siege.app.database.is_postgres() {
        say(&writing, &format!("LOCK TABLE {TABLES} IN EXCLUSIVE MODE")).await;
    }
    goes_without_writing(&siege).await;
    writing.rollback().await.unwrap();
    siege.recovers().await;
}

#[tokio::test]
async fn a_database_that_is_being_rebuilt_is_not_waited_for() {
    let siege = Siege::new().await;
    if !siege.app.database.is_postgres() {
        return;
    }
    let before = siege.rows().await;
    let rebuilding = siege.side_door.begin().await.unwrap();
    say(
        &rebuilding,
        &format!("LOCK TABLE {TABLES} IN ACCESS EXCLUSIVE MODE"),
    )
    .await;
    let requests = siege
        .writers()
        .into_iter()
        .chain((0..10).flat_map(|_| siege.readers()))
        .collect();
    let ((), ()) = tokio::join!(siege.lives(), siege.refuses(requests));
    rebuilding.rollback().await.unwrap();
    assert_eq!(siege.rows().await, before);
    siege.recovers().await;
}

#[tokio::test]
async fn a_database_that_is_read_only_is_read() {
    let mut siege = Siege::new().await;
    if siege.app.database.is_postgres() {
        let name = siege
            .app
            .database
            .url
            .rsplit_once('/')
            .unwrap()
            .1
            .to_owned();
        // As after a failover to a standby: all connections are reset, and new ones cannot write.
        let all_others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        say(
            &siege.side_door,
            &format!("ALTER DATABASE {name} SET default_transaction_read_only = on"),
        )
        .await;
        say(&siege.side_door, all_others).await;
        goes_without_writing(&siege).await;
        say(&siege.side_door, &format!("BEGIN READ WRITE; ALTER DATABASE {name} RESET default_transaction_read_only; COMMIT")).await;
        say(&siege.side_door, all_others).await;
    } else {
        let only = on_one_connection(&mut siege).await;
        say(&only, "PRAGMA query_only = 1").await;
        goes_without_writing(&siege).await;
        say(&only, "PRAGMA query_only = 0").await;
    }
    siege.recovers().await;
}

#[tokio::test]
async fn a_database_that_fills_up_loses_nothing_and_holds_nothing_by_halves() {
    let mut siege = Siege::new().await;
    if siege.app.database.is_postgres() {
        return;
    }
    let only = on_one_connection(&mut siege).await;
    // The limit cannot be below the present size; rows that fit into existing pages are still
    // stored.
    say(&only, "PRAGMA max_page_count = 1").await;
    let (mut made, mut refused) = (0, 0);
    while refused < 20 {
        let form = [
            ("email", &*format!("number{}@example.org", made + refused)),
            ("password", PASSWORD),
        ];
        let page = siege.app.browser().post_form("/login/signup", &form).await;
        // A sign-up opens a session too, which is a second write.
        let is_logged_in = page.header("set-cookie").is_some();
        assert!(
            page.status
                == if is_logged_in {
                    StatusCode::SEE_OTHER
                } else {
                    StatusCode::SERVICE_UNAVAILABLE
                },
            "{}",
            page.status
        );
        if is_logged_in {
            made += 1
        } else {
            refused += 1
        }
        assert!(made < 500, "there is no end to it");
        assert_eq!(
            siege.count("\"user\"").await,
            siege.count("auth_user_account").await
        );
        assert_eq!(siege.count("auth_session").await, made + 1);
        assert_eq!(
            siege.ada.get("/api/v1/users/me").await.status,
            StatusCode::OK
        );
    }
    say(&only, "PRAGMA max_page_count = 1000000").await;
    assert_eq!(
        siege
            .app
            .browser()
            .log_in("number0@example.org", PASSWORD)
            .await
            .path,
        "/login/verify"
    );
    assert_eq!(
        siege.ada.post_form("/logout", &[]).await.status,
        StatusCode::SEE_OTHER
    );
}
