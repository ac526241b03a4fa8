//! Schema migrations, on an empty database and on one of MediaManager's.

use mediamanager_auth::server::{
    clock::Clock,
    crypto::random,
    db::{migrations::Migrator, users},
};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, Database, DatabaseConnection, DbBackend, EntityTrait,
    QueryOrder, Statement, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use tokio::task::JoinSet;

use crate::support::{App, PASSWORD, app::state, database::TestDatabase};

mod mediamanager;

/// The schema of MediaManager's alembic scripts, with their bookkeeping table and a table with a
/// foreign key to `user`. MediaManager does not support SQLite; there, an id has the format of our
/// library.
const MEDIAMANAGER: &str = r#"
    CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
    INSERT INTO alembic_version VALUES ('e60ae827ed98');
    CREATE TABLE "user" (
        id UUID NOT NULL, email VARCHAR(320) NOT NULL, hashed_password VARCHAR(1024) NOT NULL,
        is_active BOOLEAN NOT NULL, is_superuser BOOLEAN NOT NULL, is_verified BOOLEAN NOT NULL, PRIMARY KEY (id));
    CREATE UNIQUE INDEX ix_user_email ON "user" (email);
    CREATE TABLE oauth_account (
        id UUID NOT NULL, user_id UUID NOT NULL, oauth_name VARCHAR(100) NOT NULL, access_token VARCHAR(4096) NOT NULL, expires_at INTEGER,
        refresh_token VARCHAR(4096), account_id VARCHAR(320) NOT NULL, account_email VARCHAR(320) NOT NULL, PRIMARY KEY (id),
        CONSTRAINT oauth_account_user_id_fkey FOREIGN KEY (user_id) REFERENCES "user" (id) ON DELETE CASCADE);
    CREATE INDEX ix_oauth_account_account_id ON oauth_account (account_id);
    CREATE INDEX ix_oauth_account_oauth_name ON oauth_account (oauth_name);
    CREATE TABLE movie_request (id UUID NOT NULL PRIMARY KEY, requested_by_id UUID REFERENCES "user" (id) ON DELETE SET NULL);
"#;
/// PASSWORD, hashed by pwdlib as MediaManager does, by pwdlib's bcrypt, and by argon2-cffi with a
/// lower cost than even the tests require.
const ARGON2: &str = "$argon2id$v=19$m=65536,t=3,p=4$VFHKqEKGPSaFqkqQcBYRRA$PO7VeuAdDaSpGb7vnE3g+w3u+2N8W7A4zQRpumgwOYE";
const BCRYPT: &str = "$2b$10$lC82AoJsrexBqdAr6aPnnOj1G7Qfw1vjpLyjVKJlmebdIisoXmTwe";
const WEAK: &str = "$argon2id$v=19$m=32,t=1,p=1$5q7N6AiT8wY2DN0NNI4Sfw$uyOY+jkPU3UPlir45XTTRHng9nDpdgaRLupgdP9Hegg";

const STEPS: [&str; 1] = ["m0001_initial"];

/// A connection to the database that MediaManager would use.
async fn connect(database: &TestDatabase) -> DatabaseConnection {
    let url = if database.is_postgres() {
        database.url.clone()
    } else {
        format!("{}?mode=rwc", database.url)
    };
    Database::connect(url).await.unwrap()
}

/// MediaManager's own database with three users, one of them with a provider account.
async fn mediamanagers() -> (TestDatabase, DatabaseConnection) {
    let database = TestDatabase::new().await;
    let db = connect(&database).await;
    let uuid = if database.is_postgres() {
        "UUID"
    } else {
        "uuid_text"
    };
    db.execute_unprepared(&MEDIAMANAGER.replace("UUID", uuid))
        .await
        .unwrap();
    let id = add_user(&db, "Ada.Lovelace@Example.org", ARGON2, true).await;
    add_user(&db, "bob@example.org", BCRYPT, false).await;
    add_user(&db, "charlie@example.org", WEAK, false).await;
    let link = "INSERT INTO oauth_account (id, user_id, oauth_name, access_token, expires_at, refresh_token, account_id, account_email) \
                VALUES ($1, $2, 'OpenID', $3, 1767225600, NULL, 'Sub|1', 'Ada.Lovelace@Example.org')";
    let values = [random::uuid().into(), id.into(), "t".repeat(4000).into()];
    db.execute_raw(Statement::from_sql_and_values(
        db.get_database_backend(),
        link,
        values,
    ))
    .await
    .unwrap();
    (database, db)
}

async fn add_user(
    db: &impl ConnectionTrait,
    email: &str,
    hash: &str,
    is_superuser: bool,
) -> uuid::Uuid {
    let id = random::uuid();
    let row = users::ActiveModel {
        id: Set(id),
        email: Set(email.to_owned()),
        hashed_password: Set(hash.to_owned()),
        is_active: Set(true),
        is_superuser: Set(is_superuser),
        is_verified: Set(true),
    };
    users::Entity::insert(row)
        .exec_without_returning(db)
        .await
        .unwrap();
    id
}

async fn users(db: &impl ConnectionTrait) -> Vec<users::Model> {
    users::Entity::find()
        .order_by_asc(users::Column::Email)
        .all(db)
        .await
        .unwrap()
}

/// The first column of the query's result, which must be text.
async fn texts(db: &impl ConnectionTrait, query: &str) -> Vec<String> {
    let rows = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), query))
        .await
        .unwrap();
    rows.iter()
        .map(|row| {
            row.try_get_by_index::<String>(0)
                .unwrap_or_else(|err| panic!("{query}: {err}"))
        })
        .collect()
}

/// Columns, constraints and indexes of all tables, or of the named ones, one line each.
async fn schema(db: &impl ConnectionTrait, tables: &str) -> Vec<String> {
    let queries = if db.get_database_backend() == DbBackend::Postgres {
        [
            format!(
                "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || COALESCE(character_maximum_length::text, '-') || ' ' || is_nullable \
                 || ' ' || COALESCE(column_default, 'no default') FROM information_schema.columns WHERE table_schema = 'public' AND table_name IN ({tables})"
            ),
            format!(
                "SELECT conrelid::regclass::text || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint \
                     WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND replace(conrelid::regclass::text, '\"', '') IN ({tables})"
            ),
            format!(
                "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename IN ({tables})"
            ),
        ]
    } else {
        [
            format!(
                "SELECT t.name || '.' || c.name || ' ' || lower(c.type) || ' ' || c.\"notnull\" || c.pk || ' ' || COALESCE(c.dflt_value, 'no default') \
                 FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name IN ({tables})"
            ),
            format!(
                "SELECT t.name || '.' || f.\"from\" || ' -> ' || f.\"table\" || '.' || f.\"to\" || ' ' || f.on_delete \
                 FROM sqlite_master t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table' AND t.name IN ({tables})"
            ),
            format!(
                "SELECT i.name || ' ' || i.\"unique\" || ' ' || c.name FROM sqlite_master t, pragma_index_list(t.name) i, pragma_index_info(i.name) c \
                 WHERE t.type = 'table' AND t.name IN ({tables})"
            ),
        ]
    };
    let mut lines = Vec::new();
    for query in queries {
        lines.extend(texts(db, &query).await);
    }
    lines.sort();
    lines
}

const BOTH: &str = "'user', 'oauth_account'";
const OURS: &str = "'auth_user_account', 'auth_session', 'auth_rate_limit', 'auth_migration'";

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_start_together_migrate_once() {
    for round in 0..5 {
        let database = TestDatabase::new().await;
        let mut starts = JoinSet::new();
        for _ in 0..6 {
            let url = database.url.clone();
            starts.spawn(async move {
                state(&url, "", Clock::System)
                    .await
                    .map(|state| state.db.clone())
            });
        }
        let outcomes = starts.join_all().await;
        let failures: Vec<_> = outcomes
            .iter()
            .filter_map(|outcome| outcome.as_ref().err())
            .collect();
        assert!(failures.is_empty(), "round {round}: {failures:?}");
        let db = outcomes[0].as_ref().unwrap();
        assert_eq!(texts(db, "SELECT version FROM auth_migration").await, STEPS);
    }
}

#[tokio::test]
async fn a_database_of_the_first_step_goes_on_with_its_rows() {
    let database = TestDatabase::new().await;
    let db = connect(&database).await;
    Migrator::up(&db, Some(1)).await.unwrap();
    let id = add_user(&db, "ada@example.org", ARGON2, true).await;
    for row in [
        "INSERT INTO auth_user_account (user_id, created_at, email_verified_at, last_login_at) VALUES ($1, 1, 2, 3)",
        "INSERT INTO auth_session (id, user_id, created_at, expires_at, method, client_ip, user_agent) VALUES ($1, $1, 1, 2, 'password', '203.0.113.7', 'x')",
    ] {
        db.execute_raw(Statement::from_sql_and_values(
            db.get_database_backend(),
            row,
            [id.into()],
        ))
        .await
        .unwrap();
    }
    let app = App::on(database, "").await;
    assert_eq!(
        texts(&db, "SELECT version FROM auth_migration").await,
        STEPS
    );
    assert_eq!(app.count("SELECT count(*) FROM auth_user_account WHERE email_verified_at = 2 AND NOT is_passwordless").await, 1);
    assert_eq!(app.count("SELECT count(*) FROM auth_session WHERE identity_id IS NULL AND client_ip = '203.0.113.7'").await, 1);
    assert_eq!(
        app.browser().log_in("ada@example.org", PASSWORD).await.path,
        "/account"
    );
}

#[tokio::test]
async fn an_older_program_does_not_touch_a_newer_schema() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    app.sql("INSERT INTO auth_migration (version, applied_at) VALUES ('m9999_future', 0)")
        .await;
    let before = schema(&app.state.db, OURS).await;
    let reason = state(&app.database.url, "", Clock::System)
        .await
        .err()
        .unwrap();
    for text in ["newer version", "m9999_future", STEPS[0]] {
        assert!(reason.contains(text), "{reason}");
    }
    assert!(!reason.contains('\n'), "one line");
    assert_eq!(schema(&app.state.db, OURS).await, before);
    assert_eq!(
        app.browser().log_in("ada@example.org", PASSWORD).await.path,
        "/account",
        "who runs goes on running"
    );
}

#[tokio::test]
async fn starting_again_changes_nothing() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    app.browser().log_in("ada@example.org", PASSWORD).await;
    let snapshot = async || {
        let rows = [
            texts(&app.state.db, "SELECT version || ' ' || CAST(applied_at AS text) FROM auth_migration").await,
            texts(&app.state.db, "SELECT email || ' ' || hashed_password FROM \"user\"").await,
            texts(&app.state.db, "SELECT CAST(created_at AS text) || ' ' || client_ip || ' ' || COALESCE(CAST(ended_at AS text), '-') FROM auth_session").await,
        ];
        (
            rows.concat(),
            schema(&app.state.db, BOTH).await,
            schema(&app.state.db, OURS).await,
        )
    };
    let before = snapshot().await;
    for _ in 0..2 {
        state(&app.database.url, "", Clock::System).await.unwrap();
    }
    assert_eq!(snapshot().await, before);
}

#[tokio::test]
async fn a_fresh_schema_is_mediamanagers_to_the_column() {
    let (_database, theirs) = mediamanagers().await;
    let app = App::new().await;
    let ours = schema(&app.state.db, BOTH).await;
    assert_eq!(ours, schema(&theirs, BOTH).await);
    for index in [
        "ix_user_email",
        "ix_oauth_account_account_id",
        "ix_oauth_account_oauth_name",
    ] {
        assert!(
            ours.iter().any(|line| line.contains(index)),
            "{index}: {ours:#?}"
        );
    }
}

#[tokio::test]
async fn every_connection_to_sqlite_keeps_what_was_answered_and_belongs_together() {
    let app = App::new().await;
    if app.database.is_postgres() {
        return;
    }
    // As many concurrent transactions as connections, so that each one checks its own.
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(app.state.db.as_ref().begin().await.unwrap());
    }
    for connection in &open {
        for (pragma, expected) in [
            ("journal_mode", "wal"),
            ("foreign_keys", "1"),
            ("synchronous", "2"),
        ] {
            let statement = Statement::from_string(
                connection.get_database_backend(),
                format!("PRAGMA {pragma}"),
            );
            let row = connection.query_one_raw(statement).await.unwrap().unwrap();
            let value = row
                .try_get_by_index::<String>(0)
                .or_else(|_| {
                    row.try_get_by_index::<i64>(0)
                        .map(|number| number.to_string())
                })
                .unwrap();
            assert_eq!(value, expected, "{pragma}");
        }
    }
}
