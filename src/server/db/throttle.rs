//! Budgets of failed attempts (SR-022, SR-023). They live in the database, so that a restart forgives nothing and several
//! instances share them. An attempt is counted before the password is looked at and given back when it was right: of N
//! parallel guesses only as many as the budget allows ever reach the hash.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, UpdateMany,
    sea_query::{Expr, ExprTrait, Func, OnConflict},
};

use super::{entity::throttle, forget, unavailable};
use crate::domain::AuthError;

/// So many within so many seconds, counted from the first.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    pub most: i32,
    pub window: i64,
}

/// So many consecutive failures of an account before delays begin: 1 s, doubling.
#[derive(Clone, Copy, Debug)]
pub struct AccountBudget {
    pub failures: i32,
    /// Seconds.
    pub longest_delay: u32,
}

/// Seconds without an attempt after which a row is forgotten.
const FORGOTTEN_AFTER: i64 = 24 * 60 * 60;
/// Seconds by which the clocks of two instances may differ: what one of them has just written is not taken for the future by the other.
const SKEW: i64 = 60;

/// Takes one out of a budget.
///
/// # Errors
/// `TooManyAttempts` when there is none left, `Unavailable`.
pub async fn take(db: &impl ConnectionTrait, key: &str, budget: Budget, now: i64) -> Result<(), AuthError> {
    let Budget { most, window } = budget;
    let (failures, until) = (column(throttle::Column::Failures), column(throttle::Column::Until));
    let is_over = || is_over(until.clone(), now, window);
    let again = OnConflict::column(throttle::Column::Key)
        .value(throttle::Column::Failures, Expr::case(is_over(), 1).finally(failures.clone().add(1)))
        .value(throttle::Column::Until, Expr::case(is_over(), now + window).finally(until.clone()))
        .value(throttle::Column::LastAt, now)
        .action_and_where(is_over().or(failures.lt(most)))
        .to_owned();
    reserve(db, key, now + window, again, now).await
}

/// Takes one attempt out of an account's budget. The key is the address, whether or not it has an account.
///
/// # Errors
/// `TooManyAttempts` while the account's delay lasts, `Unavailable`.
pub async fn reserve_account(db: &impl ConnectionTrait, key: &str, budget: AccountBudget, now: i64) -> Result<(), AuthError> {
    let (failures, until) = (column(throttle::Column::Failures), column(throttle::Column::Until));
    let AccountBudget { failures: most, longest_delay } = budget;
    let last_free = most - 1;
    // The exponent is bounded by the first arm, so the shift cannot overflow.
    let doublings = i32::try_from(longest_delay.checked_ilog2().unwrap_or_default()).unwrap_or_default() + 1;
    let delay = Expr::cust(format!(
        "CASE WHEN throttle.failures >= {} THEN {longest_delay} WHEN throttle.failures >= {last_free} THEN 1 << (throttle.failures - {last_free}) ELSE 0 END",
        last_free + doublings,
    ));
    let again = OnConflict::column(throttle::Column::Key)
        .value(throttle::Column::Failures, failures.add(1))
        .value(throttle::Column::Until, Expr::value(now).add(delay))
        .value(throttle::Column::LastAt, now)
        .action_and_where(is_over(until, now, i64::from(longest_delay)))
        .to_owned();
    reserve(db, key, now, again, now).await
}

async fn reserve(db: &impl ConnectionTrait, key: &str, until: i64, again: OnConflict, now: i64) -> Result<(), AuthError> {
    let row = throttle::ActiveModel { key: Set(key.to_owned()), failures: Set(1), until: Set(until), last_at: Set(now) };
    let written = throttle::Entity::insert(row).on_conflict(again).exec_without_returning(db).await.map_err(unavailable)?;
    if written > 0 {
        return Ok(());
    }
    let row = throttle::Entity::find_by_id(key.to_owned()).one(db).await.map_err(unavailable)?;
    let wait = row.map_or(1, |row| row.until - now);
    Err(AuthError::TooManyAttempts { retry_after: u32::try_from(wait).unwrap_or(1) })
}

/// Gives one attempt back that turned out not to be a failure.
///
/// # Errors
/// `Unavailable`.
pub async fn give_back(db: &impl ConnectionTrait, key: &str) -> Result<(), AuthError> {
    giving_back(key).exec(db).await.map_err(unavailable)?;
    Ok(())
}

fn giving_back(key: &str) -> UpdateMany<throttle::Entity> {
    let update = throttle::Entity::update_many().col_expr(throttle::Column::Failures, column(throttle::Column::Failures).sub(1));
    update.filter(throttle::Column::Key.eq(key)).filter(throttle::Column::Failures.gt(0))
}

/// Gives an account's attempt back that was reserved at this time and never decided, with the delay that it has brought, unless another
/// one has come since.
///
/// # Errors
/// `Unavailable`.
pub async fn give_back_account(db: &impl ConnectionTrait, key: &str, reserved_at: i64) -> Result<(), AuthError> {
    let (until, last_at) = (column(throttle::Column::Until), column(throttle::Column::LastAt));
    let is_the_last = last_at.clone().eq(reserved_at);
    let update = giving_back(key).col_expr(throttle::Column::Until, Expr::case(is_the_last, last_at).finally(until).into());
    update.exec(db).await.map_err(unavailable)?;
    Ok(())
}

/// Forgets an account's failures: they are counted as long as they are consecutive.
///
/// # Errors
/// `Unavailable`.
pub async fn clear(db: &impl ConnectionTrait, key: &str) -> Result<(), AuthError> {
    throttle::Entity::delete_by_id(key.to_owned()).exec(db).await.map_err(unavailable)?;
    Ok(())
}

/// Forgets an account's failures, wherever they were made: those of the key, and those of the key at any network.
///
/// # Errors
/// `Unavailable`.
pub async fn clear_everywhere(db: &impl ConnectionTrait, key: &str) -> Result<(), AuthError> {
    let prefix = format!("{key}@");
    // Not LIKE: an address may hold `%` and `_`.
    let start =
        Func::cust("substr").args([Expr::col(throttle::Column::Key), Expr::value(1), Expr::value(i32::try_from(prefix.chars().count()).unwrap_or(i32::MAX))]);
    let theirs = Condition::any().add(throttle::Column::Key.eq(key)).add(Expr::expr(start).eq(prefix));
    throttle::Entity::delete_many().filter(theirs).exec(db).await.map_err(unavailable)?;
    Ok(())
}

/// Forgets keys without a recent attempt, so that the table stays small (SR-173). Returns how many.
///
/// # Errors
/// `Unavailable`.
pub async fn purge(db: &impl ConnectionTrait, now: i64) -> Result<u64, AuthError> {
    let quiet = Condition::all().add(throttle::Column::LastAt.lt(now - FORGOTTEN_AFTER)).add(throttle::Column::Until.lt(now));
    forget::<throttle::Entity>(db, throttle::Column::Key, quiet).await
}

/// Whether a time has come. One that is farther away than it can have been set comes from a clock that has been set back since, and nobody
/// shall wait for that hour twice (SR-195).
fn is_over(until: Expr, now: i64, longest: i64) -> Expr {
    until.clone().lte(now).or(until.gt(now + longest + SKEW))
}

/// The column of the row that is there already, as `ON CONFLICT` wants it named.
fn column(column: throttle::Column) -> Expr {
    Expr::col((throttle::Entity, column))
}
