//! Actions of users on their own account. Every change to the account itself requires a recent
//! login (SR-142), so that someone who finds an unlocked screen cannot take the account over.

use super::{
    Ctx,
    events::EventDetails,
    links,
    login::{self, Login},
    mail::{self, MailKind},
    new_password, rate_limits,
    sessions::{self, CurrentUser, RecentLogin},
    users::{self, UserUpdate},
};
use crate::{
    domain::{AuditEvent, AuthError, Email, LinkToken, Password},
    server::{
        crypto::{password_policy::NewPassword, tokens::Purpose},
        db::{self, identities::Identity, rate_limits::RateLimit, sessions::Session},
    },
};

/// Rate limit of password changes and of email changes, for each account and each of the two.
const EMAIL_CHANGE_LIMIT: RateLimit = RateLimit {
    max: 5,
    window: 60 * 60,
};

/// The data of the account page.
pub struct AccountDetails {
    pub sessions: Vec<Session>,
    pub identities: Vec<Identity>,
    /// Whether the user knows a password.
    pub has_password: bool,
}

/// The sessions, linked identities and password state of the current user.
pub async fn details(cx: &Ctx<'_>, current: &CurrentUser) -> Result<AccountDetails, AuthError> {
    let user = current.user().id;
    Ok(AccountDetails {
        sessions: sessions::list_for_user(cx, user).await?,
        identities: db::identities::list_for_user(&cx.state.db, user).await?,
        has_password: !db::accounts::is_passwordless(&cx.state.db, user).await?,
    })
}

/// Logs the current user in again with the password, so that the login is recent. Rate limits and
/// errors are those of every login (SR-005).
///
/// # Errors
/// Those of a login.
pub async fn reauthenticate(
    cx: &Ctx<'_>,
    current: &CurrentUser,
    password: Password,
) -> Result<Login, AuthError> {
    let verified = login::verify_password_of(cx, current.user(), password).await?;
    login::complete_password_login(cx, verified).await
}

/// Ensures that the user is present: by the password if it is given, otherwise by a recent login.
///
/// # Errors
/// `ReauthenticationRequired` without either; those of a login.
pub async fn require_reauthentication(
    cx: &Ctx<'_>,
    current: &CurrentUser,
    password: Option<Password>,
) -> Result<RecentLogin, AuthError> {
    match password {
        Some(password) => {
            current.with_password(&login::verify_password_of(cx, current.user(), password).await?)
        }
        None => current.recent(cx.now()),
    }
}

/// Updates the user's own account over the API, with the same rules as the pages. A new address is
/// only requested, not set.
///
/// # Errors
/// Those of [`require_reauthentication`], [`change_password`] and [`request_email_change`].
pub async fn update_self(
    cx: &Ctx<'_>,
    current: &CurrentUser,
    change: UserUpdate,
) -> Result<(), AuthError> {
    let UserUpdate {
        email,
        password,
        current_password,
        ..
    } = change;
    let email = email.filter(|email| !current.user().email.eq_ignore_ascii_case(email.as_str()));
    if email.is_none() && password.is_none() {
        return Ok(());
    }
    let user = require_reauthentication(cx, current, current_password).await?;
    if email.is_some() && !mail::is_configured(cx.state) {
        return Err(AuthError::EmailChangeUnavailable);
    }
    if email.is_some() {
        consume_email_change_quota(cx, &user).await?;
    }
    // The password first, because changing it revokes links that were created before.
    if let Some(password) = password {
        change_password(cx, &user, password).await?;
    }
    match email {
        Some(email) => queue_email_change_link(cx, &user, &email).await,
        None => Ok(()),
    }
}

/// Changes the password and revokes all other sessions (SR-098).
///
/// # Errors
/// What is wrong with the password; `TooManyAttempts`, `Overloaded`; `NotLoggedIn` if the session
/// was revoked or the password changed meanwhile.
pub async fn change_password(
    cx: &Ctx<'_>,
    recent: &RecentLogin,
    password: Password,
) -> Result<(), AuthError> {
    let (state, user) = (cx.state, recent.user());
    let slot = cx.acquire_hashing_slot().await?;
    // Limited because every change costs a hash and a mail, possibly to a stranger's address.
    let quota_key = format!("new-password:{}", user.id);
    rate_limits::consume(cx, &quota_key, EMAIL_CHANGE_LIMIT).await?;
    let password = NewPassword::parse(password, &user.email, &state.config);
    let password = rate_limits::refund_on_error(cx, &quota_key, password).await?;
    let found = db::users::find_with_hash(&state.db, user.id)
        .await?
        .ok_or(AuthError::NotLoggedIn)?;
    let hash =
        rate_limits::refund_on_error(cx, &quota_key, new_password::hash(cx, slot, password).await)
            .await?;
    let mut tx = cx.exclusive().await?;
    sessions::ensure_session_live(&tx, recent.current()).await?;
    if !db::users::replace_hash(tx.db(), &found, hash).await? {
        return Err(AuthError::NotLoggedIn);
    }
    db::sessions::revoke_all_except(tx.db(), user.id, recent.current().session(), tx.now()).await?;
    db::accounts::clear_passwordless(tx.db(), user.id, tx.now()).await?;
    mail::drop_queued_links(&tx, &found.user).await?;
    mail::notify(&tx, MailKind::PasswordChanged, &found.user).await?;
    tx.record(AuditEvent::PasswordChanged, EventDetails::for_user(user.id))
        .await?;
    tx.commit().await
}

/// Requests a new address: a link is mailed to it, and nothing changes until the link is used. The
/// answer does not reveal whether another account has the address.
///
/// # Errors
/// `EmailUnchanged`, `EmailChangeUnavailable` without mail settings, `TooManyAttempts`.
pub async fn request_email_change(
    cx: &Ctx<'_>,
    recent: &RecentLogin,
    email: &Email,
) -> Result<(), AuthError> {
    if recent.user().email.eq_ignore_ascii_case(email.as_str()) {
        return Err(AuthError::EmailUnchanged);
    }
    if !mail::is_configured(cx.state) {
        return Err(AuthError::EmailChangeUnavailable);
    }
    consume_email_change_quota(cx, recent).await?;
    queue_email_change_link(cx, recent, email).await
}

async fn consume_email_change_quota(cx: &Ctx<'_>, recent: &RecentLogin) -> Result<(), AuthError> {
    rate_limits::consume(
        cx,
        &format!("new-address:{}", recent.user().id),
        EMAIL_CHANGE_LIMIT,
    )
    .await
}

async fn queue_email_change_link(
    cx: &Ctx<'_>,
    recent: &RecentLogin,
    email: &Email,
) -> Result<(), AuthError> {
    let user = recent.user();
    let mut tx = cx.transaction().await?;
    sessions::ensure_session_live(&tx, recent.current()).await?;
    mail::queue_for_user(&tx, MailKind::EmailChange, user, email.as_str()).await?;
    tx.record(
        AuditEvent::EmailChangeRequested,
        EventDetails::for_user(user.id),
    )
    .await?;
    tx.commit().await
}

/// The link that confirms a new address.
#[derive(Debug)]
pub struct EmailChange {
    pub token: LinkToken,
    /// The address from the link's URL.
    pub address: String,
}

/// Confirms a new address with the mailed link. Only the logged-in owner of the account may
/// confirm: otherwise a stranger's mailbox could be attached to an attacker's account. No recent
/// login is needed, because requesting the link required one. The change grants no rights and no
/// approval, and an address that was unverified before stays unverified (SR-142). All other links
/// are revoked, and the old address is notified.
///
/// # Errors
/// `VerificationLinkInvalid`, `EmailTaken`, `TooManyAttempts` for the client.
pub async fn confirm_email_change(
    cx: &Ctx<'_>,
    current: &CurrentUser,
    change: EmailChange,
) -> Result<(), AuthError> {
    let tokens = &cx.state.tokens;
    rate_limits::consume_token(cx, "proof-token").await?;
    let email = Email::parse(&change.address).map_err(|_| AuthError::VerificationLinkInvalid)?;
    let (owner, fingerprint) = tokens
        .check_link(Purpose::EmailChange, change.token.expose())
        .map_err(|_| AuthError::VerificationLinkInvalid)?;
    let mut tx = cx.exclusive().await?;
    sessions::ensure_session_live(&tx, current).await?;
    let found = db::users::find_with_hash(tx.db(), owner)
        .await?
        .filter(|found| found.user.is_active && owner == current.user().id);
    let found = found.ok_or(AuthError::VerificationLinkInvalid)?;
    let binding = links::email_change_binding(tx.db(), &found, &email).await?;
    if !tokens.binding_matches(Purpose::EmailChange, &fingerprint, &binding) {
        return Err(AuthError::VerificationLinkInvalid);
    }
    if db::users::is_taken_by_another(tx.db(), &email, owner).await? {
        return Err(AuthError::EmailTaken);
    }
    db::users::set_email(tx.db(), owner, &email).await?;
    // Links are bound to the old address and would become valid again if it came back.
    mail::revoke_links(&tx, &found.user).await?;
    if db::accounts::is_email_verified(tx.db(), owner).await? {
        db::accounts::set_email_verified(tx.db(), owner, tx.now()).await?;
    }
    mail::notify(&tx, MailKind::EmailChanged, &found.user).await?;
    tx.record(AuditEvent::EmailChanged, EventDetails::for_user(owner))
        .await?;
    tx.commit().await
}

/// Deletes the current user's account and all of its data.
///
/// # Errors
/// `LastAdministrator`; `NotLoggedIn` if the session was revoked meanwhile.
pub async fn delete_self(cx: &Ctx<'_>, recent: &RecentLogin) -> Result<(), AuthError> {
    let tx = cx.exclusive().await?;
    sessions::ensure_session_live(&tx, recent.current()).await?;
    users::delete_in_transaction(tx, recent.current(), recent.user().id).await
}
