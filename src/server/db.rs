//! Database access: one file for each table, with its row type and its queries. Only this module
//! uses sea-orm.
//!
//! Query functions take any connection, so that they run inside a transaction as well as outside. A
//! database error is logged here, once, and becomes [`AuthError::Unavailable`]; its text never
//! reaches a page.

use std::{
    fs::{DirBuilder, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use percent_encoding::percent_decode_str;
use sea_orm::{
    ColumnTrait, Condition, ConnectOptions, ConnectionTrait, Database as Connector,
    DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter,
    QuerySelect, QueryTrait, Statement,
    sqlx::{
        self, Error,
        sqlite::{SqliteJournalMode, SqliteSynchronous},
    },
};
use tokio::time::timeout;

use crate::{domain::AuthError, server::diagnostics::CheckResult};
use deadline::{REQUEST_DB_BUDGET, WithDeadline};

pub mod accounts;
pub mod deadline;
pub mod events;
pub mod identities;
pub mod import_source;
pub mod migrations;
pub mod outbox;
pub mod rate_limits;
pub mod sessions;
pub mod used_tokens;
pub mod users;

/// The connection pool.
pub type Database = WithDeadline<DatabaseConnection>;
/// An open transaction; it is rolled back when dropped without [`commit`].
pub type Transaction = WithDeadline<DatabaseTransaction>;
/// A pool or a transaction.
pub use sea_orm::ConnectionTrait as Connection;

/// The time limit of [`inspect`], longer than that of its connection, so that a failed connection
/// is reported with its own reason.
const DIAGNOSTIC_TIMEOUT: Duration = Duration::from_secs(6);
/// The name of the check in diagnostics, and the settings that its hints refer to.
const CHECK_NAME: &str = "database";
const DATABASE_SETTINGS: &str = "[database], or server.database_url";

/// The number of rows that one statement of [`delete_in_batches`] deletes.
const MAX_BATCH_ROWS: u64 = 1000;

/// The key of the PostgreSQL advisory lock that all instances share (see [`serialize`] and
/// [`migrations::lock`]). It is arbitrary ("mmauth" in ASCII), but no other program in the same
/// database may use it.
const ADVISORY_LOCK: i64 = 0x6d6d_6175_7468;

/// Log filters for messages of the libraries that must not be logged at any level.
pub const LOG_DENYLIST: [&str; 4] = [
    // PostgreSQL reports existing tables at every start.
    "sqlx::postgres::notice=off",
    // These would log passwords (SR-181): the URL, its unknown parameters, and an unreadable line
    // of `.pgpass`.
    "sea_orm::driver::sqlx_postgres=debug",
    "sqlx_postgres::options::parse=off",
    "sqlx_postgres::options::pgpass=off",
];

static COMMITS: AtomicU64 = AtomicU64::new(0);

/// Opens the database and migrates its schema. Creates the directory and the file of a SQLite
/// database.
///
/// # Errors
/// A sentence for the operator, without the password in the URL.
pub async fn open(url: &str) -> Result<Database, String> {
    let file = sqlite_file(url);
    if let Some(file) = &file {
        create_owner_only(file)
            .map_err(|err| format!("cannot make the database {}: {err}", file.display()))?;
    }
    // Taken before the first connection: SQLite's switch of a new file to WAL fails instead of
    // waiting when another process does the same.
    let lock = migrations::lock(url, file.as_deref()).await?;
    let db = Connector::connect(connect_options(url))
        .await
        .map_err(|err| format!("cannot open the database: {err}"))?;
    migrations::run(&db).await?;
    drop(lock);
    Ok(db.into())
}

/// Creates the directory and the file with permissions for their owner only, because the file will
/// hold password hashes. Existing ones keep their permissions.
fn create_owner_only(file: &Path) -> io::Result<()> {
    if let Some(directory) = file.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(file)
        .map(drop)
}

/// Closes the pool. Everything in a SQLite database's write-ahead log is moved to the main file, so
/// that copying that file is a backup.
///
/// SQLite does this when the last connection closes, but of two connections that close
/// simultaneously neither is the last, and the log stays. Therefore a single connection is opened
/// afterwards to do the checkpoint.
pub async fn close(db: Database, url: &str) -> Result<(), AuthError> {
    db.close().await.map_err(hide_db_error)?;
    if sqlite_file(url).is_none() {
        return Ok(());
    }
    let mut single = connect_options(url);
    single.max_connections(1);
    let last = Connector::connect(single).await.map_err(hide_db_error)?;
    last.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)")
        .await
        .map_err(hide_db_error)?;
    last.close().await.map_err(hide_db_error)
}

fn connect_options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .sqlx_logging(false)
        .connect_timeout(REQUEST_DB_BUDGET)
        .acquire_timeout(REQUEST_DB_BUDGET)
        .max_connections(
            if sqlite_file(url).is_some() || url.starts_with("postgres") {
                8
            } else {
                1
            },
        )
        // WAL lets readers go on while one writes. FULL makes a log-out survive a power cut as well
        // as a kill (SR-191).
        .map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(REQUEST_DB_BUDGET)
                .foreign_keys(true)
        })
        .map_sqlx_sqlite_pool_opts(|pool| {
            pool.after_release(|connection, _| Box::pin(is_reusable(connection)))
        });
    if url.starts_with("postgres") {
        options.statement_timeout(REQUEST_DB_BUDGET);
        // If the connection dies unnoticed, PostgreSQL must end the transaction itself; we can no
        // longer send ROLLBACK.
        let budget = REQUEST_DB_BUDGET.as_millis();
        options.map_sqlx_postgres_opts(move |postgres| {
            postgres.options([("idle_in_transaction_session_timeout", budget)])
        });
        options.map_sqlx_postgres_pool_opts(|pool| {
            pool.after_release(|connection, _| Box::pin(is_reusable(connection)))
        });
    }
    options
}

/// Whether a connection may go back into the pool: it answers in time and has no transaction open
/// (SR-190, SR-191).
///
/// sqlx counts the transactions of a connection itself. SQLite rolls a transaction back on its own
/// when the disk is full, the ROLLBACK that sqlx then sends fails, and the count stays at one:
/// every later transaction on that connection would be a savepoint in a transaction that is never
/// committed, and its changes would be acknowledged and lost. Such a connection is closed. The ping
/// runs first because it sends the ROLLBACK of a dropped transaction, and it has a timeout because
/// sqlx waits for a dead peer without one.
async fn is_reusable<C: sqlx::Connection>(connection: &mut C) -> Result<bool, Error> {
    timeout(REQUEST_DB_BUDGET, connection.ping())
        .await
        .unwrap_or(Err(Error::PoolTimedOut))?;
    Ok(!connection.is_in_transaction())
}

/// The file of a SQLite URL; `None` for PostgreSQL and for a database in memory.
fn sqlite_file(url: &str) -> Option<std::path::PathBuf> {
    let path = url.strip_prefix("sqlite:")?.split('?').next()?;
    // Decoded like the library does, so that `create_owner_only` gets the same file.
    let path = percent_decode_str(path.strip_prefix("//").unwrap_or(path))
        .decode_utf8()
        .ok()?;
    (path != ":memory:" && !path.is_empty()).then(|| path.into_owned().into())
}

/// Begins a transaction that will write. On SQLite it takes the write lock at once: a transaction
/// that reads first and upgrades later fails immediately instead of waiting its turn.
pub async fn begin(db: &Database) -> Result<Transaction, AuthError> {
    db.begin_writing().await.map_err(hide_db_error)
}

/// Makes a transaction's work permanent.
pub async fn commit(transaction: Transaction) -> Result<(), AuthError> {
    let committed = transaction.commit().await.map_err(hide_db_error);
    // A failed commit is counted too, because it may have become permanent before the failure.
    COMMITS.fetch_add(1, Ordering::Release);
    committed
}

/// Returns how often this process has committed. While the number stays the same, this process has
/// not changed what was read before.
pub fn commit_count() -> u64 {
    COMMITS.load(Ordering::Acquire)
}

/// Takes the advisory lock until the transaction ends, so that such transactions run one after the
/// other on all instances. SQLite's write lock does that already.
pub async fn serialize(transaction: &Transaction) -> Result<(), AuthError> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        transaction
            .execute_unprepared(&format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
            .await
            .map_err(hide_db_error)?;
    }
    Ok(())
}

/// Checks that the database responds, for the readiness check (SR-193).
pub async fn ping(db: &Database) -> Result<(), AuthError> {
    db.execute_unprepared("SELECT 1")
        .await
        .map(|_| ())
        .map_err(hide_db_error)
}

/// Deletes all rows that match, one batch for each statement: a statement on PostgreSQL must end
/// within [`REQUEST_DB_BUDGET`], and on SQLite other transactions can write between the batches.
/// Returns how many.
async fn delete_in_batches<E: EntityTrait>(
    db: &impl ConnectionTrait,
    key: E::Column,
    condition: Condition,
) -> Result<u64, AuthError> {
    let mut total = 0;
    loop {
        let batch = E::find()
            .select_only()
            .column(key)
            .filter(condition.clone())
            .limit(MAX_BATCH_ROWS)
            .into_query();
        let deleted = E::delete_many()
            .filter(key.in_subquery(batch))
            .exec(db)
            .await
            .map_err(hide_db_error)?
            .rows_affected;
        total += deleted;
        if deleted < MAX_BATCH_ROWS {
            return Ok(total);
        }
    }
}

/// Diagnoses the database for an operator: whether it can be reached, and how many migrations the
/// next start will apply. It is only read, and a missing SQLite file is not created.
pub async fn inspect(url: &str) -> CheckResult {
    if sqlite_file(url).is_some_and(|file| !file.exists()) {
        let message = "the SQLite file is not there yet; the first start makes it";
        return CheckResult::warning(
            CHECK_NAME,
            message,
            "start the program; or change server.database_url, if there should be one already",
        );
    }
    let report_timeout = |_| {
        CheckResult::error(
            CHECK_NAME,
            "does not answer within 6 seconds",
            DATABASE_SETTINGS,
        )
    };
    timeout(DIAGNOSTIC_TIMEOUT, diagnose(url))
        .await
        .unwrap_or_else(report_timeout)
}

async fn diagnose(url: &str) -> CheckResult {
    let mut options = ConnectOptions::new(url);
    options
        .sqlx_logging(false)
        .connect_timeout(REQUEST_DB_BUDGET)
        .acquire_timeout(REQUEST_DB_BUDGET)
        .max_connections(1);
    let db = match Connector::connect(options).await {
        Ok(db) => db,
        Err(err) => {
            return CheckResult::error(
                CHECK_NAME,
                format!("cannot be opened: {err}"),
                DATABASE_SETTINGS,
            );
        }
    };
    let result = match server_version(&db).await {
        Ok(version) => diagnose_schema(&db, &version).await,
        Err(err) => CheckResult::error(
            CHECK_NAME,
            format!("cannot be read: {err}"),
            DATABASE_SETTINGS,
        ),
    };
    // A failure to close is irrelevant: the connection ends with the program.
    let _ = db.close().await;
    result
}

async fn diagnose_schema(db: &DatabaseConnection, version: &str) -> CheckResult {
    match migrations::schema_status(db).await {
        Ok((applied, 0)) => CheckResult::ok(
            CHECK_NAME,
            format!("{version}, schema up to date ({applied} steps)"),
        ),
        Ok((applied, missing)) => CheckResult::warning(
            CHECK_NAME,
            format!(
                "{version}, {applied} steps of the schema; the next start takes {missing} more"
            ),
            "make a backup first",
        ),
        Err(migrations::SchemaError::Newer(reason)) => CheckResult::error(
            CHECK_NAME,
            format!("{version}: {reason}"),
            "start the version that made it, or restore a backup",
        ),
        Err(migrations::SchemaError::Unreadable(reason)) => CheckResult::error(
            CHECK_NAME,
            format!("{version}: {reason}"),
            "the rights of the user in [database] or server.database_url, or restore a backup",
        ),
    }
}

/// Returns the server's name and version, without the platform that PostgreSQL appends after `on`.
async fn server_version(db: &DatabaseConnection) -> Result<String, DbErr> {
    let backend = db.get_database_backend();
    let query = if backend == DbBackend::Postgres {
        "SELECT version()"
    } else {
        "SELECT 'SQLite ' || sqlite_version()"
    };
    let row = db
        .query_one_raw(Statement::from_string(backend, query))
        .await?;
    let version: String = row
        .map(|row| row.try_get_by_index(0))
        .transpose()?
        .unwrap_or_default();
    Ok(version.split(" on ").next().unwrap_or_default().to_owned())
}

/// Logs a database error and hides its text from the caller, who might send it to a client.
fn hide_db_error(err: DbErr) -> AuthError {
    tracing::error!(event = "database_error", error = %err, "the database did not answer as it should");
    AuthError::Unavailable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_a_sqlite_url_is_found() {
        assert_eq!(sqlite_file("sqlite://data/x.db"), Some("data/x.db".into()));
        assert_eq!(
            sqlite_file("sqlite:///var/x.db?mode=rwc"),
            Some("/var/x.db".into())
        );
        assert_eq!(sqlite_file("sqlite:x.db"), Some("x.db".into()));
        assert_eq!(
            sqlite_file("sqlite:///my%20data/100%25.db"),
            Some("/my data/100%.db".into())
        );
        assert_eq!(sqlite_file("sqlite::memory:"), None);
        assert_eq!(sqlite_file("postgres://u@h/db"), None);
    }
}
