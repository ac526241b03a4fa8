use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait, Func},
};
use uuid::Uuid;

use super::{entity::outbox, unavailable};
use crate::domain::AuthError;

pub use outbox::Model as Waiting;

/// The most mails that wait (SR-162); beyond it new ones are dropped, so that nobody can fill the disk.
const MOST: u64 = 1000;
/// How long one instance has a mail to itself, in seconds: longer than an attempt may take.
const LEASE: i64 = 120;
/// The longest that a mail waits for its next attempt, in seconds.
pub const LONGEST_PAUSE: i64 = 60 * 60;

/// A mail about to wait.
pub struct NewMail<'a> {
    pub kind: &'a str,
    pub address: &'a str,
    /// Whose business it is, where the address is not the account's.
    pub user: Option<Uuid>,
    pub network: &'a str,
    /// It is queued also when the queue is full.
    pub must_go: bool,
}

/// Puts a mail into the queue; false when that is full, unless it is one that must not be dropped.
///
/// # Errors
/// `Unavailable`.
pub async fn add(db: &impl ConnectionTrait, mail: NewMail<'_>, now: i64) -> Result<bool, AuthError> {
    let NewMail { kind, address, user, network, must_go } = mail;
    if !must_go && outbox::Entity::find().count(db).await.map_err(unavailable)? >= MOST {
        return Ok(false);
    }
    let row = outbox::ActiveModel {
        id: Set(crate::server::random::uuid()),
        kind: Set(kind.to_owned()),
        address: Set(address.to_owned()),
        user_id: Set(user),
        network: Set(network.to_owned()),
        created_at: Set(now),
        due_at: Set(now),
        attempts: Set(0),
    };
    outbox::Entity::insert(row).exec_without_returning(db).await.map_err(unavailable)?;
    Ok(true)
}

/// Takes the mail that is due longest, so that no other instance sends it too.
///
/// # Errors
/// `Unavailable`.
pub async fn take(db: &impl ConnectionTrait, now: i64) -> Result<Option<Waiting>, AuthError> {
    loop {
        // What was queued in the future, or waits longer than anything waits, was written before the clock was set back (SR-195). The lease
        // is the allowance for the clocks of other instances.
        let is_due = Condition::any()
            .add(outbox::Column::DueAt.lte(now))
            .add(outbox::Column::DueAt.gt(now + LONGEST_PAUSE + LEASE))
            .add(outbox::Column::CreatedAt.gt(now + LEASE));
        let due = outbox::Entity::find().filter(is_due).order_by_asc(outbox::Column::DueAt).order_by_asc(outbox::Column::Id);
        let Some(row) = due.one(db).await.map_err(unavailable)? else { return Ok(None) };
        let created_at = std::cmp::min(row.created_at, now);
        let update = outbox::Entity::update_many()
            .col_expr(outbox::Column::DueAt, Expr::value(now + LEASE))
            .col_expr(outbox::Column::CreatedAt, Expr::value(created_at))
            .col_expr(outbox::Column::Attempts, Expr::col(outbox::Column::Attempts).add(1));
        let mine = update.filter(outbox::Column::Id.eq(row.id)).filter(outbox::Column::DueAt.eq(row.due_at)).exec(db).await.map_err(unavailable)?;
        if mine.rows_affected == 1 {
            return Ok(Some(Waiting { attempts: row.attempts + 1, created_at, ..row }));
        }
    }
}

/// Whether such a mail is waiting already.
///
/// # Errors
/// `Unavailable`.
pub async fn has(db: &impl ConnectionTrait, kind: &str, address: &str) -> Result<bool, AuthError> {
    let same = outbox::Entity::find().filter(outbox::Column::Kind.eq(kind)).filter(outbox::Column::Address.eq(address));
    Ok(same.count(db).await.map_err(unavailable)? > 0)
}

/// Forgets all mail to an address that is nobody's any more, or about a user who is gone (SR-145).
///
/// # Errors
/// `Unavailable`.
pub async fn remove_of(db: &impl ConnectionTrait, address: &str, user: Uuid) -> Result<(), AuthError> {
    outbox::Entity::delete_many().filter(theirs(address, user)).exec(db).await.map_err(unavailable)?;
    Ok(())
}

/// Forgets the mails of these kinds to a user's address, or about them.
///
/// # Errors
/// `Unavailable`.
pub async fn remove_kinds(db: &impl ConnectionTrait, kinds: [&str; 2], address: &str, user: Uuid) -> Result<(), AuthError> {
    outbox::Entity::delete_many().filter(outbox::Column::Kind.is_in(kinds)).filter(theirs(address, user)).exec(db).await.map_err(unavailable)?;
    Ok(())
}

/// The queue has the canonical form of an address, the account perhaps MediaManager's.
fn theirs(address: &str, user: Uuid) -> Condition {
    let same_address = Expr::expr(Func::lower(Expr::col(outbox::Column::Address))).eq(address.to_ascii_lowercase());
    Condition::any().add(same_address).add(outbox::Column::UserId.eq(user))
}

/// Puts a mail back that could not be sent; `is_untried` when that was no attempt.
///
/// # Errors
/// `Unavailable`.
pub async fn postpone(db: &impl ConnectionTrait, id: Uuid, due_at: i64, is_untried: bool) -> Result<(), AuthError> {
    let mut update = outbox::Entity::update_many().col_expr(outbox::Column::DueAt, Expr::value(due_at));
    if is_untried {
        update = update.col_expr(outbox::Column::Attempts, Expr::col(outbox::Column::Attempts).sub(1));
    }
    update.filter(outbox::Column::Id.eq(id)).exec(db).await.map_err(unavailable)?;
    Ok(())
}

/// How many mails wait to be sent.
///
/// # Errors
/// `Unavailable`.
pub async fn count(db: &impl ConnectionTrait) -> Result<u64, AuthError> {
    outbox::Entity::find().count(db).await.map_err(unavailable)
}

/// Forgets a mail that is sent, or never will be.
///
/// # Errors
/// `Unavailable`.
pub async fn remove(db: &impl ConnectionTrait, id: Uuid) -> Result<(), AuthError> {
    outbox::Entity::delete_by_id(id).exec(db).await.map_err(unavailable)?;
    Ok(())
}
