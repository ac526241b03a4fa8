use super::{
    Ctx,
    events::EventDetails,
    links,
    login::{self, FirstFactor, Login},
    new_password, users,
};
use crate::{
    domain::{AuditEvent, AuthError, Email, GrantSource, LinkToken, LoginMethod, Password},
    server::{crypto::password_policy::NewPassword, db},
};

/// The input of the setup page.
#[derive(Debug)]
pub struct FirstAdmin {
    /// The token of the setup link.
    pub token: LinkToken,
    pub email: Email,
    pub password: Password,
}

/// The one-time link for creating the first administrator, valid while there is no user (SR-034).
/// It is the only secret that the program ever prints, and it is worthless once a user exists.
///
/// # Errors
/// `AlreadySetUp`, `UsersExistWithoutAdmin`, `Internal`.
pub async fn setup_link(cx: &Ctx<'_>) -> Result<String, AuthError> {
    ensure_open(&cx.state.db).await?;
    links::setup_link(cx.state)
}

/// Ensures that there is no user. A user without administrator rights ends the setup too.
async fn ensure_open(db: &impl db::Connection) -> Result<(), AuthError> {
    if db::users::is_empty(db).await? {
        return Ok(());
    }
    Err(if db::users::has_administrator(db).await? {
        AuthError::AlreadySetUp
    } else {
        AuthError::UsersExistWithoutAdmin
    })
}

/// Checks whether the setup page may show its form for this token.
///
/// # Errors
/// `AlreadySetUp`, `UsersExistWithoutAdmin`, `SetupLinkInvalid`.
pub async fn check_setup_link(cx: &Ctx<'_>, token: &str) -> Result<(), AuthError> {
    ensure_open(&cx.state.db).await?;
    cx.state
        .tokens
        .check_setup(token)
        .map_err(|_| AuthError::SetupLinkInvalid)
}

/// Creates the first administrator and logs in. One of several concurrent attempts wins, because
/// the check and the insert are in one serialized transaction (SR-004, SR-036).
///
/// # Errors
/// `AlreadySetUp` or `UsersExistWithoutAdmin` for all others; `SetupLinkInvalid`; what is wrong
/// with the password; `Overloaded`.
pub async fn create_first_admin(cx: &Ctx<'_>, first: FirstAdmin) -> Result<Login, AuthError> {
    let FirstAdmin {
        token,
        email,
        password,
    } = first;
    let slot = cx.acquire_hashing_slot().await?;
    check_setup_link(cx, token.expose()).await?;
    let password = NewPassword::parse(password, email.as_str(), &cx.state.config)?;
    let hashed_password = new_password::hash(cx, slot, password).await?;
    let mut tx = cx.exclusive().await?;
    ensure_open(tx.db()).await?;
    let new = users::NewUserAccount {
        email,
        hashed_password,
        role: users::Role::Administrator,
        is_email_verified: true,
        is_passwordless: false,
        created_by: GrantSource::Setup.name().to_owned(),
    };
    let user = users::insert_user(&tx, new).await?;
    tx.record(AuditEvent::SetupDone, EventDetails::for_user(user.id))
        .await?;
    let login = login::complete(&mut tx, FirstFactor::new(user, LoginMethod::Setup)).await?;
    tx.commit().await?;
    Ok(login)
}
