use uuid::Uuid;

use super::{
    Ctx, Tx,
    events::EventDetails,
    login::{self, FirstFactor, Login},
    mail::{self, MailKind},
    new_password, rate_limits,
    users::{self, Role},
};
use crate::{
    domain::{AuditEvent, AuthError, Email, LoginMethod, Password, User},
    server::{
        crypto::{password_policy::NewPassword, random},
        db::{self, rate_limits::RateLimit},
    },
};

/// Taken addresses that one client may discover where the answer has to reveal them (SR-033).
const DUPLICATE_EMAIL_LIMIT: RateLimit = RateLimit {
    max: 3,
    window: 60 * 60,
};

/// The input of a sign-up.
#[derive(Debug)]
pub struct SignupRequest {
    pub email: Email,
    pub password: Password,
}

/// The result of a sign-up. `user` looks the same whether or not the account is new.
pub enum SignupOutcome {
    /// A mail was queued for the owner of the address.
    MailSent { user: User },
    /// The account was created; there are no mail settings.
    Created { user: User },
}

/// Creates an account that is pending approval (SR-030 to SR-039). Does not log in.
///
/// With mail settings, a taken address gets the same answer after the same work, and its owner gets
/// a mail. Without mail settings this cannot be kept secret, so the error is neutral and rate
/// limited.
///
/// # Errors
/// `RegistrationClosed`; what is wrong with the password; `EmailUnavailable` without mail settings;
/// `TooManyAttempts`, `Overloaded`.
pub async fn sign_up(cx: &Ctx<'_>, request: SignupRequest) -> Result<SignupOutcome, AuthError> {
    let state = cx.state;
    if !state.config.policy.registration {
        return Err(AuthError::RegistrationClosed);
    }
    let SignupRequest { email, password } = request;
    // Take the hashing slot first: a rejected request must neither reach the database nor consume
    // the client's quota.
    let slot = cx.acquire_hashing_slot().await?;
    let quota_key = rate_limits::consume_request(cx, "signup").await?;
    let password = NewPassword::parse(password, email.as_str(), &state.config)?;
    let hashed_password =
        rate_limits::refund_on_error(cx, &quota_key, new_password::hash(cx, slot, password).await)
            .await?;
    // Consume the quota before looking the address up; otherwise hitting the limit would reveal
    // that the address exists.
    let duplicate_key = format!("signup-duplicate:{}", cx.client.rate_limit_key);
    if !mail::is_configured(state) {
        rate_limits::consume(cx, &duplicate_key, DUPLICATE_EMAIL_LIMIT).await?;
    }
    let mut tx = cx.exclusive().await?;
    let is_taken = db::users::is_taken(tx.db(), &email).await?;
    if is_taken && !mail::is_configured(state) {
        return Err(AuthError::EmailUnavailable);
    }
    let user = if is_taken {
        mail::queue(&tx, MailKind::AccountExists, email.as_str()).await?;
        imitate_insert(&tx, &email).await?;
        User {
            id: random::uuid(),
            email: email.as_str().to_owned(),
            is_active: true,
            is_superuser: false,
            is_verified: false,
        }
    } else {
        if mail::is_configured(state) {
            mail::queue(&tx, MailKind::EmailVerification, email.as_str()).await?;
        }
        let new = users::NewUserAccount {
            email,
            hashed_password,
            role: Role::Pending,
            is_email_verified: false,
            is_passwordless: false,
            created_by: String::new(),
        };
        users::insert_user(&tx, new).await?
    };
    let event = if is_taken {
        AuditEvent::SignupDuplicateEmail
    } else {
        AuditEvent::SignedUp
    };
    // The user of a duplicate sign-up does not exist, so its id is not recorded.
    tx.record(
        event,
        EventDetails::for_user_if_known((!is_taken).then_some(user.id)),
    )
    .await?;
    tx.commit().await?;
    if mail::is_configured(state) {
        return Ok(SignupOutcome::MailSent { user });
    }
    // The account exists already, so a failed refund is ignored.
    let _ = rate_limits::refund(cx, &duplicate_key).await;
    Ok(SignupOutcome::Created { user })
}

/// As many statements as [`users::insert_user`], which look the address up and change no row, so
/// that a taken address takes as long (SR-033).
async fn imitate_insert(tx: &Tx<'_>, email: &Email) -> Result<(), AuthError> {
    db::users::is_taken(tx.db(), email).await?;
    for _ in 0..2 {
        db::sessions::revoke(tx.db(), Uuid::nil(), tx.now()).await?;
    }
    Ok(())
}

/// Logs in a new user whose sign-up needs no mail.
///
/// # Errors
/// `Internal` if signing the session token fails.
pub async fn log_in_new_user(cx: &Ctx<'_>, user: User) -> Result<Login, AuthError> {
    let mut tx = cx.transaction().await?;
    let login = login::complete(&mut tx, FirstFactor::new(user, LoginMethod::Password)).await?;
    tx.commit().await?;
    Ok(login)
}
