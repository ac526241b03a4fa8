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
/// Rows per event kind of all clients together: one host may have any number of IPv6 networks.
const STRANGER_KIND_LIMIT: RateLimit = RateLimit {
    max: 5000,
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

/// Records an event that clients can cause without limit, outside of any transaction. The row is
/// written within [`STRANGER_EVENT_LIMIT`] and [`STRANGER_KIND_LIMIT`] only. So is the line of a
/// throttled login; the other lines are always written, because an error page shows their request
/// id. A database failure is ignored.
pub async fn record_rate_limited(cx: &Ctx<'_>, event: AuditEvent, details: EventDetails<'_>) {
    // Boxed to keep the futures of all callers small.
    let may_insert = Box::pin(consume_event(cx, event)).await;
    if may_insert.is_ok() {
        // The log line is written in any case, and the database layer has logged its error.
        let _ = insert_event(cx, &cx.state.db, event, details).await;
    }
    let is_over = matches!(may_insert, Err(AuthError::TooManyAttempts { .. }));
    if is_over && event == AuditEvent::LoginThrottled {
        metrics::record_event(event, details.method);
    } else {
        log_event(cx, event, details);
    }
}

/// Reads both limits before it writes one, so that an event beyond them costs no write, and leaves
/// no row for each network.
async fn consume_event(cx: &Ctx<'_>, event: AuditEvent) -> Result<(), AuthError> {
    let (db, code) = (&cx.state.db, event.code());
    let limits = [
        (format!("event:{code}"), STRANGER_KIND_LIMIT),
        (
            format!("event:{code}:{}", cx.client.rate_limit_key),
            STRANGER_EVENT_LIMIT,
        ),
    ];
    db::rate_limits::ensure_not_blocked(db, &limits, cx.now()).await?;
    for (key, limit) in &limits {
        db::rate_limits::consume(db, key, *limit, cx.now()).await?;
    }
    Ok(())
}

/// Deletes events older than `policy.audit_retention_days`, and those of [`purge_surplus`].
pub async fn purge(state: &AppState) -> Result<u64, AuthError> {
    db::events::purge(
        &state.db,
        state.clock.now() - i64::from(state.config.policy.audit_retention_days) * SECONDS_PER_DAY,
    )
    .await
}

/// Deletes the events beyond the number of rows that is kept, whatever their age.
pub async fn purge_surplus(state: &AppState) -> Result<u64, AuthError> {
    db::events::purge_surplus(&state.db).await
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
