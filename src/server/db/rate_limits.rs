//! Rate limits for failed attempts and for requests (SR-022, SR-023). The counters are in the
//! database, so that a restart does not reset them and all instances share them. An attempt is
//! counted before the password is verified and refunded when it was right: of N parallel guesses
//! only as many as the limit allows reach the hash.

use sea_orm::{
    ActiveValue::Set,
    Condition, UpdateMany,
    entity::prelude::*,
    sea_query::{ExprTrait, Func, OnConflict},
};

use super::{delete_in_batches, hide_db_error};
use crate::domain::AuthError;

/// The time without an attempt after which [`purge`] deletes a row.
const RETENTION_SECONDS: i64 = 24 * 60 * 60;
/// The clock skew between two instances. A time that another instance has just written may be this
/// far in the future.
const MAX_CLOCK_SKEW_SECONDS: i64 = 60;

/// The attempts of one key, for example an account or a client address.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "auth_rate_limit")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    pub failures: i32,
    /// Unix seconds: the end of the window of a [`RateLimit`], or the end of the delay of a
    /// [`BackoffLimit`].
    pub blocked_until: i64,
    /// Unix seconds.
    pub last_attempt_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Allows `max` attempts in a window of `window` seconds, which starts with the first attempt.
#[derive(Clone, Copy, Debug)]
pub struct RateLimit {
    pub max: i32,
    pub window: i64,
}

/// Allows `failures` consecutive failures of an account, then delays the next attempt by 1 s,
/// doubling.
#[derive(Clone, Copy, Debug)]
pub struct BackoffLimit {
    pub failures: i32,
    /// Seconds.
    pub max_delay: u32,
}

/// Counts one attempt.
///
/// # Errors
/// `TooManyAttempts` when the limit is reached.
pub async fn consume(
    db: &impl ConnectionTrait,
    key: &str,
    limit: RateLimit,
    now: i64,
) -> Result<(), AuthError> {
    let RateLimit { max, window } = limit;
    let (failures, blocked_until) = (
        current_value(Column::Failures),
        current_value(Column::BlockedUntil),
    );
    let is_over = || is_over(blocked_until.clone(), now, window);
    let on_conflict = OnConflict::column(Column::Key)
        .value(
            Column::Failures,
            Expr::case(is_over(), 1).finally(failures.clone().add(1)),
        )
        .value(
            Column::BlockedUntil,
            Expr::case(is_over(), now + window).finally(blocked_until.clone()),
        )
        .value(Column::LastAttemptAt, now)
        .action_and_where(is_over().or(failures.lt(max)))
        .to_owned();
    reserve(db, key, now + window, on_conflict, now).await
}

/// Ensures that none of these keys has reached its limit, without writing: a client that keeps on
/// coming back must not keep the database busy.
///
/// # Errors
/// `TooManyAttempts` with the longest wait.
pub async fn ensure_not_blocked(
    db: &impl ConnectionTrait,
    limits: &[(String, RateLimit)],
    now: i64,
) -> Result<(), AuthError> {
    let rows = Entity::find()
        .filter(Column::Key.is_in(limits.iter().map(|(key, _)| key)))
        .all(db)
        .await
        .map_err(hide_db_error)?;
    let waits = limits.iter().filter_map(|(key, limit)| {
        let row = rows.iter().find(|row| row.key == *key)?;
        let wait = row.blocked_until - now;
        let is_over = wait <= 0 || wait > limit.window + MAX_CLOCK_SKEW_SECONDS;
        (row.failures >= limit.max && !is_over).then_some(wait)
    });
    match waits.max() {
        Some(wait) => Err(AuthError::TooManyAttempts {
            retry_after: u32::try_from(wait).unwrap_or(1),
        }),
        None => Ok(()),
    }
}

/// Counts one attempt of an account. The key is the address, whether or not it has an account.
///
/// # Errors
/// `TooManyAttempts` while the account's delay lasts.
pub async fn reserve_account(
    db: &impl ConnectionTrait,
    key: &str,
    limit: BackoffLimit,
    now: i64,
) -> Result<(), AuthError> {
    let (failures, blocked_until) = (
        current_value(Column::Failures),
        current_value(Column::BlockedUntil),
    );
    let BackoffLimit {
        failures: max_failures,
        max_delay,
    } = limit;
    let last_free = max_failures - 1;
    // The first arm bounds the exponent, so the shift cannot overflow.
    let doublings =
        i32::try_from(max_delay.checked_ilog2().unwrap_or_default()).unwrap_or_default() + 1;
    let counted = "auth_rate_limit.failures";
    let delay = Expr::cust(format!(
        "CASE WHEN {counted} >= {} THEN {max_delay} WHEN {counted} >= {last_free} THEN 1 << ({counted} - {last_free}) ELSE 0 END",
        last_free + doublings,
    ));
    let on_conflict = OnConflict::column(Column::Key)
        .value(Column::Failures, failures.add(1))
        .value(Column::BlockedUntil, Expr::value(now).add(delay))
        .value(Column::LastAttemptAt, now)
        .action_and_where(is_over(blocked_until, now, i64::from(max_delay)))
        .to_owned();
    reserve(db, key, now, on_conflict, now).await
}

async fn reserve(
    db: &impl ConnectionTrait,
    key: &str,
    blocked_until: i64,
    on_conflict: OnConflict,
    now: i64,
) -> Result<(), AuthError> {
    let row = ActiveModel {
        key: Set(key.to_owned()),
        failures: Set(1),
        blocked_until: Set(blocked_until),
        last_attempt_at: Set(now),
    };
    let written = Entity::insert(row)
        .on_conflict(on_conflict)
        .exec_without_returning(db)
        .await
        .map_err(hide_db_error)?;
    if written > 0 {
        return Ok(());
    }
    let row = Entity::find_by_id(key.to_owned())
        .one(db)
        .await
        .map_err(hide_db_error)?;
    let wait = row.map_or(1, |row| row.blocked_until - now);
    Err(AuthError::TooManyAttempts {
        retry_after: u32::try_from(wait).unwrap_or(1),
    })
}

/// Subtracts one attempt that was not a failure.
pub async fn refund(db: &impl ConnectionTrait, key: &str) -> Result<(), AuthError> {
    subtract_attempt(key)
        .exec(db)
        .await
        .map_err(hide_db_error)?;
    Ok(())
}

fn subtract_attempt(key: &str) -> UpdateMany<Entity> {
    let update =
        Entity::update_many().col_expr(Column::Failures, current_value(Column::Failures).sub(1));
    update
        .filter(Column::Key.eq(key))
        .filter(Column::Failures.gt(0))
}

/// Subtracts an account's attempt that was reserved at `reserved_at` and ended without a result.
/// Its delay is removed too, unless another attempt has followed.
pub async fn refund_account(
    db: &impl ConnectionTrait,
    key: &str,
    reserved_at: i64,
) -> Result<(), AuthError> {
    let (blocked_until, last_attempt_at) = (
        current_value(Column::BlockedUntil),
        current_value(Column::LastAttemptAt),
    );
    let is_latest = last_attempt_at.clone().eq(reserved_at);
    let update = subtract_attempt(key).col_expr(
        Column::BlockedUntil,
        Expr::case(is_latest, last_attempt_at)
            .finally(blocked_until)
            .into(),
    );
    update.exec(db).await.map_err(hide_db_error)?;
    Ok(())
}

/// Resets the failures of a key: only consecutive failures count.
pub async fn clear(db: &impl ConnectionTrait, key: &str) -> Result<(), AuthError> {
    Entity::delete_by_id(key.to_owned())
        .exec(db)
        .await
        .map_err(hide_db_error)?;
    Ok(())
}

/// Resets the failures of a key and of the same key at any client address (`key@…`).
pub async fn clear_everywhere(db: &impl ConnectionTrait, key: &str) -> Result<(), AuthError> {
    let prefix = format!("{key}@");
    // Not LIKE: an address may contain `%` and `_`.
    let start = Func::cust("substr").args([
        Expr::col(Column::Key),
        Expr::value(1),
        Expr::value(i32::try_from(prefix.chars().count()).unwrap_or(i32::MAX)),
    ]);
    let same_key = Condition::any()
        .add(Column::Key.eq(key))
        .add(Expr::expr(start).eq(prefix));
    Entity::delete_many()
        .filter(same_key)
        .exec(db)
        .await
        .map_err(hide_db_error)?;
    Ok(())
}

/// Deletes keys without a recent attempt, so that the table stays small (SR-173). Returns how many.
pub async fn purge(db: &impl ConnectionTrait, now: i64) -> Result<u64, AuthError> {
    let is_idle = Condition::all()
        .add(Column::LastAttemptAt.lt(now - RETENTION_SECONDS))
        .add(Column::BlockedUntil.lt(now));
    delete_in_batches::<Entity>(db, Column::Key, is_idle).await
}

/// Whether a time is past. A time further ahead than `longest` was set before the clock was set
/// back; it counts as past, or the block would last that much longer (SR-195).
fn is_over(time: Expr, now: i64, longest: i64) -> Expr {
    time.clone()
        .lte(now)
        .or(time.gt(now + longest + MAX_CLOCK_SKEW_SECONDS))
}

/// The column of the existing row. `ON CONFLICT` requires the table's name before it.
fn current_value(column: Column) -> Expr {
    Expr::col((Entity, column))
}
