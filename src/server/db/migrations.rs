//! The migrations of the schema. A released migration is never edited; a change is a new one.

use std::{fs::File, path::Path, pin::pin, time::Duration};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database as Connector, DatabaseConnection, DbErr, DynIden,
    sea_query::{Alias, IntoIden},
};
use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager};

use super::{ADVISORY_LOCK, REQUEST_DB_BUDGET};

mod m0001_initial;

/// How long to wait for the lock before logging it.
const SLOW_LOCK_AFTER: Duration = Duration::from_secs(2);

/// The table of applied migrations. The default name `seaql_migrations` could belong to another
/// program in the same database; MediaManager's own is `alembic_version`.
const MIGRATION_TABLE: &str = "auth_migration";

/// All migrations in order.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_initial::Migration)]
    }

    fn migration_table_name() -> DynIden {
        Alias::new(MIGRATION_TABLE).into_iden()
    }
}

/// Applies the missing migrations. The caller holds the [`lock`].
///
/// # Errors
/// A sentence for the operator: the schema is newer than this program, or the database failed.
pub(super) async fn run(db: &DatabaseConnection) -> Result<(), String> {
    let failed = |err: DbErr| format!("cannot bring the database schema up to date: {err}");
    Migrator::install(db).await.map_err(failed)?;
    count_applied(db)
        .await
        .map_err(|(SchemaError::Newer(reason) | SchemaError::Unreadable(reason))| reason)?;
    Migrator::up(db, None).await.map_err(failed)
}

/// Why a schema cannot be used, in a sentence for the operator.
pub(super) enum SchemaError {
    /// A newer version of this program has migrated it.
    Newer(String),
    /// The table of applied migrations cannot be read.
    Unreadable(String),
}

/// Returns how many migrations are applied. An unknown one is an error: an older program would
/// write rows that the newer one does not understand.
async fn count_applied(db: &DatabaseConnection) -> Result<usize, SchemaError> {
    let known: Vec<String> = Migrator::migrations()
        .iter()
        .map(|step| step.name().to_owned())
        .collect();
    let applied = Migrator::get_migration_models(db)
        .await
        .map_err(unreadable)?;
    match applied.iter().find(|row| !known.contains(&row.version)) {
        Some(row) => Err(SchemaError::Newer(format!(
            "the database was used by a newer version of this program (it has the step {}, this version knows up to {}); start that version, or restore a backup",
            row.version,
            known.last().map_or("none", String::as_str)
        ))),
        None => Ok(applied.len()),
    }
}

fn unreadable(err: DbErr) -> SchemaError {
    SchemaError::Unreadable(format!("cannot read the schema's version: {err}"))
}

/// Returns how many migrations are applied and how many are missing.
pub(super) async fn schema_status(db: &DatabaseConnection) -> Result<(usize, usize), SchemaError> {
    // A database that this program has never opened has no table of migrations.
    let is_used = SchemaManager::new(db)
        .has_table(MIGRATION_TABLE)
        .await
        .map_err(unreadable)?;
    let applied = if is_used { count_applied(db).await? } else { 0 };
    Ok((
        applied,
        Migrator::migrations().len().saturating_sub(applied),
    ))
}

/// Keeps the migration lock until it is dropped.
pub(super) enum Lock {
    Connection { _db: DatabaseConnection },
    File { _file: File },
    None,
}

/// Takes the lock that lets one instance at a time open and migrate the database (SR-194).
/// PostgreSQL has an advisory lock, which the server releases when its connection closes, even if
/// the process is killed. SQLite has a locked file beside the database.
pub(super) async fn lock(url: &str, file: Option<&Path>) -> Result<Lock, String> {
    if url.starts_with("postgres") {
        let failed = |err: DbErr| format!("cannot open the database: {err}");
        let mut options = ConnectOptions::new(url);
        // These bound reaching the server; another instance's migration may take longer.
        options
            .sqlx_logging(false)
            .connect_timeout(REQUEST_DB_BUDGET)
            .acquire_timeout(REQUEST_DB_BUDGET)
            .max_connections(1);
        let holder = Connector::connect(options).await.map_err(failed)?;
        let statement = format!("SELECT pg_advisory_lock({ADVISORY_LOCK})");
        warn_if_slow(holder.execute_unprepared(&statement))
            .await
            .map_err(failed)?;
        return Ok(Lock::Connection { _db: holder });
    }
    let Some(file) = file else {
        return Ok(Lock::None);
    };
    let path = file.with_extension("migrating");
    let failed =
        |err: std::io::Error| format!("cannot lock {} for migration: {err}", path.display());
    let file = File::create(&path).map_err(failed)?;
    let waiting = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
    let file = warn_if_slow(waiting)
        .await
        .map_err(|err| err.to_string())?
        .map_err(failed)?;
    Ok(Lock::File { _file: file })
}

/// Logs a warning when the lock takes long, so that an operator sees why the start does not
/// proceed.
async fn warn_if_slow<T>(waiting: impl Future<Output = T>) -> T {
    let mut waiting = pin!(waiting);
    if let Ok(done) = tokio::time::timeout(SLOW_LOCK_AFTER, &mut waiting).await {
        return done;
    }
    tracing::warn!(
        event = "migration_lock_wait",
        "waiting for another instance to migrate the database"
    );
    waiting.await
}
