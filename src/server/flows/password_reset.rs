//! A forgotten password (SR-040 to SR-049). A link is a stateless signed token with a fingerprint
//! of what it replaces, so it is used once by construction, and several may be live at once without
//! one of them being worth more than the account's present state.

use uuid::Uuid;

use super::{
    Ctx,
    client_info::SHELL,
    events::EventDetails,
    mail::{self, MailKind},
    rate_limits,
};
use crate::{
    app::paths,
    domain::{AuditEvent, AuthError, Email, LinkToken, Password, User},
    server::{
        AppState,
        crypto::{password_policy::NewPassword, tokens::Purpose},
        db::{self, users::Credentials},
    },
};

/// How long a link for a first password works, in seconds.
const INVITATION_LIFETIME_SECONDS: u32 = 72 * 60 * 60;

/// Asks for a link by mail. The answer is the same whoever has the address, and whether or not
/// resets are on (SR-040, SR-048).
///
/// # Errors
/// `TooManyAttempts` for the network; `Unavailable`.
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

/// The link to mail, made when the mail is; `None` when resets are off.
///
/// # Errors
/// `Unavailable`, `Internal`.
pub(super) async fn mailed_link(
    state: &AppState,
    found: &Credentials,
) -> Result<Option<String>, AuthError> {
    if !state.config.auth.email_password_resets {
        return Ok(None);
    }
    reset_link(
        state,
        Purpose::Reset,
        found,
        state.config.policy.reset_link_lifetime,
    )
    .await
    .map(Some)
}

/// The link to mail to somebody for whom an administrator has made an account; `None` when they
/// have chosen a password meanwhile.
///
/// # Errors
/// `Unavailable`, `Internal`.
pub(super) async fn invitation_link(
    state: &AppState,
    found: &Credentials,
) -> Result<Option<String>, AuthError> {
    if !db::accounts::is_passwordless(&state.db, found.user.id).await? {
        return Ok(None);
    }
    reset_link(
        state,
        Purpose::Invitation,
        found,
        INVITATION_LIFETIME_SECONDS,
    )
    .await
    .map(Some)
}

/// A link to hand over, in person or over any channel that is trusted.
pub struct ResetLink {
    pub link: String,
    /// Seconds.
    pub lifetime: u32,
}

/// Makes a link for somebody to hand over; works without mail settings too, and longer for a first
/// password. `by` is the administrator, nobody for the shell. `None` when there is no such active
/// user.
///
/// # Errors
/// `Unavailable`, `Internal`.
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
        INVITATION_LIFETIME_SECONDS
    } else {
        state.config.policy.reset_link_lifetime
    };
    let note = EventDetails::for_user(user).with_method("handed_over");
    cx.record(
        AuditEvent::ResetLinkCreated,
        by.map_or(note.with_method(SHELL), |by| note.by_actor(by)),
    )
    .await?;
    Ok(Some(ResetLink {
        link: reset_link(state, Purpose::AdminReset, &found, lifetime).await?,
        lifetime,
    }))
}

/// The same from the command line, for whoever has the address.
///
/// # Errors
/// `Unavailable`, `Internal`.
pub async fn create_reset_link_by_email(
    cx: &Ctx<'_>,
    email: &Email,
) -> Result<Option<ResetLink>, AuthError> {
    match db::users::find_by_email(&cx.state.db, email).await? {
        Some(found) => create_reset_link(cx, found.user.id, None).await,
        None => Ok(None),
    }
}

async fn reset_link(
    state: &AppState,
    purpose: Purpose,
    found: &Credentials,
    lifetime: u32,
) -> Result<String, AuthError> {
    let replaced = link_binding(&state.db, found).await?;
    let token = state
        .tokens
        .sign_link(purpose, found.user.id, &replaced, lifetime)
        .map_err(|_| AuthError::Internal)?;
    // From the configuration alone: no header of a request can lead it elsewhere (SR-043).
    Ok(state
        .config
        .link(&format!("{}?token={token}", paths::RESET_PASSWORD.path)))
}

/// Whether an administrator has made the account and nobody has been in it yet.
async fn has_never_logged_in(db: &impl db::Connection, user: Uuid) -> Result<bool, AuthError> {
    Ok(db::accounts::find(db, user)
        .await?
        .is_some_and(|account| account.is_passwordless && account.last_login_at.is_none()))
}

/// Whose password a token may set. Reading uses nothing up (SR-045).
///
/// # Errors
/// `ResetLinkInvalid`, `Unavailable`.
pub async fn check_link(state: &AppState, token: &str) -> Result<User, AuthError> {
    Ok(read_link(state, &state.db, token).await?.1.user)
}

/// A new password, with the link that lets it be set.
#[derive(Debug)]
pub struct PasswordReset {
    pub token: LinkToken,
    /// The address that the page has named: another link may have been opened in the same browser
    /// since.
    pub shown_email: Option<String>,
    pub password: Password,
}

/// Sets a new password, ends all sessions, and says so by mail. Logs nobody in (SR-046). Of many
/// uses at once one wins: the update asks for the very state that the link replaces (SR-044).
///
/// # Errors
/// `ResetLinkInvalid`; what is wrong with the password, which does not use the link up;
/// `TooManyAttempts`, `Busy`, `Unavailable`.
pub async fn reset_password(cx: &Ctx<'_>, reset: PasswordReset) -> Result<(), AuthError> {
    let (state, token) = (cx.state, reset.token.expose());
    let admission = state.hasher.acquire_slot().await?;
    let taken = rate_limits::consume_token(cx, "reset-token").await?;
    let (purpose, found) = read_link(state, &state.db, token).await?;
    if reset
        .shown_email
        .is_some_and(|shown| shown != found.user.email)
    {
        return Err(AuthError::ResetLinkInvalid);
    }
    let password = NewPassword::parse(reset.password, &found.user.email, &state.config)?;
    let hash = rate_limits::refund_on_error(
        cx,
        &taken,
        state.hasher.hash(admission, password.into_password()).await,
    )
    .await?;
    let user = found.user.id;

    // Not beside a login through the provider that has found its account and not yet started its
    // session.
    let mut tx = cx.exclusive().await?;
    read_link(state, tx.db(), token).await?;
    if !db::users::replace_hash(tx.db(), &found, hash).await? {
        return Err(AuthError::ResetLinkInvalid);
    }
    db::sessions::revoke_all(tx.db(), user, tx.now()).await?;
    mail::drop_queued_links(&tx, &found.user).await?;
    if !db::accounts::is_email_verified(tx.db(), user).await? {
        // What a stranger may have set before is void (SR-037).
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
    let usable = [
        (Purpose::Reset, state.config.auth.email_password_resets),
        (Purpose::AdminReset, true),
        (Purpose::Invitation, true),
    ];
    for (purpose, _) in usable.into_iter().filter(|(_, is_usable)| *is_usable) {
        let Ok((user, fingerprint)) = state.tokens.check_link(purpose, token) else {
            continue;
        };
        let found = db::users::find_with_hash(db, user)
            .await?
            .filter(|found| found.user.is_active)
            .ok_or(AuthError::ResetLinkInvalid)?;
        let replaced = link_binding(db, &found).await?;
        return if state
            .tokens
            .binding_matches(purpose, &fingerprint, &replaced)
        {
            Ok((purpose, found))
        } else {
            Err(AuthError::ResetLinkInvalid)
        };
    }
    Err(AuthError::ResetLinkInvalid)
}

/// What a link dies with: the password, the address, that the account is active, and the last time
/// all links became void (SR-042, SR-046).
pub(super) async fn link_binding(
    db: &impl db::Connection,
    found: &Credentials,
) -> Result<String, AuthError> {
    let voided = db::accounts::find(db, found.user.id)
        .await?
        .map_or(0, |account| account.link_generation);
    Ok(format!(
        "{}\0{}\0{}\0{voided}",
        found.hashed_password, found.user.email, found.user.is_active
    ))
}
