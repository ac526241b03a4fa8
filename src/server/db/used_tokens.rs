//! Single-use tokens: the state of an OIDC login attempt, the `jti` of a logout token. The token's
//! id is inserted when it is used; of several concurrent uses, on any instance, exactly one inserts
//! the row (SR-004).

use sea_orm::{ActiveValue::Set, Condition, entity::prelude::*, sea_query::OnConflict};

use super::{delete_in_batches, hide_db_error};
use crate::domain::AuthError;

/// How long a row is kept after the token has expired, because setting the clock back would make
/// the token valid again (SR-195).
const RETENTION_SECONDS: i64 = 24 * 60 * 60;

/// A single-use token that was used.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "auth_used_token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// Unix seconds; from then on the token is rejected as expired anyway.
    pub expires_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Marks a token as used; false when it was used before. The id has at most 64 characters and must
/// not be a secret (a hash is fine). The row is kept until `expires_at` (Unix seconds) plus
/// [`RETENTION_SECONDS`].
pub async fn mark_used(
    db: &impl ConnectionTrait,
    id: String,
    expires_at: i64,
) -> Result<bool, AuthError> {
    let row = ActiveModel {
        id: Set(id),
        expires_at: Set(expires_at),
    };
    let once = OnConflict::column(Column::Id).do_nothing().to_owned();
    let written = Entity::insert(row)
        .on_conflict(once)
        .exec_without_returning(db)
        .await
        .map_err(hide_db_error)?;
    Ok(written > 0)
}

/// Marks a token as used until `expires_at`, which replaces an earlier time.
pub async fn mark_used_until(
    db: &impl ConnectionTrait,
    id: String,
    expires_at: i64,
) -> Result<(), AuthError> {
    let row = ActiveModel {
        id: Set(id),
        expires_at: Set(expires_at),
    };
    let latest = OnConflict::column(Column::Id)
        .update_column(Column::ExpiresAt)
        .to_owned();
    Entity::insert(row)
        .on_conflict(latest)
        .exec_without_returning(db)
        .await
        .map_err(hide_db_error)?;
    Ok(())
}

/// The latest expiry of these tokens, if one was used.
pub async fn last_expiry(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = String>,
) -> Result<Option<i64>, AuthError> {
    let rows = Entity::find().filter(Column::Id.is_in(ids)).all(db).await;
    let rows = rows.map_err(hide_db_error)?;
    Ok(rows.into_iter().map(|row| row.expires_at).max())
}

/// Deletes the rows of tokens that expired more than [`RETENTION_SECONDS`] ago. Returns how many.
pub async fn purge(db: &impl ConnectionTrait, now: i64) -> Result<u64, AuthError> {
    delete_in_batches::<Entity>(
        db,
        Column::Id,
        Condition::all().add(Column::ExpiresAt.lt(now - RETENTION_SECONDS)),
    )
    .await
}
