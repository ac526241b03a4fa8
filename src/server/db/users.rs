//! MediaManager's table of users.

use sea_orm::{
    ActiveValue::Set,
    DbBackend, SqlErr,
    entity::prelude::*,
    sea_query::{ExprTrait, Func, Query},
};

use super::hide_db_error;
use crate::domain::{AuthError, Email, User};

mod list;

pub use list::{
    count, find_page, has_administrator, has_other_administrator, list_admins, list_by_ids,
    list_superusers,
};

/// A row of MediaManager's table. It has no column defaults and no times, so every column is
/// written explicitly.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub email: String,
    pub hashed_password: String,
    pub is_active: bool,
    pub is_superuser: bool,
    pub is_verified: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Not derived, because the row holds the password hash (SR-181).
impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("user")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl From<Model> for User {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            email: row.email,
            is_active: row.is_active,
            is_superuser: row.is_superuser,
            is_verified: row.is_verified,
        }
    }
}

/// A user and the hash that their password is verified against.
pub struct Credentials {
    pub user: User,
    pub hashed_password: String,
}

impl From<Model> for Credentials {
    fn from(row: Model) -> Self {
        Self {
            hashed_password: row.hashed_password.clone(),
            user: row.into(),
        }
    }
}

/// The columns of a new row. A new user is active.
pub struct NewUser<'a> {
    pub email: &'a Email,
    pub hashed_password: String,
    pub is_superuser: bool,
    pub is_verified: bool,
}

/// Finds the account of an address, in whatever letter case MediaManager stored it.
///
/// If several rows differ in letter case only, the exact match wins, else none: a guess could open
/// another person's account.
pub async fn find_by_email(
    db: &impl ConnectionTrait,
    email: &Email,
) -> Result<Option<Credentials>, AuthError> {
    let mut rows = find_rows_by_email(db, email).await?;
    if rows.len() > 1 {
        tracing::warn!(
            event = "ambiguous_email",
            "several accounts have the same address but for capital letters; only an exact match can log in"
        );
        rows.retain(|row| row.email == email.as_str());
    }
    Ok(rows.pop().map(Into::into))
}

/// Whether an account has this address, in whatever letter case.
pub async fn is_taken(db: &impl ConnectionTrait, email: &Email) -> Result<bool, AuthError> {
    Ok(!find_rows_by_email(db, email).await?.is_empty())
}

/// Whether an account has exactly this address. For addresses that are not a valid [`Email`] and so
/// have no canonical form.
pub async fn is_taken_exact(db: &impl ConnectionTrait, address: &str) -> Result<bool, AuthError> {
    Ok(Entity::find()
        .filter(Column::Email.eq(address))
        .count(db)
        .await
        .map_err(hide_db_error)?
        > 0)
}

/// Whether an account other than `user` has this address, in whatever letter case.
pub async fn is_taken_by_another(
    db: &impl ConnectionTrait,
    email: &Email,
    user: Uuid,
) -> Result<bool, AuthError> {
    Ok(find_rows_by_email(db, email)
        .await?
        .iter()
        .any(|row| row.id != user))
}

/// Returns the rows with this address in any letter case. The database's `lower()` may fold more
/// than ASCII (the KELVIN SIGN becomes `k`), so its result is compared again here (SR-030).
async fn find_rows_by_email(
    db: &impl ConnectionTrait,
    email: &Email,
) -> Result<Vec<Model>, AuthError> {
    // MediaManager's index is case-sensitive, so this scans. Trying an exact match first would make
    // known addresses measurably faster (SR-020). On SQLite the subquery scans the index only,
    // which is a fifth of the table's size.
    let same_address = match db.get_database_backend() {
        DbBackend::Sqlite => {
            let any_case = Expr::cust_with_values("email = ? COLLATE NOCASE", [email.as_str()]);
            Column::Email.in_subquery(
                Query::select()
                    .column(Column::Email)
                    .from(Entity)
                    .and_where(any_case)
                    .to_owned(),
            )
        }
        _ => Expr::expr(Func::lower(Expr::col(Column::Email))).eq(email.as_str()),
    };
    let mut rows = Entity::find()
        .filter(same_address)
        .all(db)
        .await
        .map_err(hide_db_error)?;
    rows.retain(|row| row.email.eq_ignore_ascii_case(email.as_str()));
    Ok(rows)
}

/// Whether there is no user, so that the setup may create the first administrator.
pub async fn is_empty(db: &impl ConnectionTrait) -> Result<bool, AuthError> {
    Ok(Entity::find().count(db).await.map_err(hide_db_error)? == 0)
}

/// Inserts a user. Of two concurrent inserts with one address, the unique index rejects the second
/// (SR-036).
///
/// # Errors
/// `EmailTaken`.
pub async fn insert(db: &impl ConnectionTrait, new: NewUser<'_>) -> Result<User, AuthError> {
    if is_taken(db, new.email).await? {
        return Err(AuthError::EmailTaken);
    }
    let row = ActiveModel {
        id: Set(crate::server::crypto::random::uuid()),
        email: Set(new.email.as_str().to_owned()),
        hashed_password: Set(new.hashed_password),
        is_active: Set(true),
        is_superuser: Set(new.is_superuser),
        is_verified: Set(new.is_verified),
    };
    match Entity::insert(row).exec_with_returning(db).await {
        Ok(row) => Ok(row.into()),
        Err(err) if matches!(err.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
            Err(AuthError::EmailTaken)
        }
        Err(err) => Err(hide_db_error(err)),
    }
}

/// Whether an account is still active and has the same address and hash as when the password was
/// verified. The hash is replaced by `stronger`, a hash of the same password, if there is one. The
/// row is written in any case: the write locks it until the transaction ends, so it cannot change
/// after the check.
pub async fn recheck_unchanged(
    db: &impl ConnectionTrait,
    user: &User,
    hash: &str,
    stronger: Option<&str>,
) -> Result<bool, AuthError> {
    let update =
        Entity::update_many().col_expr(Column::HashedPassword, stronger.unwrap_or(hash).into());
    let same_account = update
        .filter(Column::Id.eq(user.id))
        .filter(Column::Email.eq(&user.email));
    let unchanged = same_account
        .filter(Column::IsActive.eq(true))
        .filter(Column::HashedPassword.eq(hash));
    Ok(unchanged
        .exec(db)
        .await
        .map_err(hide_db_error)?
        .rows_affected
        == 1)
}

/// Replaces the password hash of a user unconditionally.
pub async fn set_hash(db: &impl ConnectionTrait, id: Uuid, hash: String) -> Result<(), AuthError> {
    let update = Entity::update_many().col_expr(Column::HashedPassword, hash.into());
    update
        .filter(Column::Id.eq(id))
        .exec(db)
        .await
        .map_err(hide_db_error)?;
    Ok(())
}

/// Replaces the password hash of an active account; false when its address or hash has changed
/// since `found` was read (SR-044).
pub async fn replace_hash(
    db: &impl ConnectionTrait,
    found: &Credentials,
    hash: String,
) -> Result<bool, AuthError> {
    let update = Entity::update_many().col_expr(Column::HashedPassword, hash.into());
    let unchanged = update
        .filter(Column::Id.eq(found.user.id))
        .filter(Column::HashedPassword.eq(&found.hashed_password))
        .filter(Column::Email.eq(&found.user.email))
        .filter(Column::IsActive.eq(true));
    Ok(unchanged
        .exec(db)
        .await
        .map_err(hide_db_error)?
        .rows_affected
        == 1)
}

/// Sets the address of a user. The caller's transaction is [serialized](super::serialize) and has
/// checked that the address is free.
pub async fn set_email(
    db: &impl ConnectionTrait,
    id: Uuid,
    email: &Email,
) -> Result<(), AuthError> {
    let update = Entity::update_many().col_expr(Column::Email, email.as_str().into());
    update
        .filter(Column::Id.eq(id))
        .exec(db)
        .await
        .map_err(hide_db_error)?;
    Ok(())
}

/// Writes the rights that differ between `before` and `after`, and no others: another transaction
/// may be changing those.
pub async fn set_rights(
    db: &impl ConnectionTrait,
    before: &User,
    after: &User,
) -> Result<(), AuthError> {
    let rights = [
        (Column::IsActive, before.is_active, after.is_active),
        (Column::IsSuperuser, before.is_superuser, after.is_superuser),
        (Column::IsVerified, before.is_verified, after.is_verified),
    ];
    let mut update = Entity::update_many();
    for (column, _, now) in rights.into_iter().filter(|(_, was, now)| was != now) {
        update = update.col_expr(column, now.into());
    }
    if rights.iter().any(|(_, was, now)| was != now) {
        update
            .filter(Column::Id.eq(before.id))
            .exec(db)
            .await
            .map_err(hide_db_error)?;
    }
    Ok(())
}

/// Returns the user with this id.
pub async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<User>, AuthError> {
    Ok(Entity::find_by_id(id)
        .one(db)
        .await
        .map_err(hide_db_error)?
        .map(Into::into))
}

/// Returns the user with this id and their password hash.
pub async fn find_with_hash(
    db: &impl ConnectionTrait,
    id: Uuid,
) -> Result<Option<Credentials>, AuthError> {
    Ok(Entity::find_by_id(id)
        .one(db)
        .await
        .map_err(hide_db_error)?
        .map(Into::into))
}

/// Deletes a user and, by the foreign keys, everything that belongs to them (SR-145). False when
/// there is no such user.
pub async fn delete(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, AuthError> {
    Ok(Entity::delete_by_id(id)
        .exec(db)
        .await
        .map_err(hide_db_error)?
        .rows_affected
        == 1)
}
