//! Password reset (SR-040 to SR-049). A link is bound to the state that it replaces. Using one link
//! therefore invalidates it and all others, and several may be valid at once.

use uuid::Uuid;

use super::{
    Ctx,
    events::EventDetails,
    links,
    mail::{self, MailKind},
    new_password, rate_limits,
};
use crate::{
    domain::{AuditEvent, AuthError, Email, GrantSource, LinkToken, Password, User},
    server::{
        AppState,
        crypto::{password_policy::NewPassword, tokens::Purpose},
        db::{self, users::Credentials},
    },
};

/// Requests a reset mail. The answer is the same whether or not the address has an account and
/// whether or not resets are enabled (SR-040, SR-048).
///
/// # Errors
/// `TooManyAttempts` for the client.
pub async fn request_reset(cx: &Ctx<'_>, email: &Email) -> Result<(), AuthError> {
    rate_limits::consume_request(cx, "reset-request").await?;
    let mut tx = cx.transaction().await?;
    if cx.state.config.auth.email_password_resets {
        mail::queue(&tx, MailKind::Reset, email.as_str()).await?;
    }
    tx.record(AuditEvent::ResetRequested, EventDetails::new())
        .await?;
    tx.commit().await
}

/// A reset link that an administrator or the operator gives to the user over a trusted channel.
pub struct ResetLink {
    pub link: String,
    /// In seconds.
    pub lifetime: u32,
}

/// Creates a reset link for an administrator or the operator to give to the user. Works without
/// mail settings. A link for a first password has a longer lifetime. `by` is the administrator,
/// `None` on the command line. Returns `None` if there is no such active user.
///
/// # Errors
/// `Internal` if signing fails.
pub async fn create_reset_link(
    cx: &Ctx<'_>,
    user: Uuid,
    by: Option<Uuid>,
) -> Result<Option<ResetLink>, AuthError> {
    let state = cx.state;
    let Some(found) = db::users::find_with_hash(&state.db, user)
        .await?
        .filter(|found| found.user.is_active)
    else {
        return Ok(None);
    };
    let lifetime = if has_never_logged_in(&state.db, user).await? {
        links::INVITATION_LIFETIME_SECONDS
    } else {
        state.config.policy.reset_link_lifetime
    };
    let details = EventDetails::for_user(user).with_method("handed_over");
    cx.record(
        AuditEvent::ResetLinkCreated,
        by.map_or(details.with_method(GrantSource::Shell.name()), |by| {
            details.by_actor(by)
        }),
    )
    .await?;
    Ok(Some(ResetLink {
        link: links::reset_link(state, Purpose::AdminReset, &found, lifetime).await?,
        lifetime,
    }))
}

/// Creates a reset link on the command line for the user with this address.
///
/// # Errors
/// Those of [`create_reset_link`].
pub async fn create_reset_link_by_email(
    cx: &Ctx<'_>,
    email: &Email,
) -> Result<Option<ResetLink>, AuthError> {
    match db::users::find_by_email(&cx.state.db, email).await? {
        Some(found) => create_reset_link(cx, found.user.id, None).await,
        None => Ok(None),
    }
}

/// Whether the account was created by an administrator and has never been used.
async fn has_never_logged_in(db: &impl db::Connection, user: Uuid) -> Result<bool, AuthError> {
    Ok(db::accounts::find(db, user)
        .await?
        .is_some_and(|account| account.is_passwordless && account.last_login_at.is_none()))
}

/// The user whose password a token may set. Checking does not use the link up (SR-045).
///
/// # Errors
/// `ResetLinkInvalid`.
pub async fn check_link(state: &AppState, token: &str) -> Result<User, AuthError> {
    Ok(read_link(state, &state.db, token).await?.1.user)
}

/// The input of a password reset.
#[derive(Debug)]
pub struct PasswordReset {
    pub token: LinkToken,
    /// The address that the page showed. Another link may have been opened in the same browser
    /// since.
    pub shown_email: Option<String>,
    pub password: Password,
}

/// Sets a new password, revokes all sessions, and notifies the user by mail. Does not log in
/// (SR-046). One of several concurrent uses wins, because the update requires the state that the
/// link is bound to (SR-044).
///
/// # Errors
/// `ResetLinkInvalid`; what is wrong with the password, which does not use the link up;
/// `TooManyAttempts`, `Overloaded`.
pub async fn reset_password(cx: &Ctx<'_>, reset: PasswordReset) -> Result<(), AuthError> {
    let (state, token) = (cx.state, reset.token.expose());
    let slot = cx.acquire_hashing_slot().await?;
    let quota_key = rate_limits::consume_token(cx, "reset-token").await?;
    let (purpose, found) = read_link(state, &state.db, token).await?;
    if reset
        .shown_email
        .is_some_and(|shown| shown != found.user.email)
    {
        return Err(AuthError::ResetLinkInvalid);
    }
    let password = NewPassword::parse(reset.password, &found.user.email, &state.config)?;
    let hash =
        rate_limits::refund_on_error(cx, &quota_key, new_password::hash(cx, slot, password).await)
            .await?;
    let user = found.user.id;

    // Serialized with OpenID Connect logins, which otherwise could start a session after this reset
    // has revoked all sessions.
    let mut tx = cx.exclusive().await?;
    read_link(state, tx.db(), token).await?;
    if !db::users::replace_hash(tx.db(), &found, hash).await? {
        return Err(AuthError::ResetLinkInvalid);
    }
    db::sessions::revoke_all(tx.db(), user, tx.now()).await?;
    mail::drop_queued_links(&tx, &found.user).await?;
    if !db::accounts::is_email_verified(tx.db(), user).await? {
        // Identities linked before the address was verified may belong to a stranger (SR-037).
        db::identities::delete_for_user(tx.db(), user).await?;
        if purpose != Purpose::AdminReset {
            db::accounts::set_email_verified(tx.db(), user, tx.now()).await?;
            if !found.user.is_verified {
                mail::notify_admins(&tx).await?;
            }
        }
    }
    db::accounts::clear_passwordless(tx.db(), user, tx.now()).await?;
    rate_limits::clear_account_failures(tx.db(), &found.user.email).await?;
    mail::notify(&tx, MailKind::PasswordChanged, &found.user).await?;
    tx.record(AuditEvent::PasswordReset, EventDetails::for_user(user))
        .await?;
    tx.commit().await
}

async fn read_link(
    state: &AppState,
    db: &impl db::Connection,
    token: &str,
) -> Result<(Purpose, Credentials), AuthError> {
    let purposes = [
        (Purpose::Reset, state.config.auth.email_password_resets),
        (Purpose::AdminReset, true),
        (Purpose::Invitation, true),
    ];
    for (purpose, _) in purposes.into_iter().filter(|(_, is_usable)| *is_usable) {
        let Ok((user, fingerprint)) = state.tokens.check_link(purpose, token) else {
            continue;
        };
        let found = db::users::find_with_hash(db, user)
            .await?
            .filter(|found| found.user.is_active)
            .ok_or(AuthError::ResetLinkInvalid)?;
        let binding = links::reset_binding(db, &found).await?;
        return if state
            .tokens
            .binding_matches(purpose, &fingerprint, &binding)
        {
            Ok((purpose, found))
        } else {
            Err(AuthError::ResetLinkInvalid)
        };
    }
    Err(AuthError::ResetLinkInvalid)
}
