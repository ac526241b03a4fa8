//! Email verification: proof that the address belongs to the owner of the account. Verification is
//! not approval, because no user can approve themselves.

use super::{
    Ctx,
    events::EventDetails,
    login,
    mail::{self, MailKind},
    oidc, rate_limits,
    sessions::CurrentUser,
};
use crate::{
    domain::{AuditEvent, AuthError, LinkToken, LoginMethod, User},
    server::{AppState, crypto::tokens::Purpose, db},
};

/// Requests a verification mail. The answer is the same whether or not the address has an account
/// (SR-040).
///
/// # Errors
/// `TooManyAttempts` for the client.
pub async fn request_verification(cx: &Ctx<'_>, email: &str) -> Result<(), AuthError> {
    rate_limits::consume_request(cx, "verification-request").await?;
    if !mail::is_configured(cx.state) {
        return Ok(());
    }
    let tx = cx.transaction().await?;
    mail::queue(&tx, MailKind::EmailVerification, email).await?;
    tx.commit().await
}

/// Whether the user's address is still unverified.
pub async fn needs_verification(state: &AppState, user: uuid::Uuid) -> Result<bool, AuthError> {
    Ok(!db::accounts::is_email_verified(&state.db, user).await?)
}

/// The result of a verification.
pub struct EmailVerification {
    pub user: User,
    /// Whether the address was verified before.
    pub was_verified: bool,
}

/// Verifies the address with the mailed link. Only the user who is logged in may use it. Otherwise
/// the owner of the mailbox who clicks a stranger's link would verify the stranger's account, whose
/// password the stranger knows (SR-037).
///
/// # Errors
/// `VerificationLinkInvalid`; `PasswordLoginRequired` if the session does not show that the user
/// knows the password; `TooManyAttempts` for the client.
pub async fn verify_email(
    cx: &Ctx<'_>,
    current: &CurrentUser,
    token: &LinkToken,
) -> Result<EmailVerification, AuthError> {
    let tokens = &cx.state.tokens;
    rate_limits::consume_token(cx, "proof-token").await?;
    let (owner, fingerprint) = tokens
        .check_link(Purpose::EmailVerification, token.expose())
        .map_err(|_| AuthError::VerificationLinkInvalid)?;
    let mut tx = cx.exclusive().await?;
    let user = db::users::find(tx.db(), owner)
        .await?
        .filter(|user| user.is_active && user.id == current.user().id);
    let user = user
        .filter(|user| {
            tokens.binding_matches(Purpose::EmailVerification, &fingerprint, &user.email)
        })
        .ok_or(AuthError::VerificationLinkInvalid)?;
    let account = db::accounts::find(tx.db(), user.id).await?;
    let was_verified = account
        .as_ref()
        .is_some_and(|account| account.email_verified_at.is_some());
    if !was_verified {
        // A session that came through a link MediaManager created does not show that its owner
        // knows the password. Verifying the address now would benefit whoever set that password.
        let method = db::sessions::find_method(tx.db(), current.session()).await?;
        let knows_password = method.as_deref() == Some(LoginMethod::Password.name());
        if !knows_password && !account.is_some_and(|account| oidc::created_by_provider(&account)) {
            return Err(AuthError::PasswordLoginRequired);
        }
        db::accounts::set_email_verified(tx.db(), user.id, tx.now()).await?;
    }
    let user = login::apply_admin_emails(&mut tx, user).await?;
    if !was_verified && !user.is_verified {
        mail::notify_admins(&tx).await?;
    }
    tx.record(AuditEvent::EmailVerified, EventDetails::for_user(user.id))
        .await?;
    tx.commit().await?;
    Ok(EmailVerification { user, was_verified })
}
