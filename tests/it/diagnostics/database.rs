//! Checks of the database.

use mediamanager_auth::server::{db, diagnostics::CheckStatus};

use super::is_told;
use crate::support::{App, database::TestDatabase};

#[tokio::test]
async fn a_database_that_is_not_as_it_should_be_is_told_with_what_to_do() {
    let app = App::new().await;
    let url = &app.database.url;
    app.sql("DELETE FROM auth_migration WHERE version = 'm0001_initial'")
        .await;
    is_told(
        &db::inspect(url).await,
        CheckStatus::Warning,
        "the next start takes 1 more",
        "make a backup",
    );
    app.sql("INSERT INTO auth_migration (version, applied_at) VALUES ('m9999_future', 0)")
        .await;
    is_told(
        &db::inspect(url).await,
        CheckStatus::Error,
        "newer version",
        "restore a backup",
    );
    // An unreadable version is an error, unlike a database without migrations, which the next start
    // migrates.
    app.sql("ALTER TABLE auth_migration RENAME COLUMN version TO something_else")
        .await;
    is_told(
        &db::inspect(url).await,
        CheckStatus::Error,
        "cannot read the schema's version",
        "rights",
    );
    let unused = TestDatabase::new().await;
    let says = if unused.is_postgres() {
        "0 steps of the schema"
    } else {
        "not there yet"
    };
    is_told(
        &db::inspect(&unused.url).await,
        CheckStatus::Warning,
        says,
        if unused.is_postgres() {
            "backup"
        } else {
            "server.database_url"
        },
    );
}

#[tokio::test]
async fn a_database_that_takes_connections_and_never_answers_holds_nothing_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://nobody@{}/nothing", silent.local_addr().unwrap());
    let finding = tokio::time::timeout(std::time::Duration::from_secs(10), db::inspect(&url))
        .await
        .expect("an answer");
    is_told(&finding, CheckStatus::Error, "", "server.database_url");
}
