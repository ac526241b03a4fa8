use super::Tx;
use crate::{
    domain::{AuthError, Email, User},
    server::db::{self, accounts::NewAccount, users::NewUser},
};

mod administration;
pub mod cli;
mod queries;

pub use administration::{
    Invited, UserUpdate, create_reset_link, delete_in_transaction, delete_user, invite,
    revoke_session, revoke_sessions, update_user,
};
pub use queries::{
    EventQuery, PAGE_SIZE, UserList, UserQuery, UserRecord, details, events, find, is_admin_email,
    list, list_all, list_pending,
};

/// What a new user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Waits for an administrator's approval.
    Pending,
    /// May use the application.
    Member,
    /// May also manage the others.
    Administrator,
}

impl Role {
    /// The word in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "waiting",
            Self::Member => "member",
            Self::Administrator => "administrator",
        }
    }
}

/// A user about to be made.
pub struct NewUserAccount {
    pub email: Email,
    pub hashed_password: String,
    pub role: Role,
    pub is_email_verified: bool,
    pub is_passwordless: bool,
    /// Who answers for the role: the id of an administrator, `shell`, `setup` or `provider`.
    pub created_by: String,
}

/// Writes the user and what belongs to it.
///
/// # Errors
/// `EmailTaken`, `Unavailable`.
pub async fn insert_user(tx: &Tx<'_>, new: NewUserAccount) -> Result<User, AuthError> {
    let row = NewUser {
        email: &new.email,
        hashed_password: new.hashed_password,
        is_superuser: new.role == Role::Administrator,
        is_verified: new.role != Role::Pending,
    };
    let user = db::users::insert(tx.db(), row).await?;
    let account = NewAccount {
        user: user.id,
        is_email_verified: new.is_email_verified,
        is_passwordless: new.is_passwordless,
        approved_by: (new.role != Role::Pending).then_some(&new.created_by),
        admin_granted_by: (new.role == Role::Administrator).then_some(&new.created_by),
    };
    db::accounts::insert(tx.db(), account, tx.now()).await?;
    Ok(user)
}
