//! What the operator does at the machine itself, who has the whole database anyway. Written down like everything else.

use super::{
    Change, New, Role,
    administration::{By, update_by},
    insert,
    view::with_accounts,
};
use crate::{
    domain::{AuthError, Email, Event, User},
    server::{
        AppState,
        db::{self, accounts::Account, users::UserFilter},
        flows::{
            events::{self, Note},
            new_password::NewPassword,
            sessions::{Origin, SHELL},
        },
    },
};

/// The most users that are listed.
const MOST: u64 = 10_000;

/// Makes a user. The address counts as proven, because the operator answers for it (SR-072).
///
/// # Errors
/// `EmailTaken`, `Busy`, `Unavailable`.
pub async fn create(state: &AppState, email: Email, password: NewPassword, role: Role) -> Result<User, AuthError> {
    let hashed_password = state.hasher.hash(state.hasher.admit().await?, password.into_password()).await?;
    let transaction = db::begin(&state.db).await?;
    // Not between a setup's look at the empty table and its first administrator.
    db::serialize(&transaction).await?;
    let new = New { email, hashed_password, role, email_is_proven: true, is_passwordless: false, by: SHELL.to_owned() };
    let user = insert(state, &transaction, new).await?;
    events::record(state, &transaction, Event::UserCreated, &Origin::shell(), Note::of(user.id).method(SHELL).detail(role.name())).await?;
    db::commit(transaction).await?;
    Ok(user)
}

/// Changes whoever has the address; `None` when nobody has it.
///
/// # Errors
/// `LastAdministrator`, `Unavailable`.
pub async fn change(state: &AppState, email: &Email, change: Change) -> Result<Option<User>, AuthError> {
    let Some(found) = db::users::find_by_email(&state.db, email).await? else { return Ok(None) };
    update_by(state, By::Shell, found.user.id, change, &Origin::shell()).await.map(Some)
}

/// Ends all sessions of whoever has the address, and says how many; `None` when nobody has it.
///
/// # Errors
/// `Unavailable`.
pub async fn end_sessions(state: &AppState, email: &Email) -> Result<Option<u64>, AuthError> {
    let Some(found) = db::users::find_by_email(&state.db, email).await? else { return Ok(None) };
    let transaction = db::begin(&state.db).await?;
    let ended = db::sessions::revoke_all(&transaction, found.user.id, state.clock.now()).await?;
    events::record(state, &transaction, Event::SessionsEnded, &Origin::shell(), Note::of(found.user.id).method(SHELL).detail("all")).await?;
    db::commit(transaction).await?;
    Ok(Some(ended))
}

/// The users whose address contains `search`.
///
/// # Errors
/// `Unavailable`.
pub async fn list(state: &AppState, which: UserFilter, search: &str) -> Result<Vec<(User, Option<Account>)>, AuthError> {
    let (users, _) = db::users::find_page(&state.db, which, search, 0, MOST).await?;
    with_accounts(state, users).await
}
