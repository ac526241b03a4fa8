use uuid::Uuid;

use super::{
    Ctx, Tx,
    events::{self, EventDetails},
    rate_limits,
    sessions::{self, NewSession},
    users,
};
use crate::{
    domain::{AuditEvent, AuthError, Email, LoginMethod, Password, User},
    server::{
        crypto::password_hasher::{QueueSlot, Verification},
        db::{self, users::Credentials},
    },
};

/// Who made somebody an administrator whom nobody made one.
const ADMIN_EMAILS: &str = "admin_emails";

/// What somebody has proven about who they are.
pub struct FirstFactor {
    pub user: User,
    pub method: LoginMethod,
    /// The account at the provider that they came with.
    pub identity: Option<IdentityRef>,
}

/// An identity, and the session at the provider that it came with, if the provider named one.
pub struct IdentityRef {
    pub id: Uuid,
    pub provider_session: Option<String>,
}

impl FirstFactor {
    /// Proven without the provider.
    pub fn new(user: User, method: LoginMethod) -> Self {
        Self {
            user,
            method,
            identity: None,
        }
    }
}

/// What a proven first factor leads to.
pub enum Login {
    Complete(NewSession),
}

/// Completes a login, in the transaction that proved the first factor. Every login ends here: with
/// a password, through the provider, after a sign-up, and at setup.
///
/// # Errors
/// `Unavailable`, `Internal`.
pub async fn complete(tx: &mut Tx<'_>, proven: FirstFactor) -> Result<Login, AuthError> {
    let user = apply_admin_emails(tx, proven.user).await?;
    sessions::start_session(tx, FirstFactor { user, ..proven })
        .await
        .map(Login::Complete)
}

/// One try to log in.
#[derive(Debug)]
pub struct PasswordLogin {
    /// `None` for an address that cannot have an account; it costs as much as any other.
    pub email: Option<Email>,
    pub password: Password,
}

/// The budgets one attempt was taken out of.
struct Reservation {
    network: String,
    account: String,
    at: i64,
}

/// A user whose password was right, with the hash it was compared to and a stronger one if that is
/// due.
pub struct VerifiedPassword {
    pub user: User,
    hashed_password: String,
    upgrade: Option<String>,
}

/// Logs in with e-mail and password.
///
/// # Errors
/// Those of [`verify_password`].
pub async fn log_in_with_password(cx: &Ctx<'_>, input: PasswordLogin) -> Result<Login, AuthError> {
    let verified = verify_password(cx, input).await?;
    // Boxed: a flood is turned away before it gets here, and should not keep the room for it while
    // it waits (SR-171).
    Box::pin(complete_password_login(cx, verified)).await
}

/// Logs in the user whose password was right.
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

/// Finds out whether a password is right, and nothing else.
///
/// An unknown address, a disabled account, one without a password and a wrong password get the same
/// answer after the same work: two reservations, one look-up, one Argon2 (SR-020).
///
/// # Errors
/// `BadCredentials` for all of those; `TooManyAttempts`, `Busy`, `Unavailable`.
pub async fn verify_password(
    cx: &Ctx<'_>,
    input: PasswordLogin,
) -> Result<VerifiedPassword, AuthError> {
    let PasswordLogin { email, password } = input;
    password.check()?;
    let admission = cx.state.hasher.acquire_slot().await?;
    let found = match &email {
        Some(email) => db::users::find_by_email(&cx.state.db, email).await?,
        None => None,
    };
    let candidate = Candidate {
        address: email.as_ref().map_or("", Email::as_str),
        found,
        password,
    };
    // Boxed for the same reason.
    Box::pin(check_credentials(cx, admission, candidate)).await
}

/// The same for somebody who is known already and has to show that it is them.
///
/// # Errors
/// Those of [`verify_password`].
pub async fn verify_password_of(
    cx: &Ctx<'_>,
    user: &User,
    password: Password,
) -> Result<VerifiedPassword, AuthError> {
    password.check()?;
    let admission = cx.state.hasher.acquire_slot().await?;
    let found = db::users::find_with_hash(&cx.state.db, user.id).await?;
    Box::pin(check_credentials(
        cx,
        admission,
        Candidate {
            address: &user.email.to_ascii_lowercase(),
            found,
            password,
        },
    ))
    .await
}

/// What was typed, and whose it may be.
struct Candidate<'a> {
    address: &'a str,
    found: Option<Credentials>,
    password: Password,
}

async fn check_credentials(
    cx: &Ctx<'_>,
    admission: QueueSlot,
    candidate: Candidate<'_>,
) -> Result<VerifiedPassword, AuthError> {
    let Candidate {
        address,
        found,
        password,
    } = candidate;
    let reserved = reserve_failure(cx, address, found.as_ref().map(|found| &found.user)).await?;
    let stored = found.as_ref().map(|found| found.hashed_password.clone());
    let verdict = match cx.state.hasher.verify(admission, password, stored).await {
        Ok(verdict) => verdict,
        Err(err) => {
            refund_failure(cx, &reserved).await?;
            return Err(err);
        }
    };
    if let (Verification::UnsupportedHash, Some(found)) = (&verdict, &found) {
        tracing::error!(event = "hash_unusable", user = %found.user.id, "the stored password hash cannot be checked; the account needs a new password");
    }
    let about = found.as_ref().map(|found| found.user.id);
    // A disabled account is not revealed even to somebody who knows its password (SR-021).
    let (Verification::Valid { upgrade }, Some(found)) =
        (verdict, found.filter(|found| found.user.is_active))
    else {
        cx.record(
            AuditEvent::LoginFailed,
            EventDetails::for_user_if_known(about).with_method(LoginMethod::Password.name()),
        )
        .await?;
        return Err(AuthError::BadCredentials);
    };
    rate_limits::refund(cx, &reserved.network).await?;
    db::rate_limits::clear(&cx.state.db, &reserved.account).await?;
    Ok(VerifiedPassword {
        user: found.user,
        hashed_password: found.hashed_password,
        upgrade,
    })
}

/// Makes sure, inside the transaction that starts the session, that what was proven still holds:
/// checking a password takes its time, and meanwhile the account may have been disabled, its
/// password may have become void (SR-037), or it may have got another address, which would be taken
/// for the one that `admin_emails` names (SR-035). Stores the stronger hash if one is due (SR-014).
///
/// # Errors
/// `BadCredentials` when it does not; `Busy` when another login has just stored a stronger hash;
/// `Unavailable`.
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

/// Counts the attempt before the password is looked at, so that parallel guesses cannot exceed the
/// budget (SR-022). Whoever has logged in to this account from here lately keeps a budget of their
/// own: strangers cannot lock them out (SR-024).
async fn reserve_failure(
    cx: &Ctx<'_>,
    address: &str,
    user: Option<&User>,
) -> Result<Reservation, AuthError> {
    let (now, network) = (cx.now(), &cx.client.rate_limit_key);
    let about = user.map(|user| user.id);
    // Of nobody too: where no password is looked at, the time would tell whether there is an
    // account (SR-020).
    let is_familiar =
        db::sessions::has_logged_in_from(&cx.state.db, about.unwrap_or_default(), network, now)
            .await?;
    let account = rate_limits::account_key(address, is_familiar.then_some(network.as_str()));
    let reserved = Reservation {
        network: rate_limits::client_key(network),
        account,
        at: now,
    };
    if let Err(err) = rate_limits::consume_failure(cx).await {
        record_throttled(cx, about, err).await;
        return Err(err);
    }
    if let Err(err) = rate_limits::reserve_account(cx, &reserved.account).await {
        // Nothing was guessed, so it costs the network nothing: a household must not run out of
        // attempts by waiting badly.
        rate_limits::refund(cx, &reserved.network).await?;
        record_throttled(cx, about, err).await;
        return Err(err);
    }
    Ok(reserved)
}

/// An attempt that was never decided is no failure.
async fn refund_failure(cx: &Ctx<'_>, reserved: &Reservation) -> Result<(), AuthError> {
    rate_limits::refund(cx, &reserved.network).await?;
    db::rate_limits::refund_account(&cx.state.db, &reserved.account, reserved.at).await
}

/// `admin_emails` makes an administrator of whoever has proven to own the address, checked at every
/// login (SR-035). It takes nothing away: rights that somebody granted stay.
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
    db::accounts::set_admin_grant(tx.db(), user.id, Some(ADMIN_EMAILS), now).await?;
    if !user.is_verified {
        db::accounts::set_approval(tx.db(), user.id, Some(ADMIN_EMAILS), now).await?;
    }
    tx.record(
        AuditEvent::RoleChanged,
        EventDetails::for_user(user.id)
            .with_method(ADMIN_EMAILS)
            .with_detail("administrator"),
    )
    .await?;
    Ok(administrator)
}

async fn record_throttled(cx: &Ctx<'_>, about: Option<Uuid>, err: AuthError) {
    if matches!(err, AuthError::TooManyAttempts { .. }) {
        let about = EventDetails::for_user_if_known(about)
            .with_method(LoginMethod::Password.name())
            .with_detail(err.code());
        events::record_rate_limited(cx, AuditEvent::LoginThrottled, about).await;
    }
}
