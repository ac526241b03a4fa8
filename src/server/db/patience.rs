//! Nobody waits long for the database (SR-190), however it fails: refused, locked, slow, or with a line that leads nowhere and of which
//! neither side hears. The library's own limits hold for one step of one statement each; a request takes many.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait, prelude::async_trait::async_trait,
};
use tokio::time::timeout;

/// How long any request may wait for the database altogether before it is told to come back, and anything else for one statement.
pub(super) const PATIENCE: Duration = Duration::from_secs(4);

tokio::task_local! {
    /// How much of its patience a request has left.
    static LEFT: Cell<Duration>;
}

/// A connection, or a transaction, that is not waited for longer than [`PATIENCE`].
#[derive(Clone, Debug)]
pub struct Patient<C>(C);

impl From<DatabaseConnection> for Patient<DatabaseConnection> {
    fn from(db: DatabaseConnection) -> Self {
        Self(db)
    }
}

/// The library's own, for what no request waits for.
impl AsRef<DatabaseConnection> for Patient<DatabaseConnection> {
    fn as_ref(&self) -> &DatabaseConnection {
        &self.0
    }
}

/// Does the work of one request, which waits for the database [`PATIENCE`] altogether.
pub fn of_one_request<F: Future>(work: F) -> impl Future<Output = F::Output> {
    LEFT.scope(Cell::new(PATIENCE), work)
}

async fn in_time<T>(work: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
    let begun = Instant::now();
    let answer = timeout(LEFT.try_with(Cell::get).unwrap_or(PATIENCE), work).await;
    // Only a request counts on.
    let _ = LEFT.try_with(|left| left.set(left.get().saturating_sub(begun.elapsed())));
    answer.unwrap_or_else(|_| Err(DbErr::Custom(format!("no answer within {} seconds", PATIENCE.as_secs()))))
}

impl Patient<DatabaseConnection> {
    /// Begins a transaction that takes SQLite's write lock at once.
    pub(super) async fn begin_writing(&self) -> Result<Patient<DatabaseTransaction>, DbErr> {
        let options = TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
        in_time(self.0.begin_with_options(options)).await.map(Patient)
    }

    /// Closes the pool.
    ///
    /// # Errors
    /// The library's, and when a connection does not come back.
    pub async fn close(self) -> Result<(), DbErr> {
        in_time(self.0.close()).await
    }
}

impl Patient<DatabaseTransaction> {
    pub(super) async fn commit(self) -> Result<(), DbErr> {
        in_time(self.0.commit()).await
    }
}

#[async_trait]
impl<C: ConnectionTrait> ConnectionTrait for Patient<C> {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        in_time(self.0.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        in_time(self.0.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        in_time(self.0.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        in_time(self.0.query_all_raw(statement)).await
    }

    fn support_returning(&self) -> bool {
        self.0.support_returning()
    }
}
