//! What has happened (SR-180): one line in the log and one row in the database, so that "why could she not log in last night?" is answered
//! in the browser. Where something changes, the row is part of the same transaction.

use uuid::Uuid;

use crate::{
    domain::{AuthError, Event},
    server::{
        AppState,
        db::{self, events::NewEvent, rate_limits::RateLimit},
        flows::sessions::Origin,
        metrics,
    },
};

/// Rows about one network for one kind of event that strangers can cause as often as they like.
const RARELY: RateLimit = RateLimit { max: 20, window: 10 * 60 };
/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// Whom it is about, and how. Never anything that somebody has typed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Note<'a> {
    user: Option<Uuid>,
    actor: Option<Uuid>,
    method: &'a str,
    detail: &'a str,
}

impl<'a> Note<'a> {
    /// About nobody in particular.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// About this user.
    #[must_use]
    pub fn of(user: Uuid) -> Self {
        Self { user: Some(user), ..Self::default() }
    }

    /// About this user, if there is one.
    #[must_use]
    pub fn of_maybe(user: Option<Uuid>) -> Self {
        Self { user, ..Self::default() }
    }

    /// Done by somebody else.
    #[must_use]
    pub fn by(self, actor: Uuid) -> Self {
        Self { actor: Some(actor), ..self }
    }

    /// How, in one word.
    #[must_use]
    pub fn method(self, method: &'a str) -> Self {
        Self { method, ..self }
    }

    /// Why, or what: a stable word, or a sentence for operators.
    #[must_use]
    pub fn detail(self, detail: &'a str) -> Self {
        Self { detail, ..self }
    }
}

/// Writes it down in both places.
///
/// # Errors
/// `Unavailable`.
pub async fn record(state: &AppState, db: &impl db::Connection, event: Event, origin: &Origin, note: Note<'_>) -> Result<(), AuthError> {
    log(state, event, origin, note);
    let network = state.loggable(&origin.network);
    let Note { user, actor, method, detail } = note;
    let row = NewEvent { occurred_at: state.clock.now(), kind: event, user, actor, method, client_ip: network, request_id: &origin.reference, detail };
    // In a box, or the room for it would be kept in everything that may come to an event.
    Box::pin(db::events::insert(db, row)).await
}

/// The same for what strangers can cause without end: always a line, but not always a row, and no failure of its own.
pub async fn record_rarely(state: &AppState, event: Event, origin: &Origin, note: Note<'_>) {
    let key = format!("event:{}:{}", event.code(), origin.network);
    // In a box, as in [`record`].
    match Box::pin(db::rate_limits::consume(&state.db, &key, RARELY, state.clock.now())).await {
        Ok(()) => drop(record(state, &state.db, event, origin, note).await),
        Err(_) => log(state, event, origin, note),
    }
}

/// Forgets what is older than `policy.event_days`.
///
/// # Errors
/// `Unavailable`.
pub async fn purge(state: &AppState) -> Result<u64, AuthError> {
    db::events::purge(&state.db, state.clock.now() - i64::from(state.config.policy.event_days) * DAY).await
}

/// Writes it down in the log alone.
pub fn log(state: &AppState, event: Event, origin: &Origin, note: Note<'_>) {
    let Note { user, actor, method, detail } = note;
    let (user, actor) = (user.map(tracing::field::display), actor.map(tracing::field::display));
    let some = |text| Some(text).filter(|text: &&str| !text.is_empty());
    let (method, detail, network) = (some(method), some(detail), state.loggable(&origin.network));
    metrics::happened(event, note.method);
    tracing::info!(event = event.code(), user, actor, method, detail, network, "{}", event.words());
}
