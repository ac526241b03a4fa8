use crate::{
    domain::{AuthError, Email, Event, Password, User},
    server::{
        AppState,
        db::{self, users::Credentials},
        flows::{
            events::{self, Note},
            sessions::{self, Origin, Started, Way},
            throttle, users,
        },
        hasher::{Admission, Verdict},
    },
};

/// Who made somebody an administrator whom nobody made one.
const ADMIN_EMAILS: &str = "admin_emails";

/// One try to log in.
#[derive(Debug)]
pub struct Attempt {
    /// `None` for an address that cannot have an account; it costs as much as any other.
    pub email: Option<Email>,
    pub password: Password,
    pub origin: Origin,
}

/// The budgets one attempt was taken out of.
struct Reserved {
    network: String,
    account: String,
    at: i64,
}

/// Somebody whose password was right, with the hash it was compared to and a stronger one if that is due.
pub struct Proven {
    pub user: User,
    hashed_password: String,
    upgrade: Option<String>,
}

/// Logs in with e-mail and password.
///
/// # Errors
/// Those of [`prove`].
pub async fn with_password(state: &AppState, attempt: Attempt) -> Result<Started, AuthError> {
    let origin = attempt.origin.clone();
    let proven = prove(state, attempt).await?;
    // In a box: a flood is turned away before it gets here, and should not keep the room for it while it waits (SR-171).
    Box::pin(start(state, proven, origin)).await
}

/// Starts the session of somebody whose password was right.
///
/// # Errors
/// Those of [`confirm`].
pub async fn start(state: &AppState, proven: Proven, origin: Origin) -> Result<Started, AuthError> {
    let transaction = db::begin(&state.db).await?;
    confirm(&transaction, &proven).await?;
    let user = grant_administration(state, &transaction, proven.user, &origin).await?;
    let started = sessions::start(state, &transaction, user, Way::Password, origin).await?;
    db::commit(transaction).await?;
    Ok(started)
}

/// Finds out whether a password is right, and nothing else.
///
/// An unknown address, a disabled account, one without a password and a wrong password get the same answer after the same
/// work: two reservations, one look-up, one Argon2 (SR-020).
///
/// # Errors
/// `BadCredentials` for all of those; `TooManyAttempts`, `Busy`, `Unavailable`.
pub async fn prove(state: &AppState, attempt: Attempt) -> Result<Proven, AuthError> {
    let Attempt { email, password, origin } = attempt;
    let admission = state.hasher.admit().await?;
    let found = match &email {
        Some(email) => db::users::find_by_email(&state.db, email).await?,
        None => None,
    };
    // In a box for the same reason.
    Box::pin(decide(state, admission, email.as_ref().map_or("", Email::as_str), found, password, &origin)).await
}

/// The same for somebody who is known already and has to show that it is them.
///
/// # Errors
/// Those of [`prove`].
pub async fn prove_user(state: &AppState, user: &User, password: Password, origin: &Origin) -> Result<Proven, AuthError> {
    let admission = state.hasher.admit().await?;
    let found = db::users::find_with_hash(&state.db, user.id).await?;
    Box::pin(decide(state, admission, &user.email.to_ascii_lowercase(), found, password, origin)).await
}

async fn decide(
    state: &AppState,
    admission: Admission,
    address: &str,
    found: Option<Credentials>,
    password: Password,
    origin: &Origin,
) -> Result<Proven, AuthError> {
    let reserved = reserve(state, address, found.as_ref().map(|found| &found.user), origin).await?;
    let stored = found.as_ref().map(|found| found.hashed_password.clone());
    let verdict = match state.hasher.verify(admission, password, stored).await {
        Ok(verdict) => verdict,
        Err(err) => {
            give_back(state, &reserved).await?;
            return Err(err);
        }
    };
    if let (Verdict::Unusable, Some(found)) = (&verdict, &found) {
        tracing::error!(event = "hash_unusable", user = %found.user.id, "the stored password hash cannot be checked; the account needs a new password");
    }
    let about = found.as_ref().map(|found| found.user.id);
    // A disabled account is not revealed even to somebody who knows its password (SR-021).
    let (Verdict::Right { upgrade }, Some(found)) = (verdict, found.filter(|found| found.user.is_active)) else {
        events::record(state, &state.db, Event::LoginFailed, origin, Note::of_maybe(about).method("password")).await?;
        return Err(AuthError::BadCredentials);
    };
    throttle::give_back(state, &reserved.network).await?;
    db::rate_limits::clear(&state.db, &reserved.account).await?;
    Ok(Proven { user: found.user, hashed_password: found.hashed_password, upgrade })
}

/// Makes sure, inside the transaction that starts the session, that what was proven still holds: checking a password takes its time,
/// and meanwhile the account may have been disabled, its password may have become void (SR-037), or it may have got another address, which
/// would be taken for the one that `admin_emails` names (SR-035). Stores the stronger hash if
/// one is due (SR-014).
///
/// # Errors
/// `BadCredentials` when it does not; `Busy` when another login has just stored a stronger hash; `Unavailable`.
pub async fn confirm(transaction: &db::Transaction, proven: &Proven) -> Result<(), AuthError> {
    let stronger = proven.upgrade.as_deref();
    if db::users::recheck_unchanged(transaction, &proven.user, &proven.hashed_password, stronger).await? {
        return Ok(());
    }
    Err(if stronger.is_some() { AuthError::Busy } else { AuthError::BadCredentials })
}

/// Counts the attempt before the password is looked at, so that parallel guesses cannot exceed the budget (SR-022). Whoever
/// has logged in to this account from here lately keeps a budget of their own: strangers cannot lock them out (SR-024).
async fn reserve(state: &AppState, address: &str, user: Option<&User>, origin: &Origin) -> Result<Reserved, AuthError> {
    let (now, network) = (state.clock.now(), &origin.network);
    let about = user.map(|user| user.id);
    // Of nobody too: where no password is looked at, the time would tell whether there is an account (SR-020).
    let is_familiar = db::sessions::has_logged_in_from(&state.db, about.unwrap_or_default(), network, now).await?;
    let account = throttle::account_key(address, is_familiar.then_some(network.as_str()));
    let reserved = Reserved { network: throttle::network_key(network), account, at: now };
    if let Err(err) = throttle::take_failure(state, network).await {
        note_throttled(state, about, origin, err).await;
        return Err(err);
    }
    if let Err(err) = throttle::reserve_account(state, &reserved.account, now).await {
        // Nothing was guessed, so it costs the network nothing: a household must not run out of attempts by waiting badly.
        throttle::give_back(state, &reserved.network).await?;
        note_throttled(state, about, origin, err).await;
        return Err(err);
    }
    Ok(reserved)
}

/// An attempt that was never decided is no failure.
async fn give_back(state: &AppState, reserved: &Reserved) -> Result<(), AuthError> {
    throttle::give_back(state, &reserved.network).await?;
    db::rate_limits::refund_account(&state.db, &reserved.account, reserved.at).await
}

/// `admin_emails` makes an administrator of whoever has proven to own the address, checked at every login (SR-035). It takes
/// nothing away: rights that somebody granted stay.
///
/// # Errors
/// `Unavailable`.
pub async fn grant_administration(state: &AppState, transaction: &db::Transaction, user: User, origin: &Origin) -> Result<User, AuthError> {
    if !users::is_listed(state, &user) || user.is_superuser || !db::accounts::is_email_verified(transaction, user.id).await? {
        return Ok(user);
    }
    let now = state.clock.now();
    let administrator = User { is_superuser: true, is_verified: true, ..user.clone() };
    db::users::set_rights(transaction, &user, &administrator).await?;
    db::accounts::set_admin_grant(transaction, user.id, Some(ADMIN_EMAILS), now).await?;
    if !user.is_verified {
        db::accounts::set_approval(transaction, user.id, Some(ADMIN_EMAILS), now).await?;
    }
    events::record(state, transaction, Event::RoleChanged, origin, Note::of(user.id).method(ADMIN_EMAILS).detail("administrator")).await?;
    Ok(administrator)
}

async fn note_throttled(state: &AppState, about: Option<uuid::Uuid>, origin: &Origin, err: AuthError) {
    if matches!(err, AuthError::TooManyAttempts { .. }) {
        events::record_rarely(state, Event::LoginThrottled, origin, Note::of_maybe(about).method("password").detail(err.code())).await;
    }
}
