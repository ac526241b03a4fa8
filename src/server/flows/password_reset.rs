//! A forgotten password (SR-040 to SR-049). A link is a stateless signed token with a fingerprint of what it replaces, so it is used once
//! by construction, and several may be live at once without one of them being worth more than the account's present state.

use crate::{
    domain::{AuthError, Email, User},
    server::{
        AppState,
        db::{self, throttle::Budget, users::Credentials},
        flows::{
            mail::{self, Kind},
            new_password::NewPassword,
            sessions::Origin,
        },
        tokens::Purpose,
    },
};

/// Requests of one network.
const REQUESTS: Budget = Budget { most: 10, window: 60 * 60 };
/// Tokens that one network may try.
const SUBMISSIONS: Budget = Budget { most: 20, window: 10 * 60 };

/// Asks for a link by mail. The answer is the same whoever has the address, and whether or not resets are on (SR-040, SR-048).
///
/// # Errors
/// `TooManyAttempts` for the network; `Unavailable`.
pub async fn request(state: &AppState, email: &Email, origin: &Origin) -> Result<(), AuthError> {
    db::throttle::take(&state.db, &format!("reset-request:{}", origin.network), REQUESTS, state.clock.now()).await?;
    if state.config.auth.email_password_resets {
        mail::queue(state, &state.db, Kind::Reset, email.as_str(), origin).await?;
    }
    tracing::info!(event = "reset_requested", network = state.loggable(&origin.network), "a link for a new password was asked for");
    Ok(())
}

/// The link to mail, made when the mail is; `None` when resets are off.
///
/// # Errors
/// `Internal`.
pub(super) fn mailed_link(state: &AppState, found: &Credentials) -> Result<Option<String>, AuthError> {
    if !state.config.auth.email_password_resets {
        return Ok(None);
    }
    link(state, Purpose::Reset, found, state.config.policy.reset_link_lifetime).map(Some)
}

/// A link for the operator to hand over, in person or over any channel they trust; works without mail settings too. `None` when nobody
/// active has the address.
///
/// # Errors
/// `Unavailable`, `Internal`.
pub async fn handed_over_link(state: &AppState, email: &Email) -> Result<Option<String>, AuthError> {
    let Some(found) = db::users::find_by_email(&state.db, email).await?.filter(|found| found.user.is_active) else { return Ok(None) };
    tracing::info!(event = "reset_link_made", user = %found.user.id, "a link for a new password was made from the shell");
    link(state, Purpose::HandedOver, &found, state.config.policy.reset_link_lifetime).map(Some)
}

fn link(state: &AppState, purpose: Purpose, found: &Credentials, lifetime: u32) -> Result<String, AuthError> {
    let token = state.tokens.link(purpose, found.user.id, &replaced(found), lifetime).map_err(|_| AuthError::Internal)?;
    // From the configuration alone: no header of a request can lead it elsewhere (SR-043).
    Ok(state.config.link(&format!("/login/reset-password?token={token}")))
}

/// Whose password a token may set. Reading uses nothing up (SR-045).
///
/// # Errors
/// `ResetLinkInvalid`, `Unavailable`.
pub async fn check(state: &AppState, token: &str) -> Result<User, AuthError> {
    Ok(read(state, token).await?.1.user)
}

/// Sets a new password, ends all sessions, and says so by mail. Logs nobody in (SR-046). Of many uses at once one wins: the update asks
/// for the very state that the link replaces (SR-044). `shown` is the address that the page has named: another link may have been opened
/// in the same browser since.
///
/// # Errors
/// `ResetLinkInvalid`; what is wrong with the password, which does not use the link up; `TooManyAttempts`, `Busy`, `Unavailable`.
pub async fn complete(state: &AppState, token: &str, shown: Option<&str>, password: String, origin: &Origin) -> Result<(), AuthError> {
    db::throttle::take(&state.db, &format!("reset-token:{}", origin.network), SUBMISSIONS, state.clock.now()).await?;
    let (purpose, found) = read(state, token).await?;
    let email = Email::parse(&found.user.email).ok().filter(|_| shown.is_none_or(|shown| shown == found.user.email)).ok_or(AuthError::ResetLinkInvalid)?;
    let password = NewPassword::parse(password, &email, &state.config)?;
    let hash = state.hasher.hash(password.into_password()).await?;
    let (user, now) = (found.user.id, state.clock.now());

    let transaction = db::begin(&state.db).await?;
    // Not beside a login through the provider that has found its account and not yet started its session.
    db::alone(&transaction).await?;
    if !db::users::replace_hash(&transaction, &found, hash).await? {
        return Err(AuthError::ResetLinkInvalid);
    }
    db::sessions::end_all(&transaction, user, now).await?;
    if !db::accounts::email_is_proven(&transaction, user).await? {
        // What a stranger may have set before is void (SR-037).
        db::identities::delete_of(&transaction, user).await?;
        if purpose == Purpose::Reset {
            db::accounts::prove_email(&transaction, user, now).await?;
            if !found.user.is_verified {
                mail::tell_administrators(state, &transaction, origin).await?;
            }
        }
    }
    db::accounts::note_password(&transaction, user, now).await?;
    // Whoever guessed at the old password has not earned the owner a delay.
    db::throttle::clear(&transaction, &format!("account:{email}")).await?;
    if mail::is_on(state) {
        mail::queue(state, &transaction, Kind::PasswordChanged, email.as_str(), origin).await?;
    }
    db::commit(transaction).await?;
    tracing::info!(event = "password_reset", user = %user, network = state.loggable(&origin.network), "a password was set by a link");
    Ok(())
}

async fn read(state: &AppState, token: &str) -> Result<(Purpose, Credentials), AuthError> {
    let usable = [(Purpose::Reset, state.config.auth.email_password_resets), (Purpose::HandedOver, true)];
    for (purpose, _) in usable.into_iter().filter(|(_, is_usable)| *is_usable) {
        let Ok((user, fingerprint)) = state.tokens.read_link(purpose, token) else { continue };
        let found = db::users::find_with_hash(&state.db, user).await?.filter(|found| found.user.is_active);
        let found = found.filter(|found| state.tokens.still_replaces(purpose, &fingerprint, &replaced(found)));
        return found.map(|found| (purpose, found)).ok_or(AuthError::ResetLinkInvalid);
    }
    Err(AuthError::ResetLinkInvalid)
}

/// What the link dies with: the password, the address, and that the account is active (SR-042).
fn replaced(found: &Credentials) -> String {
    format!("{}\0{}\0{}", found.hashed_password, found.user.email, found.user.is_active)
}
