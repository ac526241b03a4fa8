//! The audit log (SR-180): each event is one log line and one database row, so that administrators
//! can read it in the browser. If the event changes data, the row is part of the same transaction.

use uuid::Uuid;

use crate::{
    domain::{AuditEvent, AuthError},
    server::{
        AppState,
        db::{self, events::NewEvent, rate_limits::RateLimit},
        flows::Ctx,
        telemetry::metrics,
    },
    text::en::event_description,
};

/// Rows per client and event kind, for events that clients can cause without limit.
const STRANGER_EVENT_LIMIT: RateLimit = RateLimit {
    max: 20,
    window: 10 * 60,
};
const SECONDS_PER_DAY: i64 = 24 * 60 * 60;

/// The users and details of an event. Never contains text typed by a user.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventDetails<'a> {
    pub(super) user: Option<Uuid>,
    pub(super) actor: Option<Uuid>,
    pub(super) method: &'a str,
    pub(super) detail: &'a str,
}

impl<'a> EventDetails<'a> {
    /// An event without a user.
    pub fn new() -> Self {
        Self::default()
    }

    /// An event of this user.
    pub fn for_user(user: Uuid) -> Self {
        Self {
            user: Some(user),
            ..Self::default()
        }
    }

    /// An event of this user, if there is one.
    pub fn for_user_if_known(user: Option<Uuid>) -> Self {
        Self {
            user,
            ..Self::default()
        }
    }

    /// The user who caused the event, if it is another one.
    #[must_use]
    pub fn by_actor(self, actor: Uuid) -> Self {
        Self {
            actor: Some(actor),
            ..self
        }
    }

    /// The method, as one stable word.
    #[must_use]
    pub fn with_method(self, method: &'a str) -> Self {
        Self { method, ..self }
    }

    /// The reason or the object: a stable word, or a sentence for operators.
    #[must_use]
    pub fn with_detail(self, detail: &'a str) -> Self {
        Self { detail, ..self }
    }
}

/// Inserts the row of an event. Flows record through [`Tx::record`](super::Tx::record), which logs
/// after the commit.
pub(super) async fn insert_event(
    cx: &Ctx<'_>,
    db: &impl db::Connection,
    event: AuditEvent,
    details: EventDetails<'_>,
) -> Result<(), AuthError> {
    let network = cx.state.loggable(&cx.client.rate_limit_key);
    let EventDetails {
        user,
        actor,
        method,
        detail,
    } = details;
    let row = NewEvent {
        occurred_at: cx.now(),
        kind: event,
        user,
        actor,
        method,
        client_ip: network,
        request_id: &cx.client.request_id,
        detail,
    };
    // Boxed to keep the futures of all callers small.
    Box::pin(db::events::insert(db, row)).await
}

/// Records an event that clients can cause without limit, outside of any transaction. The log line
/// is always written, the row only within [`STRANGER_EVENT_LIMIT`]. A database failure is ignored.
pub async fn record_rate_limited(cx: &Ctx<'_>, event: AuditEvent, details: EventDetails<'_>) {
    let key = format!("event:{}:{}", event.code(), cx.client.rate_limit_key);
    // Boxed to keep the futures of all callers small.
    let may_insert = Box::pin(db::rate_limits::consume(
        &cx.state.db,
        &key,
        STRANGER_EVENT_LIMIT,
        cx.now(),
    ))
    .await
    .is_ok();
    if may_insert {
        // The log line is written in any case, and the database layer has logged its error.
        let _ = insert_event(cx, &cx.state.db, event, details).await;
    }
    log_event(cx, event, details);
}

/// Deletes events older than `policy.audit_retention_days`.
pub async fn purge(state: &AppState) -> Result<u64, AuthError> {
    db::events::purge(
        &state.db,
        state.clock.now() - i64::from(state.config.policy.audit_retention_days) * SECONDS_PER_DAY,
    )
    .await
}

/// Logs and counts an event without storing a row, for requests that only read.
pub fn log_event(cx: &Ctx<'_>, event: AuditEvent, details: EventDetails<'_>) {
    let EventDetails {
        user,
        actor,
        method,
        detail,
    } = details;
    let (user, actor) = (
        user.map(tracing::field::display),
        actor.map(tracing::field::display),
    );
    let some = |text| Some(text).filter(|text: &&str| !text.is_empty());
    let (method, detail, network) = (
        some(method),
        some(detail),
        cx.state.loggable(&cx.client.rate_limit_key),
    );
    metrics::record_event(event, details.method);
    tracing::info!(
        event = event.code(),
        user,
        actor,
        method,
        detail,
        client_ip = network,
        "{}",
        event_description(event)
    );
}
