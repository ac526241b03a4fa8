//! Importing the users of a MediaManager whose database is not shared.

use mediamanager_auth::server::flows::{
    Ctx,
    import::{self, Report},
};

use crate::support::{App, PASSWORD, database::TestDatabase};

/// A database of MediaManager with Ada (an administrator with a provider account) and Bob. Only our
/// own migration creates it: its two tables of MediaManager's are equal to MediaManager's in every
/// column.
async fn mediamanager() -> App {
    let there = App::new().await;
    for (email, admin) in [("ada@example.org", true), ("Bob@Example.org", false)] {
        there.member(&email.to_lowercase()).await;
        there
            .sql(&format!(
                "UPDATE \"user\" SET email = '{email}', is_superuser = {admin} WHERE email = '{}'",
                email.to_lowercase()
            ))
            .await;
    }
    there
        .sql(
            "INSERT INTO oauth_account (id, user_id, oauth_name, access_token, account_id, account_email) \
             SELECT id, id, 'OpenID', 'a-token-of-the-provider', 'subject-1', email FROM \"user\" WHERE is_superuser",
        )
        .await;
    there.sql("DELETE FROM auth_user_account").await;
    there
}

async fn run(here: &App, there: &App) -> Report {
    import::import_mediamanager(&Ctx::cli(&here.state), &there.database.url)
        .await
        .unwrap()
}

#[tokio::test]
async fn people_log_in_with_the_password_they_had() {
    let (there, here) = (mediamanager().await, App::new().await);
    let report = run(&here, &there).await;
    assert_eq!(
        (
            report.users,
            report.links,
            report.known_users,
            report.refused.len()
        ),
        (2, 1, 0, 0)
    );
    assert_eq!(
        here.browser()
            .log_in("ada@example.org", PASSWORD)
            .await
            .path,
        "/account"
    );
    assert_eq!(
        here.browser()
            .log_in("bob@example.org", PASSWORD)
            .await
            .path,
        "/account",
        "however MediaManager spelt the address"
    );
    assert_eq!(
        here.count("SELECT count(*) FROM \"user\" WHERE is_superuser")
            .await,
        1
    );
    assert_eq!(here.count("SELECT count(*) FROM oauth_account WHERE access_token = '' AND account_id = 'subject-1'").await, 1, "without the provider's tokens");
    assert_eq!(
        here.count("SELECT count(*) FROM auth_user_account WHERE email_verified_at IS NOT NULL")
            .await,
        0,
        "MediaManager proves no address"
    );
    assert_eq!(
        here.count("SELECT count(*) FROM auth_event WHERE method = 'import'")
            .await,
        2
    );
    assert_eq!(there.count("SELECT count(*) FROM \"user\"").await, 2);
}

#[tokio::test]
async fn a_second_run_doubles_nothing_and_changes_nothing() {
    let (there, here) = (mediamanager().await, App::new().await);
    run(&here, &there).await;
    here.sql("DELETE FROM oauth_account").await;
    here.sql("UPDATE \"user\" SET is_superuser = false, email = 'lovelace@example.org' WHERE email = 'ada@example.org'").await;
    there.member("eve@example.org").await;
    let report = run(&here, &there).await;
    assert_eq!(
        (
            report.users,
            report.links,
            report.known_users,
            report.refused.len()
        ),
        (1, 0, 2, 0)
    );
    assert_eq!(here.count("SELECT count(*) FROM \"user\"").await, 3);
    assert_eq!(here.count("SELECT count(*) FROM \"user\" WHERE email = 'lovelace@example.org' AND NOT is_superuser").await, 1, "who is here stays as they are");
    assert_eq!(
        here.count("SELECT count(*) FROM oauth_account").await,
        0,
        "a link that was taken away here stays away"
    );
}

#[tokio::test]
async fn somebody_whose_address_is_taken_here_is_named_and_not_copied() {
    let (there, here) = (mediamanager().await, App::new().await);
    here.member("bob@example.org").await;
    let report = run(&here, &there).await;
    assert_eq!(
        (report.users, report.refused),
        (1, vec!["Bob@Example.org".to_owned()])
    );
    assert_eq!(here.count("SELECT count(*) FROM \"user\"").await, 2);
}

#[tokio::test]
async fn what_is_no_mediamanager_is_told_and_nothing_is_copied() {
    let here = App::new().await;
    let empty = TestDatabase::new().await;
    let mut url = empty.url.clone();
    if url.starts_with("sqlite") {
        url.push_str("?mode=rwc");
    }
    let refused = import::import_mediamanager(&Ctx::cli(&here.state), &url)
        .await
        .unwrap_err();
    assert!(refused.contains("no database of MediaManager"), "{refused}");
    let itself = import::import_mediamanager(&Ctx::cli(&here.state), &here.database.url)
        .await
        .unwrap_err();
    assert!(itself.contains("nothing to import"), "{itself}");
    let away = import::import_mediamanager(
        &Ctx::cli(&here.state),
        "postgres://somebody:geheim@localhost:1/x",
    )
    .await
    .unwrap_err();
    assert!(
        away.contains("cannot open") && !away.contains("geheim"),
        "{away}"
    );
}
