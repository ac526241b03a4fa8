//! The columns that MediaManager's `user` table lacks.

use sea_orm::{
    ActiveValue::Set,
    entity::prelude::*,
    sea_query::{ExprTrait, OnConflict},
};

use super::hide_db_error;
use crate::domain::AuthError;

pub use Model as Account;

/// Accompanies a row of `user`. A user without this row was created by MediaManager.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "auth_user_account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// Unix seconds.
    pub created_at: i64,
    /// When the user was verified to own the address. Unlike `user.is_verified`, this is not the
    /// approval.
    pub email_verified_at: Option<i64>,
    pub last_login_at: Option<i64>,
    /// Whether the user has no known password: the account was created by a login through the
    /// provider, or its password was revoked.
    pub is_passwordless: bool,
    /// When and by whom the user was approved; unknown when MediaManager did it.
    pub approved_at: Option<i64>,
    /// The id of an administrator, or `setup`, `shell`, `provider`, `admin_emails`.
    pub approved_by: Option<String>,
    /// When and by whom the user was made an administrator.
    pub admin_granted_at: Option<i64>,
    pub admin_granted_by: Option<String>,
    /// Part of every link of the account; incrementing it revokes the links made before (SR-046).
    pub link_generation: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The columns of a new user's row.
pub struct NewAccount<'a> {
    pub user: Uuid,
    pub is_email_verified: bool,
    pub is_passwordless: bool,
    /// `None` when the user has yet to be approved.
    pub approved_by: Option<&'a str>,
    /// `None` when the user is not an administrator.
    pub admin_granted_by: Option<&'a str>,
}

/// Inserts the row of a new user.
pub async fn insert(
    db: &impl ConnectionTrait,
    account: NewAccount<'_>,
    now: i64,
) -> Result<(), AuthError> {
    let row = ActiveModel {
        email_verified_at: Set(account.is_email_verified.then_some(now)),
        is_passwordless: Set(account.is_passwordless),
        approved_at: Set(account.approved_by.map(|_| now)),
        approved_by: Set(account.approved_by.map(ToOwned::to_owned)),
        admin_granted_at: Set(account.admin_granted_by.map(|_| now)),
        admin_granted_by: Set(account.admin_granted_by.map(ToOwned::to_owned)),
        ..default_row(account.user, now)
    };
    Entity::insert(row)
        .exec_without_returning(db)
        .await
        .map_err(hide_db_error)?;
    Ok(())
}

/// Records a login. A login with the password shows that the user knows it, so the account is no
/// longer passwordless.
pub async fn record_login(
    db: &impl ConnectionTrait,
    user: Uuid,
    has_password: bool,
    now: i64,
) -> Result<(), AuthError> {
    let row = ActiveModel {
        last_login_at: Set(Some(now)),
        ..default_row(user, now)
    };
    if has_password {
        upsert(db, row, [Column::LastLoginAt, Column::IsPasswordless]).await
    } else {
        upsert(db, row, [Column::LastLoginAt]).await
    }
}

/// Marks the account as passwordless.
pub async fn set_passwordless(
    db: &impl ConnectionTrait,
    user: Uuid,
    now: i64,
) -> Result<(), AuthError> {
    upsert(
        db,
        ActiveModel {
            is_passwordless: Set(true),
            ..default_row(user, now)
        },
        [Column::IsPasswordless],
    )
    .await
}

/// Marks the password as known to the user.
pub async fn clear_passwordless(
    db: &impl ConnectionTrait,
    user: Uuid,
    now: i64,
) -> Result<(), AuthError> {
    upsert(db, default_row(user, now), [Column::IsPasswordless]).await
}

/// Sets who approved the user; `None` when the approval was revoked.
pub async fn set_approval(
    db: &impl ConnectionTrait,
    user: Uuid,
    by: Option<&str>,
    now: i64,
) -> Result<(), AuthError> {
    let row = ActiveModel {
        approved_at: Set(by.map(|_| now)),
        approved_by: Set(by.map(ToOwned::to_owned)),
        ..default_row(user, now)
    };
    upsert(db, row, [Column::ApprovedAt, Column::ApprovedBy]).await
}

/// Sets who made the user an administrator; `None` when the right was revoked.
pub async fn set_admin_grant(
    db: &impl ConnectionTrait,
    user: Uuid,
    by: Option<&str>,
    now: i64,
) -> Result<(), AuthError> {
    let row = ActiveModel {
        admin_granted_at: Set(by.map(|_| now)),
        admin_granted_by: Set(by.map(ToOwned::to_owned)),
        ..default_row(user, now)
    };
    upsert(db, row, [Column::AdminGrantedAt, Column::AdminGrantedBy]).await
}

/// Marks the user's current address as verified.
pub async fn set_email_verified(
    db: &impl ConnectionTrait,
    user: Uuid,
    now: i64,
) -> Result<(), AuthError> {
    let row = ActiveModel {
        email_verified_at: Set(Some(now)),
        ..default_row(user, now)
    };
    upsert(db, row, [Column::EmailVerifiedAt]).await
}

/// Marks the user's current address as verified and the account as passwordless: someone other than
/// the owner of the address may have set the password.
pub async fn set_email_verified_without_password(
    db: &impl ConnectionTrait,
    user: Uuid,
    now: i64,
) -> Result<(), AuthError> {
    let row = ActiveModel {
        email_verified_at: Set(Some(now)),
        is_passwordless: Set(true),
        ..default_row(user, now)
    };
    upsert(db, row, [Column::EmailVerifiedAt, Column::IsPasswordless]).await
}

/// Marks the user's current address as unverified.
pub async fn clear_email_verified(
    db: &impl ConnectionTrait,
    user: Uuid,
    now: i64,
) -> Result<(), AuthError> {
    upsert(db, default_row(user, now), [Column::EmailVerifiedAt]).await
}

/// Whether the user was verified to own the address (SR-035).
pub async fn is_email_verified(db: &impl ConnectionTrait, user: Uuid) -> Result<bool, AuthError> {
    Ok(find(db, user)
        .await?
        .is_some_and(|account| account.email_verified_at.is_some()))
}

/// Whether the user has no known password: the account was created by a login through the provider,
/// or the invitation is not accepted yet.
pub async fn is_passwordless(db: &impl ConnectionTrait, user: Uuid) -> Result<bool, AuthError> {
    Ok(find(db, user)
        .await?
        .is_some_and(|account| account.is_passwordless))
}

/// Revokes all links of an account that were made before, whatever happens to the account later
/// (SR-046).
pub async fn revoke_links(
    db: &impl ConnectionTrait,
    user: Uuid,
    now: i64,
) -> Result<(), AuthError> {
    let row = ActiveModel {
        link_generation: Set(1),
        ..default_row(user, now)
    };
    let on_conflict = OnConflict::column(Column::UserId)
        .value(
            Column::LinkGeneration,
            Expr::col((Entity, Column::LinkGeneration)).add(1),
        )
        .to_owned();
    Entity::insert(row)
        .on_conflict(on_conflict)
        .exec_without_returning(db)
        .await
        .map_err(hide_db_error)?;
    Ok(())
}

/// Returns a user's row; `None` for a user whom MediaManager created and who has not logged in here
/// yet.
pub async fn find(db: &impl ConnectionTrait, user: Uuid) -> Result<Option<Account>, AuthError> {
    Entity::find_by_id(user)
        .one(db)
        .await
        .map_err(hide_db_error)
}

/// Returns the rows of several users, in no particular order.
pub async fn list_for_users(
    db: &impl ConnectionTrait,
    users: Vec<Uuid>,
) -> Result<Vec<Account>, AuthError> {
    Entity::find()
        .filter(Column::UserId.is_in(users))
        .all(db)
        .await
        .map_err(hide_db_error)
}

/// Inserts the row, or updates these columns of an existing one.
async fn upsert<const N: usize>(
    db: &impl ConnectionTrait,
    row: ActiveModel,
    columns: [Column; N],
) -> Result<(), AuthError> {
    let on_conflict = OnConflict::column(Column::UserId)
        .update_columns(columns)
        .to_owned();
    Entity::insert(row)
        .on_conflict(on_conflict)
        .exec_without_returning(db)
        .await
        .map_err(hide_db_error)?;
    Ok(())
}

/// The row of a user of whom nothing is known yet. `created_at` of a user whom MediaManager created
/// is the time of this first write.
fn default_row(user: Uuid, now: i64) -> ActiveModel {
    ActiveModel {
        user_id: Set(user),
        created_at: Set(now),
        email_verified_at: Set(None),
        last_login_at: Set(None),
        is_passwordless: Set(false),
        approved_at: Set(None),
        approved_by: Set(None),
        admin_granted_at: Set(None),
        admin_granted_by: Set(None),
        link_generation: Set(0),
    }
}
