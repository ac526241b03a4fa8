use crate::{
    domain::{AuthError, Email, Event},
    server::{
        AppState, db,
        flows::{
            events::{self, Note},
            new_password::NewPassword,
            sessions::{self, Origin, Started},
            users,
        },
    },
};

/// Who made the first administrator.
const SETUP: &str = "setup";

/// The first administrator, as typed into the setup page.
#[derive(Debug)]
pub struct FirstAdministrator {
    pub email: Email,
    pub password: NewPassword,
    pub origin: Origin,
}

/// The one-time link for setting up the first administrator, while there is no user (SR-034). The only secret the program ever
/// prints; it is worth nothing once somebody exists.
///
/// # Errors
/// `SetupDone`, `SetupOvertaken`, `Unavailable`, `Internal`.
pub async fn link(state: &AppState) -> Result<String, AuthError> {
    is_open(&state.db).await?;
    let token = state.tokens.setup(state.config.policy.setup_link_lifetime).map_err(|_| AuthError::Internal)?;
    Ok(state.config.link(&format!("/setup?token={token}")))
}

/// Makes sure that nobody has an account; who has one, and cannot manage the others, ends setup too.
async fn is_open(db: &impl db::Connection) -> Result<(), AuthError> {
    if db::users::is_empty(db).await? {
        return Ok(());
    }
    Err(if db::users::has_administrator(db).await? { AuthError::SetupDone } else { AuthError::SetupOvertaken })
}

/// Whether the setup page may offer its form to the bearer of this token.
///
/// # Errors
/// `SetupDone`, `SetupOvertaken`, `SetupLinkInvalid`, `Unavailable`.
pub async fn check(state: &AppState, token: &str) -> Result<(), AuthError> {
    is_open(&state.db).await?;
    state.tokens.check_setup(token).map_err(|_| AuthError::SetupLinkInvalid)
}

/// Makes the first administrator and logs them in. Of twenty at once one wins: the check and the act are in one transaction
/// that runs alone (SR-004, SR-036).
///
/// # Errors
/// `SetupDone` or `SetupOvertaken` for everybody but the first; `Busy`, `Unavailable`.
pub async fn create_first_administrator(state: &AppState, token: &str, first: FirstAdministrator) -> Result<Started, AuthError> {
    let admission = state.hasher.admit().await?;
    check(state, token).await?;
    let FirstAdministrator { email, password, origin } = first;
    let hashed_password = state.hasher.hash(admission, password.into_password()).await?;
    let transaction = db::begin(&state.db).await?;
    db::serialize(&transaction).await?;
    is_open(&transaction).await?;
    let new = users::New { email, hashed_password, role: users::Role::Administrator, email_is_proven: true, is_passwordless: false, by: SETUP.to_owned() };
    let user = users::insert(state, &transaction, new).await?;
    events::record(state, &transaction, Event::SetupDone, &origin, Note::of(user.id)).await?;
    let started = sessions::start(state, &transaction, user, sessions::Way::Setup, origin).await?;
    db::commit(transaction).await?;
    Ok(started)
}
