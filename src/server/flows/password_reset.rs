//! A forgotten password (SR-040 to SR-049). A link is a stateless signed token with a fingerprint of what it replaces, so it is used once
//! by construction, and several may be live at once without one of them being worth more than the account's present state.

use uuid::Uuid;

use crate::{
    domain::{AuthError, Email, Event, User},
    server::{
        AppState,
        db::{self, users::Credentials},
        flows::{
            events::{self, Note},
            mail::{self, Kind},
            new_password::NewPassword,
            sessions::{Origin, SHELL},
            throttle,
        },
        tokens::Purpose,
    },
};

/// How long a link for a first password works, in seconds.
const FIRST_LIFETIME: u32 = 72 * 60 * 60;

/// Asks for a link by mail. The answer is the same whoever has the address, and whether or not resets are on (SR-040, SR-048).
///
/// # Errors
/// `TooManyAttempts` for the network; `Unavailable`.
pub async fn request(state: &AppState, email: &Email, origin: &Origin) -> Result<(), AuthError> {
    throttle::take_request(state, "reset-request", &origin.network).await?;
    if state.config.auth.email_password_resets {
        mail::queue(state, &state.db, Kind::Reset, email.as_str(), origin).await?;
    }
    events::record(state, &state.db, Event::ResetRequested, origin, Note::new()).await
}

/// The link to mail, made when the mail is; `None` when resets are off.
///
/// # Errors
/// `Unavailable`, `Internal`.
pub(super) async fn mailed_link(state: &AppState, found: &Credentials) -> Result<Option<String>, AuthError> {
    if !state.config.auth.email_password_resets {
        return Ok(None);
    }
    link(state, Purpose::Reset, found, state.config.policy.reset_link_lifetime).await.map(Some)
}

/// The link to mail to somebody for whom an administrator has made an account; `None` when they have chosen a password meanwhile.
///
/// # Errors
/// `Unavailable`, `Internal`.
pub(super) async fn first_link(state: &AppState, found: &Credentials) -> Result<Option<String>, AuthError> {
    if !db::accounts::is_passwordless(&state.db, found.user.id).await? {
        return Ok(None);
    }
    link(state, Purpose::FirstPassword, found, FIRST_LIFETIME).await.map(Some)
}

/// A link to hand over, in person or over any channel that is trusted.
pub struct HandedOver {
    pub link: String,
    /// Seconds.
    pub lifetime: u32,
}

/// Makes a link for somebody to hand over; works without mail settings too, and longer for a first password. `by` is the administrator,
/// nobody for the shell. `None` when there is no such active user.
///
/// # Errors
/// `Unavailable`, `Internal`.
pub async fn hand_over(state: &AppState, user: Uuid, by: Option<Uuid>, origin: &Origin) -> Result<Option<HandedOver>, AuthError> {
    let Some(found) = db::users::find_with_hash(&state.db, user).await?.filter(|found| found.user.is_active) else { return Ok(None) };
    let lifetime = if is_new(&state.db, user).await? { FIRST_LIFETIME } else { state.config.policy.reset_link_lifetime };
    let note = Note::of(user).method("handed_over");
    events::record(state, &state.db, Event::ResetLinkMade, origin, by.map_or(note.method(SHELL), |by| note.by(by))).await?;
    Ok(Some(HandedOver { link: link(state, Purpose::HandedOver, &found, lifetime).await?, lifetime }))
}

/// The same from the shell, for whoever has the address.
///
/// # Errors
/// `Unavailable`, `Internal`.
pub async fn handed_over_link(state: &AppState, email: &Email) -> Result<Option<HandedOver>, AuthError> {
    match db::users::find_by_email(&state.db, email).await? {
        Some(found) => hand_over(state, found.user.id, None, &Origin::shell()).await,
        None => Ok(None),
    }
}

async fn link(state: &AppState, purpose: Purpose, found: &Credentials, lifetime: u32) -> Result<String, AuthError> {
    let replaced = replaced(&state.db, found).await?;
    let token = state.tokens.link(purpose, found.user.id, &replaced, lifetime).map_err(|_| AuthError::Internal)?;
    // From the configuration alone: no header of a request can lead it elsewhere (SR-043).
    Ok(state.config.link(&format!("/login/reset-password?token={token}")))
}

/// Whether an administrator has made the account and nobody has been in it yet.
async fn is_new(db: &impl db::Connection, user: Uuid) -> Result<bool, AuthError> {
    Ok(db::accounts::find(db, user).await?.is_some_and(|account| account.is_passwordless && account.last_login_at.is_none()))
}

/// Whose password a token may set. Reading uses nothing up (SR-045).
///
/// # Errors
/// `ResetLinkInvalid`, `Unavailable`.
pub async fn check(state: &AppState, token: &str) -> Result<User, AuthError> {
    Ok(read(state, &state.db, token).await?.1.user)
}

/// Sets a new password, ends all sessions, and says so by mail. Logs nobody in (SR-046). Of many uses at once one wins: the update asks
/// for the very state that the link replaces (SR-044). `shown` is the address that the page has named: another link may have been opened
/// in the same browser since.
///
/// # Errors
/// `ResetLinkInvalid`; what is wrong with the password, which does not use the link up; `TooManyAttempts`, `Busy`, `Unavailable`.
pub async fn complete(state: &AppState, token: &str, shown: Option<&str>, password: String, origin: &Origin) -> Result<(), AuthError> {
    let admission = state.hasher.admit().await?;
    let taken = throttle::take_token(state, "reset-token", &origin.network).await?;
    let (purpose, found) = read(state, &state.db, token).await?;
    if shown.is_some_and(|shown| shown != found.user.email) {
        return Err(AuthError::ResetLinkInvalid);
    }
    let password = NewPassword::parse(password, &found.user.email, &state.config)?;
    let hash = throttle::unless_failed(state, &taken, state.hasher.hash(admission, password.into_password()).await).await?;
    let (user, now) = (found.user.id, state.clock.now());

    let transaction = db::begin(&state.db).await?;
    // Not beside a login through the provider that has found its account and not yet started its session.
    db::serialize(&transaction).await?;
    read(state, &transaction, token).await?;
    if !db::users::replace_hash(&transaction, &found, hash).await? {
        return Err(AuthError::ResetLinkInvalid);
    }
    db::sessions::revoke_all(&transaction, user, now).await?;
    mail::forget_links(&transaction, &found.user).await?;
    if !db::accounts::is_email_verified(&transaction, user).await? {
        // What a stranger may have set before is void (SR-037).
        db::identities::delete_for_user(&transaction, user).await?;
        if purpose != Purpose::HandedOver {
            db::accounts::set_email_verified(&transaction, user, now).await?;
            if !found.user.is_verified {
                mail::tell_administrators(state, &transaction, origin).await?;
            }
        }
    }
    db::accounts::clear_passwordless(&transaction, user, now).await?;
    throttle::forget_account(&transaction, &found.user.email).await?;
    mail::notify(state, &transaction, Kind::PasswordChanged, &found.user, origin).await?;
    events::record(state, &transaction, Event::PasswordReset, origin, Note::of(user)).await?;
    db::commit(transaction).await
}

async fn read(state: &AppState, db: &impl db::Connection, token: &str) -> Result<(Purpose, Credentials), AuthError> {
    let usable = [(Purpose::Reset, state.config.auth.email_password_resets), (Purpose::HandedOver, true), (Purpose::FirstPassword, true)];
    for (purpose, _) in usable.into_iter().filter(|(_, is_usable)| *is_usable) {
        let Ok((user, fingerprint)) = state.tokens.read_link(purpose, token) else { continue };
        let found = db::users::find_with_hash(db, user).await?.filter(|found| found.user.is_active).ok_or(AuthError::ResetLinkInvalid)?;
        let replaced = replaced(db, &found).await?;
        return if state.tokens.still_replaces(purpose, &fingerprint, &replaced) { Ok((purpose, found)) } else { Err(AuthError::ResetLinkInvalid) };
    }
    Err(AuthError::ResetLinkInvalid)
}

/// What a link dies with: the password, the address, that the account is active, and the last time all links became void (SR-042, SR-046).
///
/// # Errors
/// `Unavailable`.
pub(super) async fn replaced(db: &impl db::Connection, found: &Credentials) -> Result<String, AuthError> {
    let voided = db::accounts::find(db, found.user.id).await?.map_or(0, |account| account.link_generation);
    Ok(format!("{}\0{}\0{}\0{voided}", found.hashed_password, found.user.email, found.user.is_active))
}
