use uuid::Uuid;

use super::{
    Ctx, Tx, default_password, devices,
    events::{self, EventDetails},
    rate_limits,
    sessions::{self, NewSession},
    users,
};
use crate::{
    domain::{AuditEvent, AuthError, Email, GrantSource, LoginMethod, Password, User},
    server::{
        crypto::password_hasher::{QueueSlot, Verification},
        db::{self, users::Credentials},
    },
};

/// A verified first factor.
pub struct FirstFactor {
    pub user: User,
    pub method: LoginMethod,
    /// The provider account of an OpenID Connect login.
    pub identity: Option<IdentityRef>,
}

/// A linked identity, and the `sid` of the provider's session if the provider sent one.
pub struct IdentityRef {
    pub id: Uuid,
    pub provider_session: Option<String>,
}

impl FirstFactor {
    /// A first factor without a provider account.
    pub fn new(user: User, method: LoginMethod) -> Self {
        Self {
            user,
            method,
            identity: None,
        }
    }
}

/// The result of a verified first factor.
pub enum Login {
    Complete(NewSession),
}

/// Completes a login in the transaction that verified the first factor. Every login ends here:
/// password, OpenID Connect, sign-up and setup.
///
/// # Errors
/// `Internal` if signing the session token fails.
pub async fn complete(tx: &mut Tx<'_>, first_factor: FirstFactor) -> Result<Login, AuthError> {
    let user = apply_admin_emails(tx, first_factor.user).await?;
    sessions::start_session(
        tx,
        FirstFactor {
            user,
            ..first_factor
        },
    )
    .await
    .map(Login::Complete)
}

/// The input of a password login.
#[derive(Debug)]
pub struct PasswordLogin {
    /// `None` for an invalid address, which costs the same time as an unknown one.
    pub email: Option<Email>,
    pub password: Password,
}

/// The rate limit quota consumed by one attempt.
struct Reservation {
    network: String,
    account: String,
    at: i64,
}

/// A user whose password was correct, with the hash that it matched and a replacement if the hash
/// needs an upgrade.
pub struct VerifiedPassword {
    pub user: User,
    hashed_password: String,
    upgrade: Option<String>,
}

/// Logs in with email and password.
///
/// # Errors
/// Those of [`verify_password`].
pub async fn log_in_with_password(cx: &Ctx<'_>, input: PasswordLogin) -> Result<Login, AuthError> {
    let verified = verify_password(cx, input).await?;
    // Boxed because most requests of a flood are rejected earlier and should not hold memory for
    // this future while they wait (SR-171).
    Box::pin(complete_password_login(cx, verified)).await
}

/// Starts the session of a user whose password was correct.
///
/// # Errors
/// Those of [`recheck_credentials`].
pub async fn complete_password_login(
    cx: &Ctx<'_>,
    verified: VerifiedPassword,
) -> Result<Login, AuthError> {
    let mut tx = cx.transaction().await?;
    recheck_credentials(&tx, &verified).await?;
    let login = complete(
        &mut tx,
        FirstFactor::new(verified.user, LoginMethod::Password),
    )
    .await?;
    tx.commit().await?;
    Ok(login)
}

/// Verifies a password without starting a session.
///
/// An unknown address, a disabled account, an account without a password and a wrong password get
/// the same answer after the same work: two reservations, one lookup, one Argon2 hash (SR-020).
///
/// # Errors
/// `BadCredentials` for all of them; `TooManyAttempts`, `Overloaded`.
pub async fn verify_password(
    cx: &Ctx<'_>,
    input: PasswordLogin,
) -> Result<VerifiedPassword, AuthError> {
    let PasswordLogin { email, password } = input;
    password.check()?;
    let slot = cx.acquire_hashing_slot().await?;
    let found = match &email {
        Some(email) => db::users::find_by_email(&cx.state.db, email).await?,
        None => None,
    };
    let candidate = Candidate {
        address: email.as_ref().map_or("", Email::as_str),
        found,
        password,
    };
    // Boxed for the same reason as in [`log_in_with_password`].
    Box::pin(check_credentials(cx, slot, candidate)).await
}

/// Verifies the password of a known user, for reauthentication.
///
/// # Errors
/// Those of [`verify_password`].
pub async fn verify_password_of(
    cx: &Ctx<'_>,
    user: &User,
    password: Password,
) -> Result<VerifiedPassword, AuthError> {
    password.check()?;
    let slot = cx.acquire_hashing_slot().await?;
    let found = db::users::find_with_hash(&cx.state.db, user.id).await?;
    Box::pin(check_credentials(
        cx,
        slot,
        Candidate {
            address: &user.email.to_ascii_lowercase(),
            found,
            password,
        },
    ))
    .await
}

/// The password to check, and the account that was found for the address.
struct Candidate<'a> {
    address: &'a str,
    found: Option<Credentials>,
    password: Password,
}

async fn check_credentials(
    cx: &Ctx<'_>,
    slot: QueueSlot,
    candidate: Candidate<'_>,
) -> Result<VerifiedPassword, AuthError> {
    let Candidate {
        address,
        found,
        password,
    } = candidate;
    let reservation = reserve_failure(cx, address, found.as_ref()).await?;
    let stored = found.as_ref().map(|found| found.hashed_password.clone());
    let is_default_password = default_password::is_default(&password);
    let verification = match cx.state.hasher.verify(slot, password, stored).await {
        Ok(verification) => verification,
        Err(err) => {
            refund_failure(cx, &reservation).await?;
            return Err(err);
        }
    };
    if let (Verification::UnsupportedHash, Some(found)) = (&verification, &found) {
        tracing::error!(event = "hash_unusable", user = %found.user.id, "the stored password hash cannot be checked; the account needs a new password");
    }
    let user_id = found.as_ref().map(|found| found.user.id);
    // A disabled account is not revealed even if the password is correct (SR-021).
    let (Verification::Valid { upgrade }, Some(found)) =
        (verification, found.filter(|found| found.user.is_active))
    else {
        cx.record(
            AuditEvent::LoginFailed,
            EventDetails::for_user_if_known(user_id).with_method(LoginMethod::Password.name()),
        )
        .await?;
        return Err(AuthError::BadCredentials);
    };
    if is_default_password && users::may_administrate(cx.state, &found.user) {
        record_default_password(cx, found.user.id).await?;
        return Err(AuthError::BadCredentials);
    }
    rate_limits::refund(cx, &reservation.network).await?;
    db::rate_limits::clear(&cx.state.db, &reservation.account).await?;
    Ok(VerifiedPassword {
        user: found.user,
        hashed_password: found.hashed_password,
        upgrade,
    })
}

/// Records that MediaManager's default password, which is published, was refused like a wrong one.
async fn record_default_password(cx: &Ctx<'_>, user: Uuid) -> Result<(), AuthError> {
    cx.record(
        AuditEvent::DefaultPasswordRefused,
        EventDetails::for_user(user).with_method(LoginMethod::Password.name()),
    )
    .await?;
    tracing::error!(
        event = "default_password_in_use",
        %user,
        "an administrator's account still has MediaManager's default password; {}",
        default_password::HINT
    );
    Ok(())
}

/// Checks, in the transaction that starts the session, that the account is unchanged since the
/// password was verified. Hashing takes time, and meanwhile the account may have been disabled, its
/// password revoked (SR-037), or its address changed to one that `admin_emails` lists (SR-035).
/// Stores the upgraded hash if there is one (SR-014).
///
/// # Errors
/// `BadCredentials` if the account has changed; `Overloaded` if a concurrent login has just
/// upgraded the hash.
pub async fn recheck_credentials(
    tx: &Tx<'_>,
    verified: &VerifiedPassword,
) -> Result<(), AuthError> {
    let stronger = verified.upgrade.as_deref();
    if db::users::recheck_unchanged(tx.db(), &verified.user, &verified.hashed_password, stronger)
        .await?
    {
        return Ok(());
    }
    Err(if stronger.is_some() {
        AuthError::Overloaded
    } else {
        AuthError::BadCredentials
    })
}

/// Counts the attempt before the password is verified, so that parallel guesses cannot exceed the
/// limit (SR-022). A known device, and a client from which somebody has recently logged in to this
/// account without one, have a separate limit, so that strangers cannot lock it out (SR-024,
/// SR-269).
async fn reserve_failure(
    cx: &Ctx<'_>,
    address: &str,
    found: Option<&Credentials>,
) -> Result<Reservation, AuthError> {
    let (now, network) = (cx.now(), &cx.client.rate_limit_key);
    let user_id = found.map(|found| found.user.id);
    // The query also runs without a user, because the time would otherwise reveal whether the
    // address has an account (SR-020).
    let is_familiar =
        db::sessions::has_logged_in_from(&cx.state.db, user_id.unwrap_or_default(), network, now)
            .await?;
    // Neither the failures of strangers nor those of others on its network delay a known device.
    let device = devices::find_known(cx, found).await?;
    let device = device.map(|device| format!("device:{device}"));
    let client = device.as_ref().unwrap_or(network);
    let is_familiar = is_familiar || device.is_some();
    let reservation = Reservation {
        network: rate_limits::client_key(client),
        account: rate_limits::account_key(address, is_familiar.then_some(client.as_str())),
        at: now,
    };
    match reserve(cx, &reservation, user_id).await {
        Ok(()) => Ok(reservation),
        Err(err) => {
            record_throttled(cx, user_id, err).await;
            Err(err)
        }
    }
}

async fn reserve(
    cx: &Ctx<'_>,
    reservation: &Reservation,
    user_id: Option<Uuid>,
) -> Result<(), AuthError> {
    // First only read: a rejected attempt must not cost a write.
    let Reservation {
        network, account, ..
    } = reservation;
    let user_id = user_id.unwrap_or_default();
    rate_limits::ensure_login_allowed(cx, (network, account), user_id).await?;
    rate_limits::consume_failure_of(cx, network).await?;
    let reserved = rate_limits::reserve_account(cx, &reservation.account).await;
    if reserved.is_err() {
        // No password was tried, so the attempt does not count against the client. Users behind one
        // address must not run out of attempts by retrying too early.
        rate_limits::refund(cx, &reservation.network).await?;
    }
    reserved
}

/// Refunds an attempt that ended without a result.
async fn refund_failure(cx: &Ctx<'_>, reservation: &Reservation) -> Result<(), AuthError> {
    rate_limits::refund(cx, &reservation.network).await?;
    db::rate_limits::refund_account(&cx.state.db, &reservation.account, reservation.at).await
}

/// Grants administrator rights to a user whose verified address is in `admin_emails`, checked at
/// every login (SR-035). It never revokes rights that were granted otherwise.
pub async fn apply_admin_emails(tx: &mut Tx<'_>, user: User) -> Result<User, AuthError> {
    if !users::is_admin_email(tx.cx().state, &user)
        || user.is_superuser
        || !db::accounts::is_email_verified(tx.db(), user.id).await?
    {
        return Ok(user);
    }
    let now = tx.now();
    let administrator = User {
        is_superuser: true,
        is_verified: true,
        ..user.clone()
    };
    db::users::set_rights(tx.db(), &user, &administrator).await?;
    db::accounts::set_admin_grant(tx.db(), user.id, Some(GrantSource::AdminEmails.name()), now)
        .await?;
    if !user.is_verified {
        db::accounts::set_approval(tx.db(), user.id, Some(GrantSource::AdminEmails.name()), now)
            .await?;
    }
    tx.record(
        AuditEvent::RoleChanged,
        EventDetails::for_user(user.id)
            .with_method(GrantSource::AdminEmails.name())
            .with_detail("administrator"),
    )
    .await?;
    Ok(administrator)
}

async fn record_throttled(cx: &Ctx<'_>, user_id: Option<Uuid>, err: AuthError) {
    if matches!(err, AuthError::TooManyAttempts { .. }) {
        let details = EventDetails::for_user_if_known(user_id)
            .with_method(LoginMethod::Password.name())
            .with_detail(err.code());
        events::record_rate_limited(cx, AuditEvent::LoginThrottled, details).await;
    }
}
