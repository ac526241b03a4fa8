use serde::{Deserialize, Serialize};

use super::login_attempt::is_current;
use crate::{
    domain::{AuditEvent, AuthError, Email, ExternalUser, LoginMethod, Password, ReturnTo},
    server::{
        db::{self, identities::NewIdentity},
        flows::{
            Ctx,
            events::EventDetails,
            login::{self, FirstFactor, IdentityRef, Login},
        },
    },
};

/// An identity at the provider whose address has an account here, until the account's password is
/// given. The browser keeps it in an encrypted cookie for ten minutes.
#[derive(Clone, Serialize, Deserialize)]
pub struct PendingLink {
    issuer: String,
    subject: String,
    session: Option<String>,
    /// The address of the account, in its canonical form.
    pub email: String,
    /// Where the login leads.
    pub return_to: Option<ReturnTo>,
    started_at: i64,
}

impl PendingLink {
    pub fn new(
        external: ExternalUser,
        email: &Email,
        return_to: Option<ReturnTo>,
        now: i64,
    ) -> Self {
        Self {
            issuer: external.issuer,
            subject: external.subject,
            session: external.session,
            email: email.as_str().to_owned(),
            return_to,
            started_at: now,
        }
    }

    /// Whether the password may still be given.
    pub fn is_current(&self, now: i64) -> bool {
        is_current(self.started_at, now)
    }
}

/// Links the identity to the account whose password the person has given, and logs them in. Rate
/// limits, the cost of one hash and the answers are those of every login (SR-005).
///
/// # Errors
/// `PendingLinkExpired`, and those of a login.
pub async fn confirm_link(
    cx: &Ctx<'_>,
    pending: &PendingLink,
    password: Password,
) -> Result<Login, AuthError> {
    if !pending.is_current(cx.now()) {
        return Err(AuthError::PendingLinkExpired);
    }
    let input = login::PasswordLogin {
        email: Some(Email::parse_existing(&pending.email)?),
        password,
    };
    let verified = login::verify_password(cx, input).await?;
    let mut tx = cx.exclusive().await?;
    login::recheck_credentials(&tx, &verified).await?;
    let user = verified.user;
    let identity = match db::identities::find(tx.db(), &pending.issuer, &pending.subject).await? {
        Some(identity) if identity.user_id == user.id => identity,
        // Linked to another user in the meantime. The answer does not tell to whom.
        Some(_) => return Err(AuthError::PendingLinkExpired),
        None => {
            let new = NewIdentity {
                user: user.id,
                issuer: &pending.issuer,
                subject: &pending.subject,
                email: Some(&pending.email),
            };
            let identity = db::identities::insert(tx.db(), new, tx.now()).await?;
            tx.record(
                AuditEvent::IdentityLinked,
                EventDetails::for_user(user.id).with_method("password"),
            )
            .await?;
            identity
        }
    };
    let identity = Some(IdentityRef {
        id: identity.id,
        provider_session: pending.session.clone(),
    });
    let login = login::complete(
        &mut tx,
        FirstFactor {
            user,
            method: LoginMethod::Oidc,
            identity,
        },
    )
    .await?;
    tx.commit().await?;
    Ok(login)
}

/// Written by hand: issuer, subject and address are not for logs.
impl std::fmt::Debug for PendingLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PendingLink")
            .field("started_at", &self.started_at)
            .finish_non_exhaustive()
    }
}
