//! What somebody does with their own account. Whatever changes the account itself needs a young login (SR-142): whoever finds an open
//! screen must not be able to keep the account.

use crate::{
    domain::{AuthError, Email, Event, Password},
    server::{
        AppState,
        db::{self, identities::Identity, rate_limits::RateLimit, sessions::Session, users::Credentials},
        flows::{
            events::{self, Note},
            login,
            mail::{self, Kind},
            new_password::NewPassword,
            password_reset,
            sessions::{self, CurrentUser, Origin, Started},
            throttle,
            users::Change,
        },
        tokens::Purpose,
    },
};

/// How long a link to a new address works, in seconds.
const LINK_LIFETIME: u32 = 24 * 60 * 60;
/// Other passwords, and other addresses, that one account may ask for.
const REQUESTS: RateLimit = RateLimit { max: 5, window: 60 * 60 };

/// All that the account page shows.
pub struct Overview {
    pub sessions: Vec<Session>,
    pub identities: Vec<Identity>,
    /// Somebody knows the password.
    pub has_password: bool,
}

/// What belongs to somebody.
///
/// # Errors
/// `Unavailable`.
pub async fn overview(state: &AppState, current: &CurrentUser) -> Result<Overview, AuthError> {
    let user = current.user().id;
    Ok(Overview {
        sessions: sessions::of(state, user).await?,
        identities: db::identities::list_for_user(&state.db, user).await?,
        has_password: !db::accounts::is_passwordless(&state.db, user).await?,
    })
}

/// Logs the same person in again, so that their login is young. The same throttle and the same answers as every login (SR-005).
///
/// # Errors
/// Those of a login.
pub async fn log_in_again(state: &AppState, current: &CurrentUser, password: Password, origin: Origin) -> Result<Started, AuthError> {
    let proven = login::prove_user(state, current.user(), password, &origin).await?;
    login::start(state, proven, origin).await
}

/// Makes sure that the person is there: by a young login, or by the password where it is given along.
///
/// # Errors
/// `LoginTooOld` without either; those of a login.
pub async fn require_presence(state: &AppState, current: &CurrentUser, password: Option<Password>, origin: &Origin) -> Result<(), AuthError> {
    match password {
        Some(password) => login::prove_user(state, current.user(), password, origin).await.map(drop),
        None => current.require_fresh(state.clock.now()),
    }
}

/// Changes what somebody asks for over the contract: the same rules as on the pages. Of the address only the request.
///
/// # Errors
/// Those of [`require_presence`], [`change_password`] and [`request_address`].
pub async fn change(state: &AppState, current: &CurrentUser, change: Change, origin: &Origin) -> Result<(), AuthError> {
    let Change { email, password, current_password, .. } = change;
    let email = email.filter(|email| !current.user().email.eq_ignore_ascii_case(email.as_str()));
    if email.is_none() && password.is_none() {
        return Ok(());
    }
    require_presence(state, current, current_password, origin).await?;
    if email.is_some() && !mail::is_on(state) {
        return Err(AuthError::EmailNeedsAdministrator);
    }
    if email.is_some() {
        take_address_request(state, current).await?;
    }
    // In this order: the mailed link dies with the password that it was made beside.
    if let Some(password) = password {
        change_password(state, current, password, origin).await?;
    }
    match email {
        Some(email) => mail_address_link(state, current, &email, origin).await,
        None => Ok(()),
    }
}

/// Gives the account another password, and ends all its other sessions (SR-098). The caller has made sure that the person is there.
///
/// # Errors
/// What is wrong with the password; `TooManyAttempts`, `Busy`, `Unavailable`; `NotLoggedIn` when the account has changed meanwhile.
pub async fn change_password(state: &AppState, current: &CurrentUser, password: String, origin: &Origin) -> Result<(), AuthError> {
    let (user, now) = (current.user(), state.clock.now());
    let admission = state.hasher.admit().await?;
    let password = NewPassword::parse(password, &user.email, &state.config)?;
    // Each one is a hash and a mail, to an address that may be a stranger's.
    let taken = format!("new-password:{}", user.id);
    throttle::take(state, &taken, REQUESTS).await?;
    let found = db::users::find_with_hash(&state.db, user.id).await?.ok_or(AuthError::NotLoggedIn)?;
    let hash = throttle::unless_failed(state, &taken, state.hasher.hash(admission, password.into_password()).await).await?;
    let transaction = db::begin(&state.db).await?;
    db::serialize(&transaction).await?;
    sessions::still_live(state, &transaction, current).await?;
    if !db::users::replace_hash(&transaction, &found, hash).await? {
        return Err(AuthError::NotLoggedIn);
    }
    db::sessions::revoke_all_except(&transaction, user.id, current.session(), now).await?;
    db::accounts::clear_passwordless(&transaction, user.id, now).await?;
    mail::forget_links(&transaction, &found.user).await?;
    mail::notify(state, &transaction, Kind::PasswordChanged, &found.user, origin).await?;
    events::record(state, &transaction, Event::PasswordChanged, origin, Note::of(user.id)).await?;
    db::commit(transaction).await
}

/// Asks for another address: a link goes there, and nothing changes until it is used. The answer is the same whoever has the address.
/// The caller has made sure that the person is there.
///
/// # Errors
/// `EmailUnchanged`, `EmailNeedsAdministrator` without mail, `TooManyAttempts`, `Unavailable`.
pub async fn request_address(state: &AppState, current: &CurrentUser, email: &Email, origin: &Origin) -> Result<(), AuthError> {
    let user = current.user();
    if user.email.eq_ignore_ascii_case(email.as_str()) {
        return Err(AuthError::EmailUnchanged);
    }
    if !mail::is_on(state) {
        return Err(AuthError::EmailNeedsAdministrator);
    }
    take_address_request(state, current).await?;
    mail_address_link(state, current, email, origin).await
}

async fn take_address_request(state: &AppState, current: &CurrentUser) -> Result<(), AuthError> {
    throttle::take(state, &format!("new-address:{}", current.user().id), REQUESTS).await
}

async fn mail_address_link(state: &AppState, current: &CurrentUser, email: &Email, origin: &Origin) -> Result<(), AuthError> {
    let user = current.user();
    let transaction = db::begin(&state.db).await?;
    sessions::still_live(state, &transaction, current).await?;
    mail::queue_about(state, &transaction, Kind::NewAddress, user, email.as_str(), origin).await?;
    events::record(state, &transaction, Event::AddressChangeRequested, origin, Note::of(user.id)).await?;
    db::commit(transaction).await
}

/// The link to mail to the new address, made when the mail is.
///
/// # Errors
/// `Unavailable`, `Internal`.
pub(super) async fn new_address_link(state: &AppState, found: &Credentials, email: &Email) -> Result<String, AuthError> {
    let replaced = format!("{}\0{email}", password_reset::replaced(&state.db, found).await?);
    let token = state.tokens.link(Purpose::NewAddress, found.user.id, &replaced, LINK_LIFETIME).map_err(|_| AuthError::Internal)?;
    Ok(state.config.link(&format!(
        "/account/new-address?token={token}&address={}",
        percent_encoding::utf8_percent_encode(email.as_str(), percent_encoding::NON_ALPHANUMERIC)
    )))
}

/// Takes a link as proof of the new mailbox. Only for the very person who is logged in: else somebody could give a stranger's mailbox to
/// an account of their own. Grants nothing and approves nobody; an address that was never proven stays so (SR-142). All other links die,
/// and the old mailbox is told.
///
/// # Errors
/// `ProofLinkInvalid`, `EmailTaken`, `TooManyAttempts` for the network, `Unavailable`.
pub async fn change_address(state: &AppState, current: &CurrentUser, token: &str, address: &str, origin: &Origin) -> Result<(), AuthError> {
    let now = state.clock.now();
    throttle::take_token(state, "proof-token", &origin.network).await?;
    let email = Email::parse(address).map_err(|_| AuthError::ProofLinkInvalid)?;
    let (owner, fingerprint) = state.tokens.read_link(Purpose::NewAddress, token).map_err(|_| AuthError::ProofLinkInvalid)?;
    let transaction = db::begin(&state.db).await?;
    db::serialize(&transaction).await?;
    sessions::still_live(state, &transaction, current).await?;
    let found = db::users::find_with_hash(&transaction, owner).await?.filter(|found| found.user.is_active && owner == current.user().id);
    let found = found.ok_or(AuthError::ProofLinkInvalid)?;
    let replaced = format!("{}\0{email}", password_reset::replaced(&transaction, &found).await?);
    if !state.tokens.still_replaces(Purpose::NewAddress, &fingerprint, &replaced) {
        return Err(AuthError::ProofLinkInvalid);
    }
    if db::users::is_taken_by_another(&transaction, &email, owner).await? {
        return Err(AuthError::EmailTaken);
    }
    db::users::set_email(&transaction, owner, &email).await?;
    // They name the address that is gone, and would live again if it came back.
    mail::void_links(&transaction, &found.user, now).await?;
    if db::accounts::is_email_verified(&transaction, owner).await? {
        db::accounts::set_email_verified(&transaction, owner, now).await?;
    }
    mail::notify(state, &transaction, Kind::AddressChanged, &found.user, origin).await?;
    events::record(state, &transaction, Event::AddressChanged, origin, Note::of(owner)).await?;
    db::commit(transaction).await
}

/// Deletes the person's own account and everything that belongs to it, after a young login.
///
/// # Errors
/// `LoginTooOld`, `LastAdministrator`, `Unavailable`.
pub async fn delete(state: &AppState, current: &CurrentUser, origin: &Origin) -> Result<(), AuthError> {
    current.require_fresh(state.clock.now())?;
    let transaction = db::begin(&state.db).await?;
    db::serialize(&transaction).await?;
    sessions::still_live(state, &transaction, current).await?;
    super::users::remove(state, transaction, current.user().id, current, origin).await
}
