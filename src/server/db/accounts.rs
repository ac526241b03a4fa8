use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::OnConflict};
use uuid::Uuid;

use super::{entity::account, unavailable};
use crate::domain::AuthError;

/// Writes the row that accompanies a new user.
///
/// # Errors
/// `Unavailable`.
pub async fn insert(db: &impl ConnectionTrait, user: Uuid, now: i64, email_is_proven: bool) -> Result<(), AuthError> {
    let row = account::ActiveModel { user_id: Set(user), created_at: Set(now), email_proven_at: Set(email_is_proven.then_some(now)), last_login_at: Set(None) };
    account::Entity::insert(row).exec_without_returning(db).await.map_err(unavailable)?;
    Ok(())
}

/// Notes a login. A user that MediaManager made gets its row here, with today as the first day we know of.
///
/// # Errors
/// `Unavailable`.
pub async fn note_login(db: &impl ConnectionTrait, user: Uuid, now: i64) -> Result<(), AuthError> {
    let row = account::ActiveModel { user_id: Set(user), created_at: Set(now), email_proven_at: Set(None), last_login_at: Set(Some(now)) };
    let again = OnConflict::column(account::Column::UserId).update_column(account::Column::LastLoginAt).to_owned();
    account::Entity::insert(row).on_conflict(again).exec_without_returning(db).await.map_err(unavailable)?;
    Ok(())
}

/// Whether it was proven that the address belongs to the person (SR-035).
///
/// # Errors
/// `Unavailable`.
pub async fn email_is_proven(db: &impl ConnectionTrait, user: Uuid) -> Result<bool, AuthError> {
    let proven = account::Entity::find().filter(account::Column::UserId.eq(user)).filter(account::Column::EmailProvenAt.is_not_null());
    Ok(proven.one(db).await.map_err(unavailable)?.is_some())
}
