use crate::{
    domain::{AuthError, Email, User},
    server::{
        AppState,
        db::{self, throttle::Budget},
        flows::{
            mail::{self, Kind},
            new_password::NewPassword,
            sessions::{self, Origin, Started, Way},
            users::{self, Role},
        },
        random,
    },
};

/// Accounts that one network may ask for.
const REQUESTS: Budget = Budget { most: 10, window: 60 * 60 };
/// Addresses that one network may find taken, where that has to be said (SR-033).
const REFUSALS: Budget = Budget { most: 3, window: 60 * 60 };

/// Somebody who wants an account.
#[derive(Debug)]
pub struct Request {
    pub email: Email,
    pub password: String,
    pub origin: Origin,
}

/// What came of it.
pub enum SignedUp {
    /// There is a mail on its way, to whoever has the address. Whether the account is new is not said; `user` looks the same either way.
    MailSent { user: User },
    /// There are no mail settings: the account is made, and the person logged in to wait for approval.
    LoggedIn(Started),
}

/// Makes an account that waits for approval (SR-030 to SR-039).
///
/// With mail settings, an address that has an account gets the same answer after the same work, and its owner a mail; without them
/// nothing can be kept secret, so the refusal is neutral and rare.
///
/// # Errors
/// `RegistrationClosed`; what is wrong with the password; `AddressRefused` without mail settings; `TooManyAttempts`, `Busy`, `Unavailable`.
pub async fn sign_up(state: &AppState, request: Request) -> Result<SignedUp, AuthError> {
    if !state.config.policy.registration {
        return Err(AuthError::RegistrationClosed);
    }
    let Request { email, password, origin } = request;
    let (now, network) = (state.clock.now(), origin.network.clone());
    db::throttle::take(&state.db, &format!("signup:{network}"), REQUESTS, now).await?;
    let password = NewPassword::parse(password, &email, &state.config)?;
    let hashed_password = state.hasher.hash(password.into_password()).await?;

    let transaction = db::begin(&state.db).await?;
    db::alone(&transaction).await?;
    let is_taken = db::users::is_taken(&transaction, &email).await?;
    if is_taken && !mail::is_on(state) {
        drop(transaction);
        db::throttle::take(&state.db, &format!("signup-refused:{network}"), REFUSALS, now).await?;
        return Err(AuthError::AddressRefused);
    }
    let user = if is_taken {
        mail::queue(state, &transaction, Kind::AccountExists, email.as_str(), &origin).await?;
        User { id: random::uuid(), email: email.as_str().to_owned(), is_active: true, is_superuser: false, is_verified: false }
    } else {
        let new = users::New { email: email.clone(), hashed_password, role: Role::Waiting, email_is_proven: false, is_passwordless: false };
        users::insert(state, &transaction, new).await?
    };
    if is_taken || mail::is_on(state) {
        if !is_taken {
            mail::queue(state, &transaction, Kind::Proof, email.as_str(), &origin).await?;
        }
        db::commit(transaction).await?;
        log(state, &network, (!is_taken).then_some(&user));
        return Ok(SignedUp::MailSent { user });
    }
    let started = sessions::start(state, &transaction, user, Way::Password, origin).await?;
    db::commit(transaction).await?;
    log(state, &network, Some(&started.user));
    Ok(SignedUp::LoggedIn(started))
}

fn log(state: &AppState, network: &str, user: Option<&User>) {
    match user {
        Some(user) => tracing::info!(event = "signed_up", user = %user.id, network = state.loggable(network), "an account was made and waits for approval"),
        None => tracing::info!(event = "signup_taken", network = state.loggable(network), "an account was asked for with an address that has one"),
    }
}
