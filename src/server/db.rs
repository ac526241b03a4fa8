//! What is remembered. The only part of the program that knows the database library.
//!
//! Functions take any connection, so that the same one runs alone or inside a transaction. A failure of the database is
//! logged here, once, and becomes [`AuthError::Unavailable`]; nothing of it reaches a page.

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
    ColumnTrait, Condition, ConnectOptions, ConnectionTrait, Database as Connector, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, EntityTrait,
    QueryFilter, QuerySelect, QueryTrait, Statement,
    sqlx::{
        self, Error,
        sqlite::{SqliteJournalMode, SqliteSynchronous},
    },
};
use tokio::time::timeout;

use crate::{domain::AuthError, server::finding::Finding};
use patience::{PATIENCE, Patient};

pub mod accounts;
pub mod entity;
pub mod events;
pub mod identities;
pub mod mediamanager;
pub mod migrations;
pub mod outbox;
pub mod patience;
pub mod sessions;
pub mod spent;
pub mod throttle;
pub mod users;

/// The pool of connections.
pub type Database = Patient<DatabaseConnection>;
/// An open transaction; dropped without [`commit`], nothing of it happened.
pub type Transaction = Patient<DatabaseTransaction>;
/// Either of them.
pub use sea_orm::ConnectionTrait as Connection;

/// How long an operator's look at it may take: somewhat longer than the connection, so that the reason of that comes first.
const INSPECTION: Duration = Duration::from_secs(6);
/// What the look is about, and the settings that say where it is.
const DATABASE: &str = "database";
const WHERE: &str = "[database], or server.database_url";

/// The most rows that one statement deletes while the house is kept.
const BATCH: u64 = 1000;

/// The number that all instances on one PostgreSQL lock for what only one may do at a time: migrating, making the first
/// administrator, making or finding an account, and proving one. Any number will do as long as nobody else in that database uses it ("mmauth" in ASCII).
const ADVISORY_LOCK: i64 = 0x6d6d_6175_7468;

/// What the libraries must not log at any level, as filters of the log.
pub const UNLOGGED: [&str; 4] = [
    // Notices about tables that are there already help nobody.
    "sqlx::postgres::notice=off",
    // These would say passwords (SR-181): the URL, its parameters that are not known, and a line of `.pgpass` that cannot be read.
    "sea_orm::driver::sqlx_postgres=debug",
    "sqlx_postgres::options::parse=off",
    "sqlx_postgres::options::pgpass=off",
];

static CHANGES: AtomicU64 = AtomicU64::new(0);

/// Opens the database, makes its directory and file if needed (SQLite), and brings the schema up to date.
///
/// # Errors
/// A sentence for the operator: what could not be done, without the password in the URL.
pub async fn open(url: &str) -> Result<Database, String> {
    let file = sqlite_file(url);
    if let Some(file) = &file {
        create_private(file).map_err(|err| format!("cannot make the database {}: {err}", file.display()))?;
    }
    // Before the first connection: changing a new SQLite file to WAL does not wait for others who do the same.
    let lock = migrations::lock(url, file.as_deref()).await?;
    let db = Connector::connect(options(url)).await.map_err(|err| format!("cannot open the database: {err}"))?;
    migrations::run(&db).await?;
    drop(lock);
    Ok(db.into())
}

/// Makes directory and file so that only their owner can read them: the file will hold password hashes. What is there
/// already stays as the operator made it.
fn create_private(file: &Path) -> io::Result<()> {
    if let Some(directory) = file.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    OpenOptions::new().create(true).append(true).mode(0o600).open(file).map(drop)
}

/// Closes the pool and leaves a SQLite database whole in its one file, for whoever copies it after a stop.
///
/// SQLite does that when the last connection closes, but two that close at the same moment each take the other for the last one,
/// and the write-ahead log stays. So one connection comes back alone and empties it.
///
/// # Errors
/// `Unavailable`.
pub async fn close(db: Database, url: &str) -> Result<(), AuthError> {
    db.close().await.map_err(unavailable)?;
    if sqlite_file(url).is_none() {
        return Ok(());
    }
    let mut alone = options(url);
    alone.max_connections(1);
    let last = Connector::connect(alone).await.map_err(unavailable)?;
    last.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await.map_err(unavailable)?;
    last.close().await.map_err(unavailable)
}

fn options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .sqlx_logging(false)
        .connect_timeout(PATIENCE)
        .acquire_timeout(PATIENCE)
        .max_connections(if sqlite_file(url).is_some() || url.starts_with("postgres") { 8 } else { 1 })
        // WAL lets readers go on while one writes. FULL makes a log-out survive a power cut as well as a kill (SR-191).
        .map_sqlx_sqlite_opts(|sqlite| {
            sqlite.create_if_missing(true).journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full).busy_timeout(PATIENCE).foreign_keys(true)
        })
        .map_sqlx_sqlite_pool_opts(|pool| pool.after_release(|connection, _| Box::pin(is_reusable(connection))));
    if url.starts_with("postgres") {
        options.statement_timeout(PATIENCE);
        // A transaction whose connection has broken unnoticed must not keep its locks: we may never say that it is over.
        let patience = PATIENCE.as_millis();
        options.map_sqlx_postgres_opts(move |postgres| postgres.options([("idle_in_transaction_session_timeout", patience)]));
        options.map_sqlx_postgres_pool_opts(|pool| pool.after_release(|connection, _| Box::pin(is_reusable(connection))));
    }
    options
}

/// Whether a connection may go back into the pool: it answers in time and has no transaction open (SR-190, SR-191).
///
/// sqlx counts the transactions of a connection itself. SQLite rolls a transaction back on its own when the disk is full, the ROLLBACK that
/// sqlx then sends fails, and the count stays at one: every later transaction on that connection would be a savepoint in a transaction
/// that is never committed, and its changes would be acknowledged and lost. Such a connection is closed. The ping runs first because it
/// sends the ROLLBACK of a dropped transaction, and it has a timeout because sqlx waits for a dead peer without one.
async fn is_reusable<C: sqlx::Connection>(connection: &mut C) -> Result<bool, Error> {
    timeout(PATIENCE, connection.ping()).await.unwrap_or(Err(Error::PoolTimedOut))?;
    Ok(!connection.is_in_transaction())
}

/// The file of a SQLite URL; `None` for PostgreSQL and for a database in memory.
fn sqlite_file(url: &str) -> Option<std::path::PathBuf> {
    let path = url.strip_prefix("sqlite:")?.split('?').next()?;
    // Decoded as the library does, or the file that is made private would be another one.
    let path = percent_decode_str(path.strip_prefix("//").unwrap_or(path)).decode_utf8().ok()?;
    (path != ":memory:" && !path.is_empty()).then(|| path.into_owned().into())
}

/// Begins a transaction that will write. On SQLite it takes the write lock at once: a transaction that reads first and
/// upgrades later fails immediately instead of waiting its turn.
///
/// # Errors
/// `Unavailable`.
pub async fn begin(db: &Database) -> Result<Transaction, AuthError> {
    db.begin_writing().await.map_err(unavailable)
}

/// Makes a transaction's work permanent.
///
/// # Errors
/// `Unavailable`.
pub async fn commit(transaction: Transaction) -> Result<(), AuthError> {
    let committed = transaction.commit().await.map_err(unavailable);
    // Also after a failure, of which nobody knows whether it came before or after the work was permanent.
    CHANGES.fetch_add(1, Ordering::Release);
    committed
}

/// How often this process has committed. What was read is as good as new while it stays the same, as far as this process goes.
#[must_use]
pub fn changes() -> u64 {
    CHANGES.load(Ordering::Acquire)
}

/// Lets one transaction at a time, over all instances, past this point until it ends. SQLite's write lock does that already.
///
/// # Errors
/// `Unavailable`.
pub async fn alone(transaction: &Transaction) -> Result<(), AuthError> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")).await.map_err(unavailable)?;
    }
    Ok(())
}

/// Whether the database answers, for readiness (SR-193).
///
/// # Errors
/// `Unavailable`.
pub async fn ping(db: &Database) -> Result<(), AuthError> {
    db.execute_unprepared("SELECT 1").await.map(|_| ()).map_err(unavailable)
}

/// Forgets all rows that match, a batch at a time: on PostgreSQL a statement must be done within [`PATIENCE`], however much has piled up,
/// and on SQLite others write in between. Returns how many.
async fn forget<E: EntityTrait>(db: &impl ConnectionTrait, key: E::Column, old: Condition) -> Result<u64, AuthError> {
    let mut forgotten = 0;
    loop {
        let batch = E::find().select_only().column(key).filter(old.clone()).limit(BATCH).into_query();
        let deleted = E::delete_many().filter(key.in_subquery(batch)).exec(db).await.map_err(unavailable)?.rows_affected;
        forgotten += deleted;
        if deleted < BATCH {
            return Ok(forgotten);
        }
    }
}

/// What an operator wants to know of a database: whether it can be reached, and which steps of the schema the next start will take.
/// Makes and changes nothing.
pub async fn inspect(url: &str) -> Finding {
    if sqlite_file(url).is_some_and(|file| !file.exists()) {
        let says = "the SQLite file is not there yet; the first start makes it";
        return Finding::doubtful(DATABASE, says, "start the program; or change server.database_url, if there should be one already");
    }
    let late = |_| Finding::wrong(DATABASE, "does not answer within 6 seconds", WHERE);
    timeout(INSPECTION, look(url)).await.unwrap_or_else(late)
}

async fn look(url: &str) -> Finding {
    let mut options = ConnectOptions::new(url);
    options.sqlx_logging(false).connect_timeout(PATIENCE).acquire_timeout(PATIENCE).max_connections(1);
    let db = match Connector::connect(options).await {
        Ok(db) => db,
        Err(err) => return Finding::wrong(DATABASE, format!("cannot be opened: {err}"), WHERE),
    };
    let finding = match version(&db).await {
        Ok(version) => standing(&db, &version).await,
        Err(err) => Finding::wrong(DATABASE, format!("cannot be read: {err}"), WHERE),
    };
    // What cannot be closed ends with the program.
    let _ = db.close().await;
    finding
}

async fn standing(db: &DatabaseConnection, version: &str) -> Finding {
    match migrations::standing(db).await {
        Ok((applied, 0)) => Finding::fine(DATABASE, format!("{version}, schema up to date ({applied} steps)")),
        Ok((applied, missing)) => {
            Finding::doubtful(DATABASE, format!("{version}, {applied} steps of the schema; the next start takes {missing} more"), "make a backup first")
        }
        Err(migrations::Fault::Newer(reason)) => {
            Finding::wrong(DATABASE, format!("{version}: {reason}"), "start the version that made it, or restore a backup")
        }
        Err(migrations::Fault::Unreadable(reason)) => {
            Finding::wrong(DATABASE, format!("{version}: {reason}"), "the rights of the user in [database] or server.database_url, or restore a backup")
        }
    }
}

/// The database's own name and version, without the machine that it was built on.
async fn version(db: &DatabaseConnection) -> Result<String, DbErr> {
    let backend = db.get_database_backend();
    let query = if backend == DbBackend::Postgres { "SELECT version()" } else { "SELECT 'SQLite ' || sqlite_version()" };
    let row = db.query_one_raw(Statement::from_string(backend, query)).await?;
    let version: String = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
    Ok(version.split(" on ").next().unwrap_or_default().to_owned())
}

/// Logs what the database said, once, and keeps it from everybody else.
fn unavailable(err: DbErr) -> AuthError {
    tracing::error!(event = "database_failed", error = %err, "the database did not answer as it should");
    AuthError::Unavailable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_a_sqlite_url_is_found() {
        assert_eq!(sqlite_file("sqlite://data/x.db"), Some("data/x.db".into()));
        assert_eq!(sqlite_file("sqlite:///var/x.db?mode=rwc"), Some("/var/x.db".into()));
        assert_eq!(sqlite_file("sqlite:x.db"), Some("x.db".into()));
        assert_eq!(sqlite_file("sqlite:///my%20data/100%25.db"), Some("/my data/100%.db".into()));
        assert_eq!(sqlite_file("sqlite::memory:"), None);
        assert_eq!(sqlite_file("postgres://u@h/db"), None);
    }
}
