use super::{
    Ctx,
    events::EventDetails,
    login::{self, FirstFactor, Login},
    mail::{self, MailKind},
    rate_limits,
    users::{self, Role},
};
use crate::{
    domain::{AuditEvent, AuthError, Email, LoginMethod, Password, User},
    server::{
        crypto::{password_policy::NewPassword, random},
        db::{self, rate_limits::RateLimit},
    },
};

/// Addresses that one network may find taken, where that has to be said (SR-033).
const DUPLICATE_EMAIL_LIMIT: RateLimit = RateLimit {
    max: 3,
    window: 60 * 60,
};

/// Somebody who wants an account.
#[derive(Debug)]
pub struct SignupRequest {
    pub email: Email,
    pub password: Password,
}

/// What came of it. `user` looks the same whether or not the account is new.
pub enum SignupOutcome {
    /// There is a mail on its way, to whoever has the address.
    MailSent { user: User },
    /// There are no mail settings: the account is made.
    Created { user: User },
}

/// Makes an account that waits for approval (SR-030 to SR-039). Logs nobody in.
///
/// With mail settings, an address that has an account gets the same answer after the same work, and
/// its owner a mail; without them nothing can be kept secret, so the refusal is neutral and rare.
///
/// # Errors
/// `RegistrationClosed`; what is wrong with the password; `AddressRefused` without mail settings;
/// `TooManyAttempts`, `Busy`, `Unavailable`.
pub async fn sign_up(cx: &Ctx<'_>, request: SignupRequest) -> Result<SignupOutcome, AuthError> {
    let state = cx.state;
    if !state.config.policy.registration {
        return Err(AuthError::RegistrationClosed);
    }
    let SignupRequest { email, password } = request;
    // First, or a flood would queue at the database, and who is told to come back would have used
    // up what they may ask for.
    let admission = state.hasher.acquire_slot().await?;
    let taken = rate_limits::consume_request(cx, "signup").await?;
    let password = NewPassword::parse(password, email.as_str(), &state.config)?;
    let hashed_password = rate_limits::refund_on_error(
        cx,
        &taken,
        state.hasher.hash(admission, password.into_password()).await,
    )
    .await?;
    // Taken before it is known whether the address is free, or running out of refusals would tell
    // as much as a refusal.
    let refusals = format!("signup-duplicate:{}", cx.client.rate_limit_key);
    if !mail::is_configured(state) {
        rate_limits::consume(cx, &refusals, DUPLICATE_EMAIL_LIMIT).await?;
    }
    let mut tx = cx.exclusive().await?;
    let is_taken = db::users::is_taken(tx.db(), &email).await?;
    if is_taken && !mail::is_configured(state) {
        return Err(AuthError::EmailUnavailable);
    }
    let user = if is_taken {
        mail::queue(&tx, MailKind::AccountExists, email.as_str()).await?;
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
    // Nobody has the id of somebody who only seems to have been made.
    tx.record(
        event,
        EventDetails::for_user_if_known((!is_taken).then_some(user.id)),
    )
    .await?;
    tx.commit().await?;
    if mail::is_configured(state) {
        return Ok(SignupOutcome::MailSent { user });
    }
    // The account is made, whatever becomes of this.
    let _ = rate_limits::refund(cx, &refusals).await;
    Ok(SignupOutcome::Created { user })
}

/// Logs in somebody who has just made their account and needs no mail for it.
///
/// # Errors
/// `Unavailable`, `Internal`.
pub async fn log_in_new_user(cx: &Ctx<'_>, user: User) -> Result<Login, AuthError> {
    let mut tx = cx.transaction().await?;
    let login = login::complete(&mut tx, FirstFactor::new(user, LoginMethod::Password)).await?;
    tx.commit().await?;
    Ok(login)
}
