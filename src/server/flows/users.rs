use crate::{
    domain::{AuthError, Email, Event, User},
    server::{
        AppState,
        db::{self, Transaction, accounts::NewAccount, users::NewUser},
        flows::{
            events::{self, Note},
            new_password::NewPassword,
            sessions::{Origin, SHELL},
        },
    },
};

mod administration;
mod view;

pub use administration::{Change, Invited, create_invited, delete, end_session, end_sessions, hand_over_link, remove, update};
pub use view::{Details, EventQuery, Listed, PAGE_SIZE, Query, details, events, everybody, find, is_listed, list, waiting};

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

impl Role {
    /// The word in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Member => "member",
            Self::Administrator => "administrator",
        }
    }
}

/// A user about to be made.
#[derive(Debug)]
pub struct New {
    pub email: Email,
    pub hashed_password: String,
    pub role: Role,
    pub email_is_proven: bool,
    pub is_passwordless: bool,
    /// Who answers for the role: the id of an administrator, `shell`, `setup` or `provider`.
    pub by: String,
}

/// Makes a user from the shell, whose owner has the whole database anyway. The address counts as proven, because the operator
/// answers for it (SR-072).
///
/// # Errors
/// `EmailTaken`, `Busy`, `Unavailable`.
pub async fn create(state: &AppState, email: Email, password: NewPassword, role: Role) -> Result<User, AuthError> {
    let hashed_password = state.hasher.hash(password.into_password()).await?;
    let transaction = db::begin(&state.db).await?;
    let new = New { email, hashed_password, role, email_is_proven: true, is_passwordless: false, by: SHELL.to_owned() };
    let user = insert(state, &transaction, new).await?;
    events::record(state, &transaction, Event::UserCreated, &Origin::shell(), Note::of(user.id).method(SHELL).detail(role.name())).await?;
    db::commit(transaction).await?;
    Ok(user)
}

/// Lets somebody use the application, from the shell. `None` when nobody has the address.
///
/// # Errors
/// `Unavailable`.
pub async fn approve(state: &AppState, email: &Email) -> Result<Option<User>, AuthError> {
    let Some(found) = db::users::find_by_email(&state.db, email).await? else { return Ok(None) };
    let user = User { is_verified: true, ..found.user };
    let transaction = db::begin(&state.db).await?;
    db::users::set_rights(&transaction, &user).await?;
    db::accounts::note_approval(&transaction, user.id, Some(SHELL), state.clock.now()).await?;
    events::record(state, &transaction, Event::UserApproved, &Origin::shell(), Note::of(user.id).method(SHELL)).await?;
    db::commit(transaction).await?;
    Ok(Some(user))
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
    let account = NewAccount {
        user: user.id,
        email_is_proven: new.email_is_proven,
        is_passwordless: new.is_passwordless,
        approved_by: (new.role != Role::Waiting).then_some(&new.by),
        admin_by: (new.role == Role::Administrator).then_some(&new.by),
    };
    db::accounts::insert(transaction, account, state.clock.now()).await?;
    Ok(user)
}
