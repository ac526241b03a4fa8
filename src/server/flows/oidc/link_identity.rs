//! Linking an identity to the account of the person who is logged in, and unlinking it. Linking is a
//! flow of its own, started by a form of ours, and its record names the session: an authorization
//! response that an attacker injects links nothing (SR-058).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{describe_identity, login_attempt::is_current};
use crate::{
    domain::{AuditEvent, AuthError, Email, ExternalUser, oidc_error::OidcError},
    server::{
        db::{self, identities::NewIdentity},
        flows::{
            Ctx,
            events::EventDetails,
            sessions::{self, CurrentUser, RecentLogin},
        },
        oidc::OidcFailure,
    },
};

/// The account to link an identity to, and the session in which that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRequest {
    user: Uuid,
    session: Uuid,
    asked_at: i64,
}

impl LinkRequest {
    /// Whether this session asked, a short while ago.
    pub fn is_of(&self, current: &CurrentUser, now: i64) -> bool {
        self.user == current.user().id
            && self.session == current.session()
            && is_current(self.asked_at, now)
    }
}

/// The request to link an identity. It takes a recent login (SR-142), because an identity is another
/// login method.
///
/// # Errors
/// `NotFound` without a provider.
pub fn link_request(cx: &Ctx<'_>, recent: &RecentLogin) -> Result<LinkRequest, AuthError> {
    if cx.state.providers.is_empty() {
        return Err(AuthError::NotFound);
    }
    Ok(LinkRequest {
        user: recent.user().id,
        session: recent.current().session(),
        asked_at: cx.now(),
    })
}

/// Links the identity to the account of the session that asked for it. The login was recent at that
/// time, which the record of the attempt proves.
pub(super) async fn link_identity(
    cx: &Ctx<'_>,
    current: Option<&CurrentUser>,
    request: &LinkRequest,
    external: ExternalUser,
) -> Result<(), OidcFailure> {
    let now = cx.now();
    let current = current
        .filter(|current| request.is_of(current, now))
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
    // The session may have ended while the provider was asked.
    sessions::ensure_session_live(&tx, current)
        .await
        .map_err(|error| match error {
            AuthError::NotLoggedIn => OidcFailure::new(
                OidcError::UnknownState,
                "the session that asked for connecting an account has ended",
                "",
            )
            .for_user(user.id),
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
            .for_user(user.id));
        }
        None => {}
    }
    let email = Email::parse(external.email.as_deref().unwrap_or_default()).ok();
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

/// Unlinks one of the person's own identities. The last login method stays (SR-076). Sessions that
/// began with the identity end, as after a change of the password (SR-098): the provider could no
/// longer log them out.
///
/// # Errors
/// `NotFound` for an identity of another account; `LastLoginMethod`; `NotLoggedIn` when the session
/// has ended meanwhile.
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
    // Another identity at the same provider still logs the person in. One of a provider that was
    // configured before does not.
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
