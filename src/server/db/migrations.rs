//! The schema, step by step. A step that has been released is never edited; a new one is added below it.

use std::{fs::File, path::Path, pin::pin, time::Duration};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database as Connector, DatabaseConnection, DbErr, DynIden,
    sea_query::{Alias, IntoIden},
};
use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager};

use super::{ADVISORY_LOCK, PATIENCE};

mod m0001_first;
mod m0002_identities;
mod m0003_outbox;
mod m0004_events;

/// How long to wait for another instance before saying so.
const WORTH_A_LINE: Duration = Duration::from_secs(2);

/// Where it is written down which steps were taken. Named after us: the database may be MediaManager's, whose own bookkeeping
/// (`alembic_version`) is left alone.
const TABLE: &str = "mediamanager_auth_migration";

/// All steps in order.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_first::Migration), Box::new(m0002_identities::Migration), Box::new(m0003_outbox::Migration), Box::new(m0004_events::Migration)]
    }

    fn migration_table_name() -> DynIden {
        Alias::new(TABLE).into_iden()
    }
}

/// Applies what is missing. The caller holds the [`lock`].
///
/// # Errors
/// A sentence for the operator: the schema is newer than this program, or the database refused.
pub(super) async fn run(db: &DatabaseConnection) -> Result<(), String> {
    let fault = |err: DbErr| format!("cannot bring the database schema up to date: {err}");
    Migrator::install(db).await.map_err(fault)?;
    applied(db).await.map_err(|(Fault::Newer(reason) | Fault::Unreadable(reason))| reason)?;
    Migrator::up(db, None).await.map_err(fault)
}

/// Why a schema cannot be used, in a sentence for the operator.
pub(super) enum Fault {
    /// A newer version of this program has changed it.
    Newer(String),
    /// The database does not say what it has.
    Unreadable(String),
}

/// How many steps the database has taken. An older program on a newer schema would write rows that the newer one no longer understands.
async fn applied(db: &DatabaseConnection) -> Result<usize, Fault> {
    let known: Vec<String> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    let applied = Migrator::get_migration_models(db).await.map_err(unreadable)?;
    match applied.iter().find(|row| !known.contains(&row.version)) {
        Some(row) => Err(Fault::Newer(format!(
            "the database was used by a newer version of this program (it has the step {}, this version knows up to {}); start that version, or restore a backup",
            row.version,
            known.last().map_or("none", String::as_str)
        ))),
        None => Ok(applied.len()),
    }
}

fn unreadable(err: DbErr) -> Fault {
    Fault::Unreadable(format!("cannot read the schema's version: {err}"))
}

/// How many steps the database has taken, and how many are missing.
///
/// # Errors
/// [`Fault`].
pub(super) async fn standing(db: &DatabaseConnection) -> Result<(usize, usize), Fault> {
    // A database that was never used has no table of steps.
    let was_used = SchemaManager::new(db).has_table(TABLE).await.map_err(unreadable)?;
    let applied = if was_used { applied(db).await? } else { 0 };
    Ok((applied, Migrator::migrations().len().saturating_sub(applied)))
}

/// What must stay alive while migrating.
pub(super) enum Lock {
    Connection { _db: DatabaseConnection },
    File { _file: File },
    None,
}

/// Lets one instance at a time open and migrate the database (SR-194). PostgreSQL: an advisory lock, which belongs to its
/// connection and so ends with it, whatever happens to us. SQLite: a lock on a file beside the database.
pub(super) async fn lock(url: &str, file: Option<&Path>) -> Result<Lock, String> {
    if url.starts_with("postgres") {
        let fault = |err: DbErr| format!("cannot open the database: {err}");
        let mut options = ConnectOptions::new(url);
        // For reaching the server; whoever migrates may take longer than that.
        options.sqlx_logging(false).connect_timeout(PATIENCE).acquire_timeout(PATIENCE).max_connections(1);
        let holder = Connector::connect(options).await.map_err(fault)?;
        let statement = format!("SELECT pg_advisory_lock({ADVISORY_LOCK})");
        say_if_it_takes_long(holder.execute_unprepared(&statement)).await.map_err(fault)?;
        return Ok(Lock::Connection { _db: holder });
    }
    let Some(file) = file else { return Ok(Lock::None) };
    let path = file.with_extension("migrating");
    let fault = |err: std::io::Error| format!("cannot lock {} for migration: {err}", path.display());
    let file = File::create(&path).map_err(fault)?;
    let waiting = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
    let file = say_if_it_takes_long(waiting).await.map_err(|err| err.to_string())?.map_err(fault)?;
    Ok(Lock::File { _file: file })
}

/// Waits for the others, and says so: an operator who sees a start that does not get on must know why.
async fn say_if_it_takes_long<T>(waiting: impl Future<Output = T>) -> T {
    let mut waiting = pin!(waiting);
    if let Ok(done) = tokio::time::timeout(WORTH_A_LINE, &mut waiting).await {
        return done;
    }
    tracing::warn!(event = "migration_awaited", "waiting for another instance to migrate the database");
    waiting.await
}
