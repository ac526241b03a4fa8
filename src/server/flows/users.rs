use crate::{
    domain::{AuthError, Email, User},
    server::{
        AppState,
        db::{self, Transaction, users::NewUser},
        flows::new_password::NewPassword,
    },
};

/// What a new user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Waits for an administrator's approval.
    Waiting,
    /// May use the application.
    Member,
    /// May also manage the others.
    Administrator,
}

/// A user about to be made.
#[derive(Debug)]
pub struct New {
    pub email: Email,
    pub hashed_password: String,
    pub role: Role,
    pub email_is_proven: bool,
    pub is_passwordless: bool,
}

/// Makes a user from the shell, whose owner has the whole database anyway. The address counts as proven, because the operator
/// answers for it (SR-072).
///
/// # Errors
/// `EmailTaken`, `Busy`, `Unavailable`.
pub async fn create(state: &AppState, email: Email, password: NewPassword, role: Role) -> Result<User, AuthError> {
    let hashed_password = state.hasher.hash(password.into_password()).await?;
    let transaction = db::begin(&state.db).await?;
    let user = insert(state, &transaction, New { email, hashed_password, role, email_is_proven: true, is_passwordless: false }).await?;
    db::commit(transaction).await?;
    tracing::info!(event = "user_created", user = %user.id, role = ?role, "a user was made from the shell");
    Ok(user)
}

/// Lets somebody use the application, from the shell. `None` when nobody has the address.
///
/// # Errors
/// `Unavailable`.
pub async fn approve(state: &AppState, email: &Email) -> Result<Option<User>, AuthError> {
    let Some(found) = db::users::find_by_email(&state.db, email).await? else { return Ok(None) };
    db::users::approve(&state.db, found.user.id).await?;
    tracing::info!(event = "user_approved", user = %found.user.id, "a user was approved from the shell");
    Ok(Some(found.user))
}

/// Writes the user and what belongs to it.
///
/// # Errors
/// `EmailTaken`, `Unavailable`.
pub async fn insert(state: &AppState, transaction: &Transaction, new: New) -> Result<User, AuthError> {
    let row = NewUser {
        email: &new.email,
        hashed_password: new.hashed_password,
        is_superuser: new.role == Role::Administrator,
        is_verified: new.role != Role::Waiting,
    };
    let user = db::users::insert(transaction, row).await?;
    db::accounts::insert(transaction, user.id, state.clock.now(), new.email_is_proven, new.is_passwordless).await?;
    Ok(user)
}
