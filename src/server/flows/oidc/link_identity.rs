//! Connecting an account at the provider with the account of somebody who is logged in, and
//! disconnecting it. A flow of its own, begun by a form of ours, whose record names the session: an
//! answer that a stranger slips in connects nothing (SR-058).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{account::email_of, describe_identity, login_attempt::is_current};
use crate::{
    domain::{AuditEvent, AuthError, Email, oidc_error::OidcError},
    server::{
        db::{self, identities::NewIdentity},
        flows::{
            Ctx,
            events::EventDetails,
            sessions::{self, CurrentUser, RecentLogin},
        },
        oidc::{ExternalUser, OidcFailure},
    },
};

/// Whose account shall be connected, and in which of their sessions they said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRequest {
    user: Uuid,
    session: Uuid,
    said_at: i64,
}

impl LinkRequest {
    /// Whether it is the wish of this very session, a short while ago.
    pub fn is_of(&self, current: &CurrentUser, now: i64) -> bool {
        self.user == current.user().id
            && self.session == current.session()
            && is_current(self.said_at, now)
    }
}

/// What somebody wants who has asked to connect their account: it takes a recent login (SR-142),
/// because it is another way in.
///
/// # Errors
/// `NotFound` without a provider.
pub fn link_request(cx: &Ctx<'_>, recent: &RecentLogin) -> Result<LinkRequest, AuthError> {
    cx.state.provider.as_ref().ok_or(AuthError::NotFound)?;
    Ok(LinkRequest {
        user: recent.user().id,
        session: recent.current().session(),
        said_at: cx.now(),
    })
}

/// Connects whoever the provider says this is with the account of the person who asked for it. The
/// login was recent when they asked, which the record of the attempt proves.
pub(super) async fn link_identity(
    cx: &Ctx<'_>,
    current: Option<&CurrentUser>,
    connects: &LinkRequest,
    external: ExternalUser,
) -> Result<(), OidcFailure> {
    let now = cx.now();
    let current = current
        .filter(|current| connects.is_of(current, now))
        .ok_or_else(|| {
            OidcFailure::new(
                OidcError::UnknownState,
                "the session that asked for connecting an account is not the one that came back",
                "",
            )
        })?;
    let user = current.user();
    let mut tx = cx.exclusive().await?;
    db::users::find(tx.db(), user.id)
        .await?
        .filter(|user| user.is_active)
        .ok_or(AuthError::NotLoggedIn)?;
    // Asking the provider takes its time.
    sessions::ensure_session_live(&tx, current)
        .await
        .map_err(|error| match error {
            AuthError::NotLoggedIn => OidcFailure::new(
                OidcError::UnknownState,
                "the session that asked for connecting an account has ended",
                "",
            )
            .about(user.id),
            error => error.into(),
        })?;
    match db::identities::find(tx.db(), &external.issuer, &external.subject).await? {
        Some(identity) if identity.user_id == user.id => return Ok(()),
        Some(identity) => {
            let reason = format!(
                "{} is connected with another user, {}",
                describe_identity(&external),
                identity.user_id
            );
            return Err(OidcFailure::new(
                OidcError::IdentityAlreadyLinked,
                reason,
                "disconnect it there first",
            )
            .about(user.id));
        }
        None => {}
    }
    let email = email_of(&external);
    let new = NewIdentity {
        user: user.id,
        issuer: &external.issuer,
        subject: &external.subject,
        email: email.as_ref().map(Email::as_str),
    };
    db::identities::insert(tx.db(), new, now).await?;
    tx.record(AuditEvent::IdentityLinked, EventDetails::for_user(user.id))
        .await?;
    Ok(tx.commit().await?)
}

/// Disconnects one of the person's own accounts at a provider. The last way in stays (SR-076).
/// Whoever came in by it is out, as after a change of the password (SR-098): the provider could not
/// log them out any more.
///
/// # Errors
/// `NotFound` for an id that is not theirs; `LastWayIn`; `Unavailable`; `NotLoggedIn` when the
/// session has ended meanwhile.
pub async fn unlink_identity(
    cx: &Ctx<'_>,
    recent: &RecentLogin,
    identity: Uuid,
) -> Result<(), AuthError> {
    let (current, user) = (recent.current(), recent.user().id);
    let mut tx = cx.exclusive().await?;
    sessions::ensure_session_live(&tx, current).await?;
    let identities = db::identities::list_for_user(tx.db(), user).await?;
    let unlinked = identities
        .iter()
        .find(|known| known.id == identity)
        .ok_or(AuthError::NotFound)?;
    let is_passwordless = db::accounts::is_passwordless(tx.db(), user).await?;
    // Another one of the same provider would still let the person in; one of a provider of former
    // times would not.
    let has_another = identities
        .iter()
        .any(|other| other.id != identity && other.issuer == unlinked.issuer);
    if is_passwordless && !has_another {
        return Err(AuthError::LastLoginMethod);
    }
    db::identities::delete(tx.db(), user, unlinked).await?;
    db::sessions::revoke_for_identity(tx.db(), identity, current.session(), tx.now()).await?;
    tx.record(AuditEvent::IdentityUnlinked, EventDetails::for_user(user))
        .await?;
    tx.commit().await
}
