use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use uuid::Uuid;

use super::{entity::account, unavailable};
use crate::domain::AuthError;

pub use account::Model as Account;

/// The row that accompanies a new user.
pub struct NewAccount<'a> {
    pub user: Uuid,
    pub email_is_proven: bool,
    pub is_passwordless: bool,
    /// Who let the person in, if anybody has.
    pub approved_by: Option<&'a str>,
    /// Who made them an administrator, if anybody has.
    pub admin_by: Option<&'a str>,
}

/// Writes it.
///
/// # Errors
/// `Unavailable`.
pub async fn insert(db: &impl ConnectionTrait, account: NewAccount<'_>, now: i64) -> Result<(), AuthError> {
    let row = account::ActiveModel {
        email_proven_at: Set(account.email_is_proven.then_some(now)),
        is_passwordless: Set(account.is_passwordless),
        approved_at: Set(account.approved_by.map(|_| now)),
        approved_by: Set(account.approved_by.map(ToOwned::to_owned)),
        admin_at: Set(account.admin_by.map(|_| now)),
        admin_by: Set(account.admin_by.map(ToOwned::to_owned)),
        ..new(account.user, now)
    };
    account::Entity::insert(row).exec_without_returning(db).await.map_err(unavailable)?;
    Ok(())
}

/// Notes a login, and with a password that somebody knows it.
///
/// # Errors
/// `Unavailable`.
pub async fn note_login(db: &impl ConnectionTrait, user: Uuid, has_password: bool, now: i64) -> Result<(), AuthError> {
    let row = account::ActiveModel { last_login_at: Set(Some(now)), ..new(user, now) };
    if has_password {
        note(db, row, [account::Column::LastLoginAt, account::Column::IsPasswordless]).await
    } else {
        note(db, row, [account::Column::LastLoginAt]).await
    }
}

/// Notes that nobody is known to know the password.
///
/// # Errors
/// `Unavailable`.
pub async fn note_no_password(db: &impl ConnectionTrait, user: Uuid, now: i64) -> Result<(), AuthError> {
    note(db, account::ActiveModel { is_passwordless: Set(true), ..new(user, now) }, [account::Column::IsPasswordless]).await
}

/// Notes who let the person in; nobody any more for `None`.
///
/// # Errors
/// `Unavailable`.
pub async fn note_approval(db: &impl ConnectionTrait, user: Uuid, by: Option<&str>, now: i64) -> Result<(), AuthError> {
    let row = account::ActiveModel { approved_at: Set(by.map(|_| now)), approved_by: Set(by.map(ToOwned::to_owned)), ..new(user, now) };
    note(db, row, [account::Column::ApprovedAt, account::Column::ApprovedBy]).await
}

/// Notes who made the person an administrator; nobody any more for `None`.
///
/// # Errors
/// `Unavailable`.
pub async fn note_administrator(db: &impl ConnectionTrait, user: Uuid, by: Option<&str>, now: i64) -> Result<(), AuthError> {
    let row = account::ActiveModel { admin_at: Set(by.map(|_| now)), admin_by: Set(by.map(ToOwned::to_owned)), ..new(user, now) };
    note(db, row, [account::Column::AdminAt, account::Column::AdminBy]).await
}

/// Whether it was proven that the address belongs to the person (SR-035).
///
/// # Errors
/// `Unavailable`.
pub async fn email_is_proven(db: &impl ConnectionTrait, user: Uuid) -> Result<bool, AuthError> {
    Ok(find(db, user).await?.is_some_and(|account| account.email_proven_at.is_some()))
}

/// Whether nobody knows the password: the person came through the provider, or was invited and has not chosen one yet.
///
/// # Errors
/// `Unavailable`.
pub async fn is_passwordless(db: &impl ConnectionTrait, user: Uuid) -> Result<bool, AuthError> {
    Ok(find(db, user).await?.is_some_and(|account| account.is_passwordless))
}

/// Notes that the address was proven by somebody other than whoever set the password: from now on nobody knows one.
///
/// # Errors
/// `Unavailable`.
pub async fn prove_email_without_password(db: &impl ConnectionTrait, user: Uuid, now: i64) -> Result<(), AuthError> {
    let row = account::ActiveModel { email_proven_at: Set(Some(now)), is_passwordless: Set(true), ..new(user, now) };
    note(db, row, [account::Column::EmailProvenAt, account::Column::IsPasswordless]).await
}

/// Notes that somebody knows the password again.
///
/// # Errors
/// `Unavailable`.
pub async fn note_password(db: &impl ConnectionTrait, user: Uuid, now: i64) -> Result<(), AuthError> {
    note(db, new(user, now), [account::Column::IsPasswordless]).await
}

/// Notes that the user's present address is proven.
///
/// # Errors
/// `Unavailable`.
pub async fn prove_email(db: &impl ConnectionTrait, user: Uuid, now: i64) -> Result<(), AuthError> {
    let row = account::ActiveModel { email_proven_at: Set(Some(now)), ..new(user, now) };
    note(db, row, [account::Column::EmailProvenAt]).await
}

/// Notes that the user's present address is somebody's word only.
///
/// # Errors
/// `Unavailable`.
pub async fn unprove_email(db: &impl ConnectionTrait, user: Uuid, now: i64) -> Result<(), AuthError> {
    note(db, new(user, now), [account::Column::EmailProvenAt]).await
}

/// Makes all links of an account void, whatever becomes of the account later (SR-046).
///
/// # Errors
/// `Unavailable`.
pub async fn void_links(db: &impl ConnectionTrait, user: Uuid, now: i64) -> Result<(), AuthError> {
    let row = account::ActiveModel { links_voided: Set(1), ..new(user, now) };
    let again = OnConflict::column(account::Column::UserId)
        .value(account::Column::LinksVoided, Expr::col((account::Entity, account::Column::LinksVoided)).add(1))
        .to_owned();
    account::Entity::insert(row).on_conflict(again).exec_without_returning(db).await.map_err(unavailable)?;
    Ok(())
}

/// What is known of a user beyond MediaManager's columns; `None` for one that MediaManager made and who has not been here yet.
///
/// # Errors
/// `Unavailable`.
pub async fn find(db: &impl ConnectionTrait, user: Uuid) -> Result<Option<Account>, AuthError> {
    account::Entity::find_by_id(user).one(db).await.map_err(unavailable)
}

/// The same of several users, in no order.
///
/// # Errors
/// `Unavailable`.
pub async fn of(db: &impl ConnectionTrait, users: Vec<Uuid>) -> Result<Vec<Account>, AuthError> {
    account::Entity::find().filter(account::Column::UserId.is_in(users)).all(db).await.map_err(unavailable)
}

/// Writes the row, or of one that is there already only these columns.
async fn note<const N: usize>(db: &impl ConnectionTrait, row: account::ActiveModel, columns: [account::Column; N]) -> Result<(), AuthError> {
    let again = OnConflict::column(account::Column::UserId).update_columns(columns).to_owned();
    account::Entity::insert(row).on_conflict(again).exec_without_returning(db).await.map_err(unavailable)?;
    Ok(())
}

/// A row of which nothing is known yet. A user that MediaManager made gets one with today as the first day we know of.
fn new(user: Uuid, now: i64) -> account::ActiveModel {
    account::ActiveModel {
        user_id: Set(user),
        created_at: Set(now),
        email_proven_at: Set(None),
        last_login_at: Set(None),
        is_passwordless: Set(false),
        approved_at: Set(None),
        approved_by: Set(None),
        admin_at: Set(None),
        admin_by: Set(None),
        links_voided: Set(0),
    }
}
