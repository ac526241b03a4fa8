//! What has happened (SR-180): one line in the log and one row in the database, so that "why could
//! she not log in last night?" is answered in the browser. Where something changes, the row is part
//! of the same transaction.

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

/// Rows about one network for one kind of event that strangers can cause as often as they like.
const STRANGER_EVENT_LIMIT: RateLimit = RateLimit {
    max: 20,
    window: 10 * 60,
};
/// Seconds of a day.
const SECONDS_PER_DAY: i64 = 24 * 60 * 60;

/// Whom it is about, and how. Never anything that somebody has typed.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventDetails<'a> {
    pub(super) user: Option<Uuid>,
    pub(super) actor: Option<Uuid>,
    pub(super) method: &'a str,
    pub(super) detail: &'a str,
}

impl<'a> EventDetails<'a> {
    /// About nobody in particular.
    pub fn new() -> Self {
        Self::default()
    }

    /// About this user.
    pub fn for_user(user: Uuid) -> Self {
        Self {
            user: Some(user),
            ..Self::default()
        }
    }

    /// About this user, if there is one.
    pub fn for_user_if_known(user: Option<Uuid>) -> Self {
        Self {
            user,
            ..Self::default()
        }
    }

    /// Done by somebody else.
    #[must_use]
    pub fn by_actor(self, actor: Uuid) -> Self {
        Self {
            actor: Some(actor),
            ..self
        }
    }

    /// How, in one word.
    #[must_use]
    pub fn with_method(self, method: &'a str) -> Self {
        Self { method, ..self }
    }

    /// Why, or what: a stable word, or a sentence for operators.
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
    about: EventDetails<'_>,
) -> Result<(), AuthError> {
    let network = cx.state.loggable(&cx.client.rate_limit_key);
    let EventDetails {
        user,
        actor,
        method,
        detail,
    } = about;
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
    // Boxed, or the room for it would be kept in everything that may come to an event.
    Box::pin(db::events::insert(db, row)).await
}

/// Records, outside of any transaction, an event that strangers can cause without end: always a log
/// line, a row only within [`STRANGER_EVENT_LIMIT`], and no failure of its own.
pub async fn record_rate_limited(cx: &Ctx<'_>, event: AuditEvent, about: EventDetails<'_>) {
    let key = format!("event:{}:{}", event.code(), cx.client.rate_limit_key);
    // Boxed, as in [`insert_event`].
    let may_insert = Box::pin(db::rate_limits::consume(
        &cx.state.db,
        &key,
        STRANGER_EVENT_LIMIT,
        cx.now(),
    ))
    .await
    .is_ok();
    if may_insert {
        // The log line is written in any case, and the database has logged its failure.
        let _ = insert_event(cx, &cx.state.db, event, about).await;
    }
    log_event(cx, event, about);
}

/// Forgets what is older than `policy.audit_retention_days`.
pub async fn purge(state: &AppState) -> Result<u64, AuthError> {
    db::events::purge(
        &state.db,
        state.clock.now() - i64::from(state.config.policy.audit_retention_days) * SECONDS_PER_DAY,
    )
    .await
}

/// Writes the log line of an event and counts it. Without a row: for what only reads.
pub fn log_event(cx: &Ctx<'_>, event: AuditEvent, about: EventDetails<'_>) {
    let EventDetails {
        user,
        actor,
        method,
        detail,
    } = about;
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
    metrics::record_event(event, about.method);
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
