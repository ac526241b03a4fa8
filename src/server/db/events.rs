//! The audit log, newest first. Bounded in age and in number of rows, because anonymous requests
//! cause some of the events (SR-173).

use sea_orm::{
    ActiveValue::{NotSet, Set},
    Condition, QueryOrder, QuerySelect,
    entity::prelude::*,
};

use super::{delete_in_batches, hide_db_error};
use crate::domain::{AuditEvent, AuthError};

pub use Model as AuditRow;

/// The number of rows that [`purge`] keeps.
const MAX_ROWS: u64 = 200_000;
const MAX_DETAIL_CHARS: usize = 500;
const MAX_REQUEST_ID_CHARS: usize = 64;

/// An event of the audit log (SR-180). It holds no secrets and no user input.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "auth_event")]
pub struct Model {
    /// Ascending in the order of insertion.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Unix seconds.
    pub occurred_at: i64,
    pub kind: String,
    /// The user that the event is about. Not a foreign key: the row outlives the account.
    pub user_id: Option<Uuid>,
    /// The user who caused the event, where that is another one.
    pub actor_id: Option<Uuid>,
    /// `password`, `oidc`, `setup`, `shell`, or the kind of a mail; empty where none applies.
    pub method: String,
    /// An IPv4 address or an IPv6 /64; `-` when the configuration disables logging addresses.
    pub client_ip: String,
    /// The request id, which error pages show too.
    pub request_id: String,
    /// A stable code, or a reason in English.
    pub detail: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The columns of a new row.
pub struct NewEvent<'a> {
    pub occurred_at: i64,
    pub kind: AuditEvent,
    pub user: Option<Uuid>,
    pub actor: Option<Uuid>,
    pub method: &'a str,
    pub client_ip: &'a str,
    pub request_id: &'a str,
    pub detail: &'a str,
}

/// Restricts a search; `None` matches every row.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    pub kind: Option<AuditEvent>,
    pub user: Option<Uuid>,
    pub request_id: Option<String>,
}

/// Inserts an event, cutting its texts to the length of their columns.
pub async fn insert(db: &impl ConnectionTrait, new: NewEvent<'_>) -> Result<(), AuthError> {
    let row = ActiveModel {
        id: NotSet,
        occurred_at: Set(new.occurred_at),
        kind: Set(new.kind.code().to_owned()),
        user_id: Set(new.user),
        actor_id: Set(new.actor),
        method: Set(new.method.to_owned()),
        client_ip: Set(new.client_ip.to_owned()),
        request_id: Set(new.request_id.chars().take(MAX_REQUEST_ID_CHARS).collect()),
        detail: Set(new.detail.chars().take(MAX_DETAIL_CHARS).collect()),
    };
    Entity::insert(row)
        .exec_without_returning(db)
        .await
        .map_err(hide_db_error)?;
    Ok(())
}

/// Returns one page of the matching rows, newest first, and the number of all matching rows.
pub async fn find_page(
    db: &impl ConnectionTrait,
    filter: &AuditFilter,
    offset: u64,
    limit: u64,
) -> Result<(Vec<AuditRow>, u64), AuthError> {
    let mut rows = Entity::find();
    if let Some(kind) = filter.kind {
        rows = rows.filter(Column::Kind.eq(kind.code()));
    }
    if let Some(user) = filter.user {
        rows = rows.filter(Column::UserId.eq(user));
    }
    if let Some(request_id) = &filter.request_id {
        rows = rows.filter(Column::RequestId.eq(request_id));
    }
    let total = rows.clone().count(db).await.map_err(hide_db_error)?;
    let page = rows
        .order_by_desc(Column::Id)
        .offset(offset)
        .limit(limit)
        .all(db)
        .await
        .map_err(hide_db_error)?;
    Ok((page, total))
}

/// Deletes the rows older than `before`, and the oldest ones beyond [`MAX_ROWS`]. Returns how many.
pub async fn purge(db: &impl ConnectionTrait, before: i64) -> Result<u64, AuthError> {
    let old = delete_in_batches::<Entity>(
        db,
        Column::Id,
        Condition::all().add(Column::OccurredAt.lt(before)),
    )
    .await?;
    let newest_surplus: Option<i64> = Entity::find()
        .select_only()
        .column(Column::Id)
        .order_by_desc(Column::Id)
        .offset(MAX_ROWS)
        .limit(1)
        .into_tuple()
        .one(db)
        .await
        .map_err(hide_db_error)?;
    let Some(newest_surplus) = newest_surplus else {
        return Ok(old);
    };
    let surplus = Condition::all().add(Column::Id.lte(newest_surplus));
    Ok(old + delete_in_batches::<Entity>(db, Column::Id, surplus).await?)
}
