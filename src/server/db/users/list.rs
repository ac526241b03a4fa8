//! Lists and counts of users.

use sea_orm::{
    QueryOrder, QuerySelect,
    entity::prelude::*,
    sea_query::{ExprTrait, Func, LikeExpr},
};

use super::{Column, Credentials, Entity};
use crate::{
    domain::{AuthError, User, UserFilter},
    server::db::hide_db_error,
};

/// The number of administrators that [`list_admins`] returns.
const MAX_ADMINS: u64 = 20;
/// The number of administrators that [`list_superusers`] returns: each costs a hash.
const MAX_SUPERUSERS: u64 = 50;

/// Returns the users with these ids, in no particular order.
pub async fn list_by_ids(
    db: &impl ConnectionTrait,
    ids: Vec<Uuid>,
) -> Result<Vec<User>, AuthError> {
    let rows = Entity::find()
        .filter(Column::Id.is_in(ids))
        .all(db)
        .await
        .map_err(hide_db_error)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Returns the active superusers, at most [`MAX_ADMINS`], to send them notices.
pub async fn list_admins(db: &impl ConnectionTrait) -> Result<Vec<User>, AuthError> {
    let rows = active_superusers().limit(MAX_ADMINS);
    Ok(rows
        .all(db)
        .await
        .map_err(hide_db_error)?
        .into_iter()
        .map(Into::into)
        .collect())
}

/// Returns one page of the users whose address contains `search`, in the order of the address, and
/// the number of all matching users (SR-146).
pub async fn find_page(
    db: &impl ConnectionTrait,
    filter: UserFilter,
    search: &str,
    offset: u64,
    limit: u64,
) -> Result<(Vec<User>, u64), AuthError> {
    let mut rows = filtered(filter);
    if !search.is_empty() {
        let text: String = search
            .chars()
            .flat_map(|c| {
                ['\\', '%', '_']
                    .contains(&c)
                    .then_some('\\')
                    .into_iter()
                    .chain([c])
            })
            .collect();
        // SQLite's `lower()` folds ASCII only, PostgreSQL's all letters.
        let is_like = |text: String| {
            Expr::expr(Func::lower(Expr::col(Column::Email)))
                .like(LikeExpr::new(format!("%{text}%")).escape('\\'))
        };
        rows = rows.filter(is_like(text.to_lowercase()).or(is_like(text.to_ascii_lowercase())));
    }
    let total = rows.clone().count(db).await.map_err(hide_db_error)?;
    let page = rows
        .order_by_asc(Column::Email)
        .order_by_asc(Column::Id)
        .offset(offset)
        .limit(limit);
    Ok((
        page.all(db)
            .await
            .map_err(hide_db_error)?
            .into_iter()
            .map(Into::into)
            .collect(),
        total,
    ))
}

/// Returns the number of matching users.
pub async fn count(db: &impl ConnectionTrait, filter: UserFilter) -> Result<u64, AuthError> {
    filtered(filter).count(db).await.map_err(hide_db_error)
}

/// Whether there is an active and approved administrator.
pub async fn has_administrator(db: &impl ConnectionTrait) -> Result<bool, AuthError> {
    Ok(active_admins().count(db).await.map_err(hide_db_error)? > 0)
}

/// Whether there is an active and approved administrator other than this one. The caller's
/// transaction is [serialized](super::serialize) (SR-144).
pub async fn has_other_administrator(
    db: &impl ConnectionTrait,
    id: Uuid,
) -> Result<bool, AuthError> {
    Ok(active_admins()
        .filter(Column::Id.ne(id))
        .count(db)
        .await
        .map_err(hide_db_error)?
        > 0)
}

/// Returns the active administrators with their password hashes, approved or not.
pub async fn list_superusers(db: &impl ConnectionTrait) -> Result<Vec<Credentials>, AuthError> {
    let rows = active_superusers()
        .order_by_asc(Column::Email)
        .limit(MAX_SUPERUSERS)
        .all(db)
        .await
        .map_err(hide_db_error)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The active and approved administrators, who may manage other users.
fn active_admins() -> Select<Entity> {
    active_superusers().filter(Column::IsVerified.eq(true))
}

/// The active administrators, approved or not.
fn active_superusers() -> Select<Entity> {
    filtered(UserFilter::Administrators).filter(Column::IsActive.eq(true))
}

fn filtered(filter: UserFilter) -> Select<Entity> {
    let rows = Entity::find();
    match filter {
        UserFilter::All => rows,
        UserFilter::Pending => rows
            .filter(Column::IsActive.eq(true))
            .filter(Column::IsVerified.eq(false)),
        UserFilter::Active => rows
            .filter(Column::IsActive.eq(true))
            .filter(Column::IsVerified.eq(true)),
        UserFilter::Disabled => rows.filter(Column::IsActive.eq(false)),
        UserFilter::Administrators => rows.filter(Column::IsSuperuser.eq(true)),
    }
}
