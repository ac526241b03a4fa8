//! That a mailbox belongs to the person with the account. Not the same as being approved: nobody
//! can approve themselves.

use super::{
    Ctx,
    events::EventDetails,
    login,
    mail::{self, MailKind},
    oidc, rate_limits,
    sessions::CurrentUser,
};
use crate::{
    app::paths,
    domain::{AuditEvent, AuthError, LinkToken, LoginMethod, User},
    server::{AppState, crypto::tokens::Purpose, db},
};

/// How long a link works, in seconds.
const LINK_LIFETIME_SECONDS: u32 = 24 * 60 * 60;

/// Asks for a link by mail, for whoever has the address; the answer is the same for all (SR-040).
///
/// # Errors
/// `TooManyAttempts` for the network; `Unavailable`.
pub async fn request_verification(cx: &Ctx<'_>, email: &str) -> Result<(), AuthError> {
    rate_limits::consume_request(cx, "verification-request").await?;
    if !mail::is_configured(cx.state) {
        return Ok(());
    }
    let tx = cx.transaction().await?;
    mail::queue(&tx, MailKind::EmailVerification, email).await?;
    tx.commit().await
}

/// Whether somebody's address has still to be proven.
pub async fn needs_verification(state: &AppState, user: uuid::Uuid) -> Result<bool, AuthError> {
    Ok(!db::accounts::is_email_verified(&state.db, user).await?)
}

/// The link to mail, made when the mail is; `None` when the address is proven already.
///
/// # Errors
/// `Unavailable`, `Internal`.
pub(super) async fn verification_link(
    state: &AppState,
    user: &User,
) -> Result<Option<String>, AuthError> {
    if db::accounts::is_email_verified(&state.db, user.id).await? {
        return Ok(None);
    }
    let token = state
        .tokens
        .sign_link(
            Purpose::EmailVerification,
            user.id,
            &user.email,
            LINK_LIFETIME_SECONDS,
        )
        .map_err(|_| AuthError::Internal)?;
    Ok(Some(state.config.link(&format!(
        "{}?token={token}",
        paths::VERIFY_EMAIL.path
    ))))
}

/// Somebody whose address is proven.
pub struct EmailVerification {
    pub user: User,
    /// It was before.
    pub was_verified: bool,
}

/// Takes a link as proof. It counts only for the very person who is logged in: else somebody who
/// clicks on a stranger's mail would make that stranger's account, with the stranger's password,
/// their own (SR-037).
///
/// # Errors
/// `ProofLinkInvalid`; `ProofNeedsPassword` for whoever has not shown that they know it;
/// `TooManyAttempts` for the network; `Unavailable`.
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
        let has_shown_it = method.as_deref() == Some(LoginMethod::Password.name());
        if !has_shown_it && !account.is_some_and(|account| oidc::created_by_provider(&account)) {
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
