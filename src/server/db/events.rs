//! What has happened, newest first. Bounded in time and in number, because strangers cause some of it (SR-173).

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::{entity::event, forget, unavailable};
use crate::domain::{AuthError, Event};

pub use event::Model as Row;

/// The most rows that are kept.
const MOST: u64 = 200_000;
/// The most characters of a detail.
const LONGEST_DETAIL: usize = 500;

/// Something that has just happened.
pub struct NewEvent<'a> {
    pub at: i64,
    pub kind: Event,
    pub user: Option<Uuid>,
    pub actor: Option<Uuid>,
    pub method: &'a str,
    pub network: &'a str,
    pub reference: &'a str,
    pub detail: &'a str,
}

/// What somebody looks for; empty means everything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub kind: Option<Event>,
    pub user: Option<Uuid>,
    pub reference: Option<String>,
}

/// Writes it down.
///
/// # Errors
/// `Unavailable`.
pub async fn insert(db: &impl ConnectionTrait, new: NewEvent<'_>) -> Result<(), AuthError> {
    let row = event::ActiveModel {
        id: NotSet,
        at: Set(new.at),
        kind: Set(new.kind.code().to_owned()),
        user_id: Set(new.user),
        actor_id: Set(new.actor),
        method: Set(new.method.to_owned()),
        network: Set(new.network.to_owned()),
        reference: Set(new.reference.chars().take(64).collect()),
        detail: Set(new.detail.chars().take(LONGEST_DETAIL).collect()),
    };
    event::Entity::insert(row).exec_without_returning(db).await.map_err(unavailable)?;
    Ok(())
}

/// One page of what matches, newest first, and how many there are in all.
///
/// # Errors
/// `Unavailable`.
pub async fn find(db: &impl ConnectionTrait, filter: &Filter, offset: u64, limit: u64) -> Result<(Vec<Row>, u64), AuthError> {
    let mut rows = event::Entity::find();
    if let Some(kind) = filter.kind {
        rows = rows.filter(event::Column::Kind.eq(kind.code()));
    }
    if let Some(user) = filter.user {
        rows = rows.filter(event::Column::UserId.eq(user));
    }
    if let Some(reference) = &filter.reference {
        rows = rows.filter(event::Column::Reference.eq(reference));
    }
    let total = rows.clone().count(db).await.map_err(unavailable)?;
    let page = rows.order_by_desc(event::Column::Id).offset(offset).limit(limit).all(db).await.map_err(unavailable)?;
    Ok((page, total))
}

/// Forgets what is older than `before`, and the oldest beyond [`MOST`]. Returns how many.
///
/// # Errors
/// `Unavailable`.
pub async fn purge(db: &impl ConnectionTrait, before: i64) -> Result<u64, AuthError> {
    let old = forget::<event::Entity>(db, event::Column::Id, Condition::all().add(event::Column::At.lt(before))).await?;
    let newest_surplus: Option<i64> = event::Entity::find()
        .select_only()
        .column(event::Column::Id)
        .order_by_desc(event::Column::Id)
        .offset(MOST)
        .limit(1)
        .into_tuple()
        .one(db)
        .await
        .map_err(unavailable)?;
    let Some(newest_surplus) = newest_surplus else { return Ok(old) };
    let surplus = Condition::all().add(event::Column::Id.lte(newest_surplus));
    Ok(old + forget::<event::Entity>(db, event::Column::Id, surplus).await?)
}
