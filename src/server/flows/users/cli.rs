//! User management on the command line, for the operator who has access to the whole database
//! anyway. Recorded in the audit log like every other change.

use super::{
    NewUserAccount, Role, UserUpdate, insert_user,
    queries::with_accounts,
    update::{Actor, update_by},
};
use crate::{
    domain::{AuditEvent, AuthError, Email, GrantSource, Password, User, UserFilter},
    server::{
        crypto::password_policy::NewPassword,
        db::{self, accounts::Account},
        flows::{Ctx, events::EventDetails},
    },
};

/// Maximum number of users in a list.
const MAX_ROWS: u64 = 10_000;

/// A user to be created on the command line.
#[derive(Debug)]
pub struct NewCliUser {
    pub email: Email,
    pub password: Password,
    pub role: Role,
}

/// Creates a user. The address counts as verified, because the operator vouches for it (SR-072).
///
/// # Errors
/// What is wrong with the password; `EmailTaken`, `Overloaded`.
pub async fn create_user(cx: &Ctx<'_>, new: NewCliUser) -> Result<User, AuthError> {
    let NewCliUser {
        email,
        password,
        role,
    } = new;
    let password = NewPassword::parse(password, email.as_str(), &cx.state.config)?;
    let hashed_password = cx
        .state
        .hasher
        .hash(cx.acquire_hashing_slot().await?, password)
        .await?;
    // Serialized with the setup, which inserts the first administrator after checking that there is
    // no user.
    let mut tx = cx.exclusive().await?;
    let new = NewUserAccount {
        email,
        hashed_password,
        role,
        is_email_verified: true,
        is_passwordless: false,
        created_by: GrantSource::Shell.name().to_owned(),
    };
    let user = insert_user(&tx, new).await?;
    tx.record(
        AuditEvent::UserCreated,
        EventDetails::for_user(user.id)
            .with_method(GrantSource::Shell.name())
            .with_detail(role.name()),
    )
    .await?;
    tx.commit().await?;
    Ok(user)
}

/// Changes the user with this address; `None` if there is none.
///
/// # Errors
/// `LastAdministrator`.
pub async fn update_user(
    cx: &Ctx<'_>,
    email: &Email,
    change: UserUpdate,
) -> Result<Option<User>, AuthError> {
    let Some(found) = db::users::find_by_email(&cx.state.db, email).await? else {
        return Ok(None);
    };
    update_by(cx, Actor::Cli, found.user.id, change)
        .await
        .map(Some)
}

/// Revokes all sessions of the user with this address and returns their number; `None` if there is
/// no such user.
pub async fn revoke_sessions(cx: &Ctx<'_>, email: &Email) -> Result<Option<u64>, AuthError> {
    let Some(found) = db::users::find_by_email(&cx.state.db, email).await? else {
        return Ok(None);
    };
    let mut tx = cx.transaction().await?;
    let ended = db::sessions::revoke_all(tx.db(), found.user.id, tx.now()).await?;
    tx.record(
        AuditEvent::SessionsEnded,
        EventDetails::for_user(found.user.id)
            .with_method(GrantSource::Shell.name())
            .with_detail("all"),
    )
    .await?;
    tx.commit().await?;
    Ok(Some(ended))
}

/// The users whose address contains `search`.
pub async fn list_users(
    cx: &Ctx<'_>,
    which: UserFilter,
    search: &str,
) -> Result<Vec<(User, Option<Account>)>, AuthError> {
    let (users, _) = db::users::find_page(&cx.state.db, which, search, 0, MAX_ROWS).await?;
    with_accounts(cx, users).await
}
