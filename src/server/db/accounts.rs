use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, sea_query::OnConflict};
use uuid::Uuid;

use super::{entity::account, unavailable};
use crate::domain::AuthError;

pub use account::Model as Account;

/// Writes the row that accompanies a new user.
///
/// # Errors
/// `Unavailable`.
pub async fn insert(db: &impl ConnectionTrait, user: Uuid, now: i64, email_is_proven: bool, is_passwordless: bool) -> Result<(), AuthError> {
    let row = account::ActiveModel { email_proven_at: Set(email_is_proven.then_some(now)), is_passwordless: Set(is_passwordless), ..new(user, now) };
    account::Entity::insert(row).exec_without_returning(db).await.map_err(unavailable)?;
    Ok(())
}

/// Notes a login.
///
/// # Errors
/// `Unavailable`.
pub async fn note_login(db: &impl ConnectionTrait, user: Uuid, now: i64) -> Result<(), AuthError> {
    let row = account::ActiveModel { last_login_at: Set(Some(now)), ..new(user, now) };
    let again = OnConflict::column(account::Column::UserId).update_column(account::Column::LastLoginAt).to_owned();
    account::Entity::insert(row).on_conflict(again).exec_without_returning(db).await.map_err(unavailable)?;
    Ok(())
}

/// Whether it was proven that the address belongs to the person (SR-035).
///
/// # Errors
/// `Unavailable`.
pub async fn email_is_proven(db: &impl ConnectionTrait, user: Uuid) -> Result<bool, AuthError> {
    Ok(find(db, user).await?.is_some_and(|account| account.email_proven_at.is_some()))
}

/// Notes that the address was proven by somebody other than whoever set the password: from now on nobody knows one.
///
/// # Errors
/// `Unavailable`.
pub async fn prove_email_without_password(db: &impl ConnectionTrait, user: Uuid, now: i64) -> Result<(), AuthError> {
    let row = account::ActiveModel { email_proven_at: Set(Some(now)), is_passwordless: Set(true), ..new(user, now) };
    let again = OnConflict::column(account::Column::UserId).update_columns([account::Column::EmailProvenAt, account::Column::IsPasswordless]).to_owned();
    account::Entity::insert(row).on_conflict(again).exec_without_returning(db).await.map_err(unavailable)?;
    Ok(())
}

/// Notes that somebody knows the password again.
///
/// # Errors
/// `Unavailable`.
pub async fn note_password(db: &impl ConnectionTrait, user: Uuid, now: i64) -> Result<(), AuthError> {
    let again = OnConflict::column(account::Column::UserId).update_column(account::Column::IsPasswordless).to_owned();
    account::Entity::insert(new(user, now)).on_conflict(again).exec_without_returning(db).await.map_err(unavailable)?;
    Ok(())
}

/// Notes that the user's present address is proven.
///
/// # Errors
/// `Unavailable`.
pub async fn prove_email(db: &impl ConnectionTrait, user: Uuid, now: i64) -> Result<(), AuthError> {
    let row = account::ActiveModel { email_proven_at: Set(Some(now)), ..new(user, now) };
    let again = OnConflict::column(account::Column::UserId).update_column(account::Column::EmailProvenAt).to_owned();
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

/// A row of which nothing is known yet. A user that MediaManager made gets one with today as the first day we know of.
fn new(user: Uuid, now: i64) -> account::ActiveModel {
    account::ActiveModel { user_id: Set(user), created_at: Set(now), email_proven_at: Set(None), last_login_at: Set(None), is_passwordless: Set(false) }
}
