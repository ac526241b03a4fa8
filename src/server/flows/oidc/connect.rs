use serde::{Deserialize, Serialize};

use super::handshake::is_current;
use crate::{
    domain::{AuthError, Email, Event, Password, ReturnTo},
    server::{
        AppState,
        db::{self, identities::NewIdentity},
        flows::{
            events::{self, Note},
            login,
            sessions::{self, Origin, Started, Way},
        },
        provider::Person,
    },
};

/// Somebody who has logged in at the provider, whose address has an account here that they have to prove. The browser carries
/// it, encrypted, for ten minutes.
#[derive(Clone, Serialize, Deserialize)]
pub struct Pending {
    issuer: String,
    subject: String,
    session: Option<String>,
    /// The address of the account, in its canonical form.
    pub email: String,
    return_to: Option<String>,
    started_at: i64,
}

impl Pending {
    #[must_use]
    pub fn new(person: Person, email: &Email, return_to: Option<&ReturnTo>, now: i64) -> Self {
        Self {
            issuer: person.issuer,
            subject: person.subject,
            session: person.session,
            email: email.as_str().to_owned(),
            return_to: return_to.map(|target| target.as_str().to_owned()),
            started_at: now,
        }
    }

    /// Where the person wanted to go.
    #[must_use]
    pub fn return_to(&self) -> &str {
        self.return_to.as_deref().unwrap_or_default()
    }

    /// Whether it is still in time.
    #[must_use]
    pub fn is_current(&self, now: i64) -> bool {
        is_current(self.started_at, now)
    }
}

/// Connects the identity with the account whose password the person has just typed, and logs them in. The same throttle, the
/// same one hash and the same answers as every login (SR-005).
///
/// # Errors
/// `ConnectionExpired`, and those of a login.
pub async fn connect(state: &AppState, pending: &Pending, password: Password, origin: Origin) -> Result<Started, AuthError> {
    let now = state.clock.now();
    if !pending.is_current(now) {
        return Err(AuthError::ConnectionExpired);
    }
    let attempt = login::Attempt { email: Some(Email::parse(&pending.email)?), password, origin: origin.clone() };
    let proven = login::prove(state, attempt).await?;
    let transaction = db::begin(&state.db).await?;
    db::serialize(&transaction).await?;
    login::confirm(&transaction, &proven).await?;
    let identity = match db::identities::find(&transaction, &pending.issuer, &pending.subject).await? {
        Some(identity) if identity.user_id == proven.user.id => identity,
        // Connected with somebody else in another tab; which account that is, is nobody's business here.
        Some(_) => return Err(AuthError::ConnectionExpired),
        None => {
            let new = NewIdentity { user: proven.user.id, issuer: &pending.issuer, subject: &pending.subject, email: Some(&pending.email) };
            let identity = db::identities::insert(&transaction, new, now).await?;
            events::record(state, &transaction, Event::IdentityLinked, &origin, Note::of(proven.user.id).method("password")).await?;
            identity
        }
    };
    let user = login::grant_administration(state, &transaction, proven.user, &origin).await?;
    let way = Way::Provider { identity: identity.id, session: pending.session.clone() };
    let started = sessions::start(state, &transaction, user, way, origin).await?;
    db::commit(transaction).await?;
    Ok(started)
}

/// Written by hand: who somebody is at the provider is not for logs.
impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending").field("started_at", &self.started_at).finish_non_exhaustive()
    }
}
