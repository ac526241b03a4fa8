use super::Tx;
use crate::{
    domain::{AuthError, Email, User},
    server::{
        AppState,
        db::{self, accounts::NewAccount, users::NewUser},
    },
};

pub mod cli;
mod delete;
mod invite;
mod permissions;
mod queries;
mod reset_link;
mod sessions;
mod update;

pub use delete::{delete_in_transaction, delete_user};
pub use invite::{Invited, invite};
pub use queries::{
    EventQuery, PAGE_SIZE, UserList, UserQuery, UserRecord, details, events, find, is_admin_email,
    list, list_all, list_pending,
};
pub use reset_link::create_reset_link;
pub use sessions::{revoke_session, revoke_sessions};
pub use update::{UserUpdate, update_user};

/// Whether a login of this user may have the rights of an administrator, if not at once then by
/// `admin_emails`.
pub fn may_administrate(state: &AppState, user: &User) -> bool {
    user.is_superuser || is_admin_email(state, user)
}

/// The role of a new user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Pending approval by an administrator.
    Pending,
    /// May use the application.
    Member,
    /// May also manage other users.
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

/// A user to be created.
pub struct NewUserAccount {
    pub email: Email,
    pub hashed_password: String,
    pub role: Role,
    pub is_email_verified: bool,
    pub is_passwordless: bool,
    /// The source of the role: the id of an administrator, `shell`, `setup` or `provider`.
    pub created_by: String,
}

/// Inserts the user and its account row.
///
/// # Errors
/// `EmailTaken`.
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
