//! Bounds the time a request spends waiting for the database, whether it refuses, is locked, is
//! slow, or the connection is silently dead (SR-190). The library's own limits apply to one step of
//! one statement each; a request takes many.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
    prelude::async_trait::async_trait,
};
use tokio::time::timeout;

/// How long a request may wait for the database in total before it fails with a 503. Work outside a
/// request has as long for each statement.
pub(super) const REQUEST_DB_BUDGET: Duration = Duration::from_secs(4);

tokio::task_local! {
    /// The part of [`REQUEST_DB_BUDGET`] that the current request has not used yet.
    static REMAINING: Cell<Duration>;
}

/// A connection or transaction whose calls fail when they exceed [`REQUEST_DB_BUDGET`].
#[derive(Clone, Debug)]
pub struct WithDeadline<C>(C);

impl From<DatabaseConnection> for WithDeadline<DatabaseConnection> {
    fn from(db: DatabaseConnection) -> Self {
        Self(db)
    }
}

/// The connection without a deadline, for work that no request waits for.
impl AsRef<DatabaseConnection> for WithDeadline<DatabaseConnection> {
    fn as_ref(&self) -> &DatabaseConnection {
        &self.0
    }
}

/// Runs `work` as one request, whose database calls share one [`REQUEST_DB_BUDGET`].
pub fn with_request_deadline<F: Future>(work: F) -> impl Future<Output = F::Output> {
    REMAINING.scope(Cell::new(REQUEST_DB_BUDGET), work)
}

async fn with_timeout<T>(work: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
    // Tests count the statements of a request by this line (SR-020).
    tracing::trace!(event = "database_call");
    let begun = Instant::now();
    let answer = timeout(
        REMAINING.try_with(Cell::get).unwrap_or(REQUEST_DB_BUDGET),
        work,
    )
    .await;
    // The task-local exists inside a request only.
    let _ = REMAINING
        .try_with(|remaining| remaining.set(remaining.get().saturating_sub(begun.elapsed())));
    answer.unwrap_or_else(|_| {
        Err(DbErr::Custom(format!(
            "no answer within {} seconds",
            REQUEST_DB_BUDGET.as_secs()
        )))
    })
}

impl WithDeadline<DatabaseConnection> {
    /// Begins a transaction that takes SQLite's write lock at once.
    pub(super) async fn begin_writing(&self) -> Result<WithDeadline<DatabaseTransaction>, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        with_timeout(self.0.begin_with_options(options))
            .await
            .map(WithDeadline)
    }

    /// Closes the pool. Fails with a timeout when a connection is not returned to it.
    pub async fn close(self) -> Result<(), DbErr> {
        with_timeout(self.0.close()).await
    }
}

impl WithDeadline<DatabaseTransaction> {
    pub(super) async fn commit(self) -> Result<(), DbErr> {
        with_timeout(self.0.commit()).await
    }
}

#[async_trait]
impl<C: ConnectionTrait> ConnectionTrait for WithDeadline<C> {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        with_timeout(self.0.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        with_timeout(self.0.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        with_timeout(self.0.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        with_timeout(self.0.query_all_raw(statement)).await
    }

    fn support_returning(&self) -> bool {
        self.0.support_returning()
    }
}
