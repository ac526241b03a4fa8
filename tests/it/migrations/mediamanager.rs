//! A database of MediaManager itself is adopted with its users and their password hashes.

use mediamanager_auth::{
    domain::Password,
    server::crypto::password_hasher::{Argon2Params, Hasher, Verification},
};
use sea_orm::{ConnectionTrait, DbBackend};

use super::{ARGON2, OURS, WEAK, add_user, mediamanagers, schema, texts, users};
use crate::support::{App, Browser, PASSWORD};

/// All values of MediaManager's rows.
async fn everything(db: &impl ConnectionTrait) -> Vec<String> {
    let (id, user_id) = if db.get_database_backend() == DbBackend::Postgres {
        ("id::text", "user_id::text")
    } else {
        ("hex(id)", "hex(user_id)")
    };
    let user = format!(
        "SELECT {id} || '|' || email || '|' || hashed_password || '|' || CAST(is_active AS text) || CAST(is_superuser AS text) || CAST(is_verified AS text) \
         FROM \"user\" ORDER BY email"
    );
    let link = format!(
        "SELECT {id} || '|' || {user_id} || '|' || oauth_name || '|' || access_token || '|' || CAST(expires_at AS text) || '|' \
         || COALESCE(refresh_token, 'null') || '|' || account_id || '|' || account_email FROM oauth_account"
    );
    [
        texts(db, &user).await,
        texts(db, &link).await,
        texts(db, "SELECT version_num FROM alembic_version").await,
    ]
    .concat()
}

#[tokio::test]
async fn mediamanagers_database_is_adopted_without_touching_a_row() {
    let (database, db) = mediamanagers().await;
    let (rows, tables) = (
        everything(&db).await,
        schema(
            &db,
            "'user', 'oauth_account', 'alembic_version', 'movie_request'",
        )
        .await,
    );
    assert_eq!(rows.len(), 5);
    let app = App::on(database, "").await;
    assert_eq!(everything(&db).await, rows);
    assert_eq!(
        schema(
            &db,
            "'user', 'oauth_account', 'alembic_version', 'movie_request'"
        )
        .await,
        tables
    );
    assert!(schema(&db, OURS).await.len() > 15);
    assert_eq!(app.setup_path().await, None, "there are people already");

    // Neither failed logins nor reads change anything.
    for email in [
        "ada.lovelace@example.org",
        "bob@example.org",
        "charlie@example.org",
    ] {
        assert_eq!(
            app.browser()
                .log_in(email, "not the password")
                .await
                .status
                .as_u16(),
            401
        );
    }
    assert_eq!(everything(&db).await, rows);
}

#[tokio::test]
async fn its_people_log_in_and_only_weaker_hashes_are_upgraded() {
    let (database, db) = mediamanagers().await;
    let before = users(&db).await;
    let app = App::on(database, "").await;
    for round in 0..2 {
        for email in [
            "ADA.lovelace@example.org",
            "bob@example.org",
            "charlie@example.org",
        ] {
            assert_eq!(
                app.browser().log_in(email, PASSWORD).await.path,
                "/account",
                "{email} {round}"
            );
        }
        let after = users(&db).await;
        assert_eq!(
            after[0], before[0],
            "strong enough: not a byte changed, the capitals of the address included"
        );
        for (before, after) in before[1..].iter().zip(&after[1..]) {
            assert!(
                after
                    .hashed_password
                    .starts_with("$argon2id$v=19$m=64,t=1,p=1$"),
                "{}",
                after.hashed_password
            );
            let restored = users::Model {
                hashed_password: before.hashed_password.clone(),
                ..after.clone()
            };
            assert_eq!(&restored, before, "nothing but the hash changed");
        }
    }
    let mut browser = app.browser();
    browser.log_in("ada.lovelace@example.org", PASSWORD).await;
    let me = browser.get("/api/v1/users/me").await.json();
    assert_eq!(
        (me["email"].as_str(), me["id"].as_str()),
        (
            Some("Ada.Lovelace@Example.org"),
            Some(before[0].id.to_string().as_str())
        )
    );
}

#[tokio::test]
async fn with_the_cost_of_production_mediamanagers_own_hashes_stay() {
    let (database, db) = mediamanagers().await;
    let app = App::on(database, "").await;
    let hasher = Hasher::new(Argon2Params::STANDARD, 1).unwrap();
    let production = app.with_hasher(hasher.clone());
    for email in ["ada.lovelace@example.org", "charlie@example.org"] {
        assert_eq!(
            Browser::new(production.clone())
                .log_in(email, PASSWORD)
                .await
                .path,
            "/account",
            "{email}"
        );
    }
    let after = users(&db).await;
    assert_eq!(after[0].hashed_password, ARGON2);
    assert!(
        after[2]
            .hashed_password
            .starts_with("$argon2id$v=19$m=65536,t=3,p=4$")
    );
    let password = Password::parse(PASSWORD.to_owned()).unwrap();
    let verdict = hasher
        .verify(
            hasher.acquire_slot("home").await.unwrap(),
            password,
            Some(after[2].hashed_password.clone()),
        )
        .await;
    assert_eq!(
        verdict,
        Ok(Verification::Valid { upgrade: None }),
        "now as strong as MediaManager's own"
    );
}

#[tokio::test]
async fn a_hash_nobody_can_check_opens_nothing_and_breaks_nothing() {
    let (database, db) = mediamanagers().await;
    let dear = "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for (n, hash) in [
        "",
        PASSWORD,
        "!",
        "$2b$31$abcdefghijklmnopqrstuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu",
        "$argon2id$v=19$m=64",
        dear,
    ]
    .into_iter()
    .enumerate()
    {
        add_user(&db, &format!("odd{n}@example.org"), hash, true).await;
    }
    let rows = everything(&db).await;
    let app = App::on(database, "").await;
    for n in 0..6 {
        assert_eq!(
            app.browser()
                .log_in(&format!("odd{n}@example.org"), PASSWORD)
                .await
                .status
                .as_u16(),
            401,
            "{n}"
        );
    }
    assert_eq!(everything(&db).await, rows);
}

#[tokio::test]
async fn addresses_that_differ_in_capitals_only_open_nobody_elses_account() {
    let (database, db) = mediamanagers().await;
    add_user(&db, "Bob@Example.org", WEAK, true).await;
    for email in ["Eve@example.org", "eVe@example.org"] {
        add_user(&db, email, WEAK, false).await;
    }
    let app = App::on(database, "").await;
    let mut browser = app.browser();
    assert_eq!(
        browser.log_in("BOB@example.org", PASSWORD).await.path,
        "/account"
    );
    assert_eq!(
        browser.get("/api/v1/users/me").await.json()["email"].as_str(),
        Some("bob@example.org"),
        "the exact one"
    );
    for typed in ["eve@example.org", "Eve@example.org"] {
        assert_eq!(
            app.browser().log_in(typed, PASSWORD).await.status.as_u16(),
            401,
            "{typed}: guessing would be worse"
        );
    }
}
