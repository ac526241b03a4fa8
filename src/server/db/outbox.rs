//! The queue of mails to send. It is in the database, so that a restart does not lose a mail.

use sea_orm::{
    ActiveValue::Set,
    Condition, QueryOrder,
    entity::prelude::*,
    sea_query::{ExprTrait, Func},
};

use super::hide_db_error;
use crate::domain::AuthError;

pub use Model as QueuedMail;

/// The length of the queue beyond which new mails are dropped, so that requests cannot fill the
/// disk (SR-162).
const MAX_QUEUED: u64 = 1000;
/// How long a claimed mail belongs to one instance. Longer than one attempt to send it may take.
const LEASE_SECONDS: i64 = 120;
/// The longest delay before the next attempt to send a mail, in seconds.
pub const MAX_RETRY_DELAY: i64 = 60 * 60;

/// A mail to send. Its text is written at sending time: the table never holds a token (SR-042), and
/// a user who was disabled or deleted in the meantime gets no mail.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "auth_outbox")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    /// Used to look up the account, whose own address the mail goes to. With a `user_id`, the mail
    /// goes to this address instead.
    pub address: String,
    pub user_id: Option<Uuid>,
    /// The client address of the request, which security notices mention.
    pub client_ip: String,
    /// Unix seconds.
    pub created_at: i64,
    pub next_attempt_at: i64,
    pub attempts: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The columns of a new row.
pub struct NewMail<'a> {
    pub kind: &'a str,
    pub address: &'a str,
    /// The user that the mail is about, where `address` is not the address of their account.
    pub user: Option<Uuid>,
    pub client_ip: &'a str,
    /// Queue the mail even when the queue is full.
    pub is_priority: bool,
}

/// Adds a mail to the queue. Returns false when the queue is full and the mail has no priority.
pub async fn enqueue(
    db: &impl ConnectionTrait,
    mail: NewMail<'_>,
    now: i64,
) -> Result<bool, AuthError> {
    let NewMail {
        kind,
        address,
        user,
        client_ip,
        is_priority,
    } = mail;
    if !is_priority && Entity::find().count(db).await.map_err(hide_db_error)? >= MAX_QUEUED {
        return Ok(false);
    }
    let row = ActiveModel {
        id: Set(crate::server::crypto::random::uuid()),
        kind: Set(kind.to_owned()),
        address: Set(address.to_owned()),
        user_id: Set(user),
        client_ip: Set(client_ip.to_owned()),
        created_at: Set(now),
        next_attempt_at: Set(now),
        attempts: Set(0),
    };
    Entity::insert(row)
        .exec_without_returning(db)
        .await
        .map_err(hide_db_error)?;
    Ok(true)
}

/// Claims the due mail that has waited longest. Until [`LEASE_SECONDS`] ends no other instance gets
/// it.
pub async fn claim_next(
    db: &impl ConnectionTrait,
    now: i64,
) -> Result<Option<QueuedMail>, AuthError> {
    loop {
        // A mail created in the future, or delayed for longer than the longest delay, was written
        // before the clock was set back (SR-195). [`LEASE_SECONDS`] also allows for the clock skew
        // between instances.
        let is_due = Condition::any()
            .add(Column::NextAttemptAt.lte(now))
            .add(Column::NextAttemptAt.gt(now + MAX_RETRY_DELAY + LEASE_SECONDS))
            .add(Column::CreatedAt.gt(now + LEASE_SECONDS));
        let due = Entity::find()
            .filter(is_due)
            .order_by_asc(Column::NextAttemptAt)
            .order_by_asc(Column::Id);
        let Some(row) = due.one(db).await.map_err(hide_db_error)? else {
            return Ok(None);
        };
        let created_at = std::cmp::min(row.created_at, now);
        let update = Entity::update_many()
            .col_expr(Column::NextAttemptAt, Expr::value(now + LEASE_SECONDS))
            .col_expr(Column::CreatedAt, Expr::value(created_at))
            .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1));
        let unclaimed = update
            .filter(Column::Id.eq(row.id))
            .filter(Column::NextAttemptAt.eq(row.next_attempt_at));
        if unclaimed
            .exec(db)
            .await
            .map_err(hide_db_error)?
            .rows_affected
            == 1
        {
            return Ok(Some(QueuedMail {
                attempts: row.attempts + 1,
                created_at,
                ..row
            }));
        }
    }
}

/// Whether a mail of this kind to this address is queued.
pub async fn is_queued(
    db: &impl ConnectionTrait,
    kind: &str,
    address: &str,
) -> Result<bool, AuthError> {
    let same = Entity::find()
        .filter(Column::Kind.eq(kind))
        .filter(Column::Address.eq(address));
    Ok(same.count(db).await.map_err(hide_db_error)? > 0)
}

/// Deletes all mails to the address of a deleted user, or about that user (SR-145).
pub async fn delete_for_user(
    db: &impl ConnectionTrait,
    address: &str,
    user: Uuid,
) -> Result<(), AuthError> {
    Entity::delete_many()
        .filter(is_for_user(address, user))
        .exec(db)
        .await
        .map_err(hide_db_error)?;
    Ok(())
}

/// Deletes the mails of these kinds to a user's address, or about that user.
pub async fn delete_kinds_for_user(
    db: &impl ConnectionTrait,
    kinds: [&str; 2],
    address: &str,
    user: Uuid,
) -> Result<(), AuthError> {
    Entity::delete_many()
        .filter(Column::Kind.is_in(kinds))
        .filter(is_for_user(address, user))
        .exec(db)
        .await
        .map_err(hide_db_error)?;
    Ok(())
}

/// Addresses are compared in lower case: the queue has the canonical form, the account may have
/// MediaManager's spelling.
fn is_for_user(address: &str, user: Uuid) -> Condition {
    let same_address =
        Expr::expr(Func::lower(Expr::col(Column::Address))).eq(address.to_ascii_lowercase());
    Condition::any()
        .add(same_address)
        .add(Column::UserId.eq(user))
}

/// Schedules the next attempt. With `is_untried` the attempt that [`claim_next`] counted is
/// subtracted again.
pub async fn postpone(
    db: &impl ConnectionTrait,
    id: Uuid,
    next_attempt_at: i64,
    is_untried: bool,
) -> Result<(), AuthError> {
    let mut update =
        Entity::update_many().col_expr(Column::NextAttemptAt, Expr::value(next_attempt_at));
    if is_untried {
        update = update.col_expr(Column::Attempts, Expr::col(Column::Attempts).sub(1));
    }
    update
        .filter(Column::Id.eq(id))
        .exec(db)
        .await
        .map_err(hide_db_error)?;
    Ok(())
}

/// Returns the length of the queue.
pub async fn count(db: &impl ConnectionTrait) -> Result<u64, AuthError> {
    Entity::find().count(db).await.map_err(hide_db_error)
}

/// Deletes a mail that was sent, or never will be.
pub async fn delete(db: &impl ConnectionTrait, id: Uuid) -> Result<(), AuthError> {
    Entity::delete_by_id(id)
        .exec(db)
        .await
        .map_err(hide_db_error)?;
    Ok(())
}
