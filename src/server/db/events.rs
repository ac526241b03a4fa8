//! The audit log, newest first. Bounded in age and in rows of each kind, because anonymous
//! requests cause some of the events (SR-173).

use sea_orm::{
    ActiveValue::{NotSet, Set},
    Condition, QueryOrder, QuerySelect,
    entity::prelude::*,
    sea_query::ExprTrait,
};

use super::{delete_in_batches, hide_db_error};
use crate::domain::{AuditEvent, AuthError};

pub use Model as AuditRow;

/// The number of rows of one kind that [`purge_surplus`] keeps.
const MAX_PER_KIND: u64 = 20_000;
/// The number of those rows that are about one user.
const MAX_PER_USER: u64 = 1000;
/// The number of those rows that are about nobody, such as failed logins with unknown addresses.
const MAX_WITHOUT_USER: u64 = 10_000;
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

/// Deletes the rows older than `before`, and those of [`purge_surplus`]. Returns how many.
pub async fn purge(db: &impl ConnectionTrait, before: i64) -> Result<u64, AuthError> {
    let old = delete_in_batches::<Entity>(
        db,
        Column::Id,
        Condition::all().add(Column::OccurredAt.lt(before)),
    )
    .await?;
    Ok(old + purge_surplus(db).await?)
}

/// Deletes the oldest rows beyond [`MAX_PER_USER`], [`MAX_WITHOUT_USER`] and [`MAX_PER_KIND`], each
/// kind by itself: what is frequent must not displace what is rare, and one user must not displace
/// what happened to others. Returns how many.
pub async fn purge_surplus(db: &impl ConnectionTrait) -> Result<u64, AuthError> {
    let mut deleted = 0;
    let users: Vec<(String, Option<Uuid>)> = Entity::find()
        .select_only()
        .column(Column::Kind)
        .column(Column::UserId)
        .group_by(Column::Kind)
        .group_by(Column::UserId)
        .having(Column::Id.count().gt(MAX_PER_USER))
        .into_tuple()
        .all(db)
        .await
        .map_err(hide_db_error)?;
    for (kind, user) in users {
        let rows = Condition::all().add(Column::Kind.eq(kind));
        deleted += match user {
            Some(user) => keep_newest(db, rows.add(Column::UserId.eq(user)), MAX_PER_USER).await?,
            None => keep_newest(db, rows.add(Column::UserId.is_null()), MAX_WITHOUT_USER).await?,
        };
    }
    let kinds: Vec<String> = Entity::find()
        .select_only()
        .column(Column::Kind)
        .group_by(Column::Kind)
        .having(Column::Id.count().gt(MAX_PER_KIND))
        .into_tuple()
        .all(db)
        .await
        .map_err(hide_db_error)?;
    for kind in kinds {
        let rows = Condition::all().add(Column::Kind.eq(kind));
        deleted += keep_newest(db, rows, MAX_PER_KIND).await?;
    }
    Ok(deleted)
}

/// Deletes the matching rows but for the newest `max`. Returns how many.
async fn keep_newest(
    db: &impl ConnectionTrait,
    rows: Condition,
    max: u64,
) -> Result<u64, AuthError> {
    let newest_surplus: Option<i64> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(rows.clone())
        .order_by_desc(Column::Id)
        .offset(max)
        .limit(1)
        .into_tuple()
        .one(db)
        .await
        .map_err(hide_db_error)?;
    match newest_surplus {
        Some(newest) => {
            let surplus = rows.add(Column::Id.lte(newest));
            delete_in_batches::<Entity>(db, Column::Id, surplus).await
        }
        None => Ok(0),
    }
}
