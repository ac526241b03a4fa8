//! Connecting an account at the provider with the account of somebody who is logged in, and disconnecting it. A flow of its own, begun by
//! a form of ours, whose record names the session: an answer that a stranger slips in connects nothing (SR-058).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{account::address, fault_of, handshake::is_current, named};
use crate::{
    domain::{AuthError, Email, Event, refusal::Refusal},
    server::{
        AppState,
        db::{self, identities::NewIdentity},
        flows::{
            events::{self, Note},
            sessions::{self, CurrentUser, Origin},
        },
        provider::{Fault, Person},
    },
};

/// Whose account shall be connected, and in which of their sessions they said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connects {
    user: Uuid,
    session: Uuid,
    said_at: i64,
}

impl Connects {
    /// Whether it is the wish of this very session, a short while ago.
    #[must_use]
    pub fn is_of(&self, current: &CurrentUser, now: i64) -> bool {
        self.user == current.user().id && self.session == current.session() && is_current(self.said_at, now)
    }
}

/// What somebody wants who has asked to connect their account: it takes a young login (SR-142), because it is another way in.
///
/// # Errors
/// `LoginTooOld`, `NotFound` without a provider.
pub fn what_connects(state: &AppState, current: &CurrentUser) -> Result<Connects, AuthError> {
    let now = state.clock.now();
    current.require_fresh(now)?;
    state.provider.as_ref().ok_or(AuthError::NotFound)?;
    Ok(Connects { user: current.user().id, session: current.session(), said_at: now })
}

/// Connects whoever the provider says this is with the account of the person who asked for it.
pub(super) async fn link(state: &AppState, person: Person, connects: &Connects, current: Option<&CurrentUser>, origin: &Origin) -> Result<(), Fault> {
    let now = state.clock.now();
    let current = current
        .filter(|current| connects.is_of(current, now))
        .ok_or_else(|| Fault::new(Refusal::AttemptUnknown, "the session that asked for connecting an account is not the one that came back", ""))?;
    let user = current.user();
    let transaction = db::begin(&state.db).await.map_err(fault_of)?;
    db::serialize(&transaction).await.map_err(fault_of)?;
    db::users::find(&transaction, user.id).await.map_err(fault_of)?.filter(|user| user.is_active).ok_or_else(|| fault_of(AuthError::NotLoggedIn))?;
    // Asking the provider takes its time.
    sessions::still_live(state, &transaction, current).await.map_err(|error| match error {
        AuthError::NotLoggedIn => Fault::new(Refusal::AttemptUnknown, "the session that asked for connecting an account has ended", "").about(user.id),
        error => fault_of(error),
    })?;
    match db::identities::find(&transaction, &person.issuer, &person.subject).await.map_err(fault_of)? {
        Some(identity) if identity.user_id == user.id => return Ok(()),
        Some(identity) => {
            let reason = format!("{} is connected with another user, {}", named(&person), identity.user_id);
            return Err(Fault::new(Refusal::AlreadyConnected, reason, "disconnect it there first").about(user.id));
        }
        None => {}
    }
    let email = address(&person);
    let new = NewIdentity { user: user.id, issuer: &person.issuer, subject: &person.subject, email: email.as_ref().map(Email::as_str) };
    db::identities::insert(&transaction, new, now).await.map_err(fault_of)?;
    events::record(state, &transaction, Event::IdentityLinked, origin, Note::of(user.id)).await.map_err(fault_of)?;
    db::commit(transaction).await.map_err(fault_of)
}

/// Disconnects one of the person's own accounts at a provider. The last way in stays (SR-076). Whoever came in by it is out, as after a
/// change of the password (SR-098): the provider could not log them out any more.
///
/// # Errors
/// `LoginTooOld`; `NotFound` for an id that is not theirs; `LastWayIn`; `Unavailable`.
pub async fn unlink(state: &AppState, current: &CurrentUser, identity: Uuid, origin: &Origin) -> Result<(), AuthError> {
    let now = state.clock.now();
    current.require_fresh(now)?;
    let user = current.user().id;
    let transaction = db::begin(&state.db).await?;
    db::serialize(&transaction).await?;
    sessions::still_live(state, &transaction, current).await?;
    let identities = db::identities::list_for_user(&transaction, user).await?;
    let unlinked = identities.iter().find(|known| known.id == identity).ok_or(AuthError::NotFound)?;
    let is_passwordless = db::accounts::is_passwordless(&transaction, user).await?;
    // Another one of the same provider would still let the person in; one of a provider of former times would not.
    let has_another = identities.iter().any(|other| other.id != identity && other.issuer == unlinked.issuer);
    if is_passwordless && !has_another {
        return Err(AuthError::LastWayIn);
    }
    db::identities::delete(&transaction, user, unlinked).await?;
    db::sessions::revoke_for_identity(&transaction, identity, current.session(), now).await?;
    events::record(state, &transaction, Event::IdentityUnlinked, origin, Note::of(user)).await?;
    db::commit(transaction).await
}
