use uuid::Uuid;

use super::{
    client_info::ClientInfo,
    events::{self, EventDetails},
};
use crate::{
    domain::{AuditEvent, AuthError},
    server::{AppState, crypto::password_hasher::QueueSlot, db},
};

/// The context of a flow: the program's state and the client on whose behalf the flow runs.
#[derive(Clone, Copy)]
pub struct Ctx<'a> {
    pub state: &'a AppState,
    pub client: &'a ClientInfo,
}

impl<'a> Ctx<'a> {
    /// The context of a command-line operation.
    pub fn cli(state: &'a AppState) -> Self {
        Self {
            state,
            client: ClientInfo::cli(),
        }
    }

    /// Unix seconds.
    pub fn now(&self) -> i64 {
        self.state.clock.now()
    }

    /// Takes a slot in the queue of the hashes for the client's network.
    ///
    /// # Errors
    /// `Overloaded` when the queue is full, after a delay.
    pub async fn acquire_hashing_slot(&self) -> Result<QueueSlot, AuthError> {
        let network = &self.client.rate_limit_key;
        self.state.hasher.acquire_slot(network).await
    }

    /// Begins a transaction that will write.
    pub async fn transaction(&self) -> Result<Tx<'a>, AuthError> {
        Ok(Tx {
            cx: *self,
            transaction: db::begin(&self.state.db).await?,
            recorded: Vec::new(),
        })
    }

    /// Begins a transaction that holds the advisory lock. Such transactions run one at a time
    /// across all instances, for rules that no database constraint enforces.
    pub async fn exclusive(&self) -> Result<Tx<'a>, AuthError> {
        let tx = self.transaction().await?;
        db::serialize(&tx.transaction).await?;
        Ok(tx)
    }

    /// Records a single event outside of any transaction: the row, then the log line and the
    /// metric.
    ///
    /// # Errors
    /// `Unavailable`: then nothing is logged.
    pub(super) async fn record(
        &self,
        event: AuditEvent,
        details: EventDetails<'_>,
    ) -> Result<(), AuthError> {
        events::insert_event(self, &self.state.db, event, details).await?;
        events::log_event(self, event, details);
        Ok(())
    }
}

/// One transaction of a flow with the events it records. Dropping it without
/// [`commit`](Self::commit) discards rows, log lines and metrics.
pub struct Tx<'a> {
    cx: Ctx<'a>,
    transaction: db::Transaction,
    recorded: Vec<Recorded>,
}

/// An event to be logged and counted after the commit.
struct Recorded {
    event: AuditEvent,
    user: Option<Uuid>,
    actor: Option<Uuid>,
    method: String,
    detail: String,
}

impl<'a> Tx<'a> {
    /// The context in which the transaction began.
    pub fn cx(&self) -> Ctx<'a> {
        self.cx
    }

    /// Unix seconds.
    pub fn now(&self) -> i64 {
        self.cx.now()
    }

    /// The connection for queries.
    pub fn db(&self) -> &db::Transaction {
        &self.transaction
    }

    /// Records an event: the row in this transaction, the log line and the metric after the commit.
    pub async fn record(
        &mut self,
        event: AuditEvent,
        details: EventDetails<'_>,
    ) -> Result<(), AuthError> {
        events::insert_event(&self.cx, &self.transaction, event, details).await?;
        self.log(event, details);
        Ok(())
    }

    /// Logs an event after the commit without a row, for events that repeat at every login.
    pub fn log(&mut self, event: AuditEvent, details: EventDetails<'_>) {
        let EventDetails {
            user,
            actor,
            method,
            detail,
        } = details;
        self.recorded.push(Recorded {
            event,
            user,
            actor,
            method: method.to_owned(),
            detail: detail.to_owned(),
        });
    }

    /// Commits, then writes the log lines and metrics of the recorded events.
    ///
    /// # Errors
    /// `Unavailable`: then nothing is logged.
    pub async fn commit(self) -> Result<(), AuthError> {
        db::commit(self.transaction).await?;
        for Recorded {
            event,
            user,
            actor,
            method,
            detail,
        } in &self.recorded
        {
            events::log_event(
                &self.cx,
                *event,
                EventDetails {
                    user: *user,
                    actor: *actor,
                    method,
                    detail,
                },
            );
        }
        Ok(())
    }
}
