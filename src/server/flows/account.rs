//! What somebody does with their own account. Whatever changes the account itself needs a recent
//! login (SR-142): whoever finds an open screen must not be able to keep the account.

use super::{
    Ctx,
    events::EventDetails,
    login::{self, Login},
    mail::{self, MailKind},
    password_reset, rate_limits,
    sessions::{self, CurrentUser, RecentLogin},
    users::{self, UserUpdate},
};
use crate::{
    app::paths,
    domain::{AuditEvent, AuthError, Email, LinkToken, Password},
    server::{
        AppState,
        crypto::{password_policy::NewPassword, tokens::Purpose},
        db::{
            self, identities::Identity, rate_limits::RateLimit, sessions::Session,
            users::Credentials,
        },
    },
};

/// How long a link to a new address works, in seconds.
const LINK_LIFETIME_SECONDS: u32 = 24 * 60 * 60;
/// Other passwords, and other addresses, that one account may ask for.
const EMAIL_CHANGE_LIMIT: RateLimit = RateLimit {
    max: 5,
    window: 60 * 60,
};

/// All that the account page shows.
pub struct AccountDetails {
    pub sessions: Vec<Session>,
    pub identities: Vec<Identity>,
    /// Somebody knows the password.
    pub has_password: bool,
}

/// What belongs to somebody.
pub async fn details(cx: &Ctx<'_>, current: &CurrentUser) -> Result<AccountDetails, AuthError> {
    let user = current.user().id;
    Ok(AccountDetails {
        sessions: sessions::list_for_user(cx, user).await?,
        identities: db::identities::list_for_user(&cx.state.db, user).await?,
        has_password: !db::accounts::is_passwordless(&cx.state.db, user).await?,
    })
}

/// Logs the same person in again, so that their login is young. The same throttle and the same
/// answers as every login (SR-005).
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

/// Makes sure that the person is there: by a recent login, or by the password where it is given
/// along.
///
/// # Errors
/// `LoginTooOld` without either; those of a login.
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

/// Changes what somebody asks for over the API: the same rules as on the pages. Of the address only
/// the request.
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
    // In this order: the mailed link dies with the password that it was made beside.
    if let Some(password) = password {
        change_password(cx, &user, password).await?;
    }
    match email {
        Some(email) => queue_email_change_link(cx, &user, &email).await,
        None => Ok(()),
    }
}

/// Gives the account another password, and ends all its other sessions (SR-098).
///
/// # Errors
/// What is wrong with the password; `TooManyAttempts`, `Busy`, `Unavailable`; `NotLoggedIn` when
/// the account has changed meanwhile.
pub async fn change_password(
    cx: &Ctx<'_>,
    recent: &RecentLogin,
    password: Password,
) -> Result<(), AuthError> {
    let (state, user) = (cx.state, recent.user());
    let admission = state.hasher.acquire_slot().await?;
    let password = NewPassword::parse(password, &user.email, &state.config)?;
    // Each one is a hash and a mail, to an address that may be a stranger's.
    let taken = format!("new-password:{}", user.id);
    rate_limits::consume(cx, &taken, EMAIL_CHANGE_LIMIT).await?;
    let found = db::users::find_with_hash(&state.db, user.id)
        .await?
        .ok_or(AuthError::NotLoggedIn)?;
    let hash = rate_limits::refund_on_error(
        cx,
        &taken,
        state.hasher.hash(admission, password.into_password()).await,
    )
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

/// Asks for another address: a link goes there, and nothing changes until it is used. The answer is
/// the same whoever has the address.
///
/// # Errors
/// `EmailUnchanged`, `EmailNeedsAdministrator` without mail, `TooManyAttempts`, `Unavailable`.
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

/// The link to mail to the new address, made when the mail is.
///
/// # Errors
/// `Unavailable`, `Internal`.
pub(super) async fn email_change_link(
    state: &AppState,
    found: &Credentials,
    email: &Email,
) -> Result<String, AuthError> {
    let replaced = format!(
        "{}\0{email}",
        password_reset::link_binding(&state.db, found).await?
    );
    let token = state
        .tokens
        .sign_link(
            Purpose::EmailChange,
            found.user.id,
            &replaced,
            LINK_LIFETIME_SECONDS,
        )
        .map_err(|_| AuthError::Internal)?;
    Ok(state.config.link(&format!(
        "{}?token={token}&address={}",
        paths::CONFIRM_EMAIL.path,
        percent_encoding::utf8_percent_encode(email.as_str(), percent_encoding::NON_ALPHANUMERIC)
    )))
}

/// The link that somebody opened to confirm a new address.
#[derive(Debug)]
pub struct EmailChange {
    pub token: LinkToken,
    /// As it stands in the link.
    pub address: String,
}

/// Takes a link as proof of the new mailbox. Only for the very person who is logged in: else
/// somebody could give a stranger's mailbox to an account of their own. Needs no recent login,
/// because it was asked for with one. Grants nothing and approves nobody; an address that was never
/// proven stays so (SR-142). All other links die, and the old mailbox is told.
///
/// # Errors
/// `ProofLinkInvalid`, `EmailTaken`, `TooManyAttempts` for the network, `Unavailable`.
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
    let replaced = format!(
        "{}\0{email}",
        password_reset::link_binding(tx.db(), &found).await?
    );
    if !tokens.binding_matches(Purpose::EmailChange, &fingerprint, &replaced) {
        return Err(AuthError::VerificationLinkInvalid);
    }
    if db::users::is_taken_by_another(tx.db(), &email, owner).await? {
        return Err(AuthError::EmailTaken);
    }
    db::users::set_email(tx.db(), owner, &email).await?;
    // They name the address that is gone, and would live again if it came back.
    mail::revoke_links(&tx, &found.user).await?;
    if db::accounts::is_email_verified(tx.db(), owner).await? {
        db::accounts::set_email_verified(tx.db(), owner, tx.now()).await?;
    }
    mail::notify(&tx, MailKind::EmailChanged, &found.user).await?;
    tx.record(AuditEvent::EmailChanged, EventDetails::for_user(owner))
        .await?;
    tx.commit().await
}

/// Deletes the person's own account and everything that belongs to it.
///
/// # Errors
/// `LastAdministrator`, `Unavailable`; `NotLoggedIn` when the session has ended meanwhile.
pub async fn delete_self(cx: &Ctx<'_>, recent: &RecentLogin) -> Result<(), AuthError> {
    let tx = cx.exclusive().await?;
    sessions::ensure_session_live(&tx, recent.current()).await?;
    users::delete_in_transaction(tx, recent.current(), recent.user().id).await
}
