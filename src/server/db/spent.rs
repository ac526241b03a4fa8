//! What may be used once: the answer to a login attempt, a logout token. Its name is written down when it is used, and of many
//! uses at once, on any instance, one finds that it was the first (SR-004).

use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, sea_query::OnConflict};

use super::{entity::spent, forget, unavailable};
use crate::domain::AuthError;

/// How long a name is remembered beyond its time, in seconds: a clock that is set back makes what it names good again (SR-195).
const KEPT: i64 = 24 * 60 * 60;

/// Uses something up; false when it was used before. The name is a hash or another text of at most 64 characters that says
/// nothing secret. It is remembered until `expires_at`, Unix seconds, and a while longer.
///
/// # Errors
/// `Unavailable`.
pub async fn spend(db: &impl ConnectionTrait, id: String, expires_at: i64) -> Result<bool, AuthError> {
    let row = spent::ActiveModel { id: Set(id), expires_at: Set(expires_at) };
    let once = OnConflict::column(spent::Column::Id).do_nothing().to_owned();
    let written = spent::Entity::insert(row).on_conflict(once).exec_without_returning(db).await.map_err(unavailable)?;
    Ok(written > 0)
}

/// Forgets names that are too old to be used again. Returns how many.
///
/// # Errors
/// `Unavailable`.
pub async fn purge(db: &impl ConnectionTrait, now: i64) -> Result<u64, AuthError> {
    forget::<spent::Entity>(db, spent::Column::Id, Condition::all().add(spent::Column::ExpiresAt.lt(now - KEPT))).await
}
