use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, SqlErr,
    sea_query::{Expr, ExprTrait, Func, LikeExpr, Query},
};
use uuid::Uuid;

use super::{entity::user, unavailable};
use crate::domain::{AuthError, Email, User};

/// A user together with the hash to check a password against.
pub struct Credentials {
    pub user: User,
    pub hashed_password: String,
}

/// What a new row says. Everything is written explicitly, because MediaManager's table has no defaults.
pub struct NewUser<'a> {
    pub email: &'a Email,
    pub hashed_password: String,
    pub is_superuser: bool,
    pub is_verified: bool,
}

/// Finds the account of an address, in whatever letter case MediaManager stored it.
///
/// The database's `lower()` may fold more than ASCII (the KELVIN SIGN becomes `k`), so its answer is compared again here
/// (SR-030). Of several rows that differ in case only, the exact match wins, else nobody: guessing would open a stranger's account.
///
/// # Errors
/// `Unavailable`.
pub async fn find_by_email(db: &impl ConnectionTrait, email: &Email) -> Result<Option<Credentials>, AuthError> {
    let mut rows = with_address(db, email).await?;
    if rows.len() > 1 {
        tracing::warn!(event = "address_ambiguous", "several accounts have the same address but for capital letters; only an exact match can log in");
        rows.retain(|row| row.email == email.as_str());
    }
    Ok(rows.pop().map(|row| Credentials { hashed_password: row.hashed_password.clone(), user: row.into() }))
}

/// Whether anybody has this address, in whatever letter case.
///
/// # Errors
/// `Unavailable`.
pub async fn is_taken(db: &impl ConnectionTrait, email: &Email) -> Result<bool, AuthError> {
    Ok(!with_address(db, email).await?.is_empty())
}

/// Whether anybody has an address that is none of ours, and so is compared to the letter.
///
/// # Errors
/// `Unavailable`.
pub async fn is_taken_to_the_letter(db: &impl ConnectionTrait, address: &str) -> Result<bool, AuthError> {
    Ok(user::Entity::find().filter(user::Column::Email.eq(address)).count(db).await.map_err(unavailable)? > 0)
}

/// Whether anybody else has this address.
///
/// # Errors
/// `Unavailable`.
pub async fn is_taken_by_another(db: &impl ConnectionTrait, email: &Email, than: Uuid) -> Result<bool, AuthError> {
    Ok(with_address(db, email).await?.iter().any(|row| row.id != than))
}

async fn with_address(db: &impl ConnectionTrait, email: &Email) -> Result<Vec<user::Model>, AuthError> {
    // Every row has to be looked at, because MediaManager's index is of the letters as they are, and asking for these first would be quick
    // for those who have an account only (SR-020). SQLite looks at that index alone, a fifth of the table, if nothing else is asked for.
    let same_address = match db.get_database_backend() {
        DbBackend::Sqlite => {
            let any_case = Expr::cust_with_values("email = ? COLLATE NOCASE", [email.as_str()]);
            user::Column::Email.in_subquery(Query::select().column(user::Column::Email).from(user::Entity).and_where(any_case).to_owned())
        }
        _ => Expr::expr(Func::lower(Expr::col(user::Column::Email))).eq(email.as_str()),
    };
    let mut rows = user::Entity::find().filter(same_address).all(db).await.map_err(unavailable)?;
    rows.retain(|row| row.email.eq_ignore_ascii_case(email.as_str()));
    Ok(rows)
}

/// Whether nobody has an account yet, so that the first administrator may be made.
///
/// # Errors
/// `Unavailable`.
pub async fn is_empty(db: &impl ConnectionTrait) -> Result<bool, AuthError> {
    Ok(user::Entity::find().count(db).await.map_err(unavailable)? == 0)
}

/// Adds a user. The unique index on the canonical address decides between two at once (SR-036).
///
/// # Errors
/// `EmailTaken`, `Unavailable`.
pub async fn insert(db: &impl ConnectionTrait, new: NewUser<'_>) -> Result<User, AuthError> {
    if is_taken(db, new.email).await? {
        return Err(AuthError::EmailTaken);
    }
    let row = user::ActiveModel {
        id: Set(crate::server::random::uuid()),
        email: Set(new.email.as_str().to_owned()),
        hashed_password: Set(new.hashed_password),
        is_active: Set(true),
        is_superuser: Set(new.is_superuser),
        is_verified: Set(new.is_verified),
    };
    match user::Entity::insert(row).exec_with_returning(db).await {
        Ok(row) => Ok(row.into()),
        Err(err) if matches!(err.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => Err(AuthError::EmailTaken),
        Err(err) => Err(unavailable(err)),
    }
}

/// Whether an account is still active and still has this address and this hash, which is replaced by a stronger one of the same password if
/// there is one. A write in any case: it holds the row until the transaction ends, so nothing changes behind the caller's back.
///
/// # Errors
/// `Unavailable`.
pub async fn confirm(db: &impl ConnectionTrait, user: &User, hash: &str, stronger: Option<&str>) -> Result<bool, AuthError> {
    let update = user::Entity::update_many().col_expr(user::Column::HashedPassword, stronger.unwrap_or(hash).into());
    let same_account = update.filter(user::Column::Id.eq(user.id)).filter(user::Column::Email.eq(&user.email));
    let as_proven = same_account.filter(user::Column::IsActive.eq(true)).filter(user::Column::HashedPassword.eq(hash));
    Ok(as_proven.exec(db).await.map_err(unavailable)?.rows_affected == 1)
}

/// Replaces the password of a user, whatever it was.
///
/// # Errors
/// `Unavailable`.
pub async fn set_hash(db: &impl ConnectionTrait, id: Uuid, hash: String) -> Result<(), AuthError> {
    let update = user::Entity::update_many().col_expr(user::Column::HashedPassword, hash.into());
    update.filter(user::Column::Id.eq(id)).exec(db).await.map_err(unavailable)?;
    Ok(())
}

/// Gives a user another address. The caller is [`alone`](super::alone) and has looked whether it is free.
///
/// # Errors
/// `Unavailable`.
pub async fn set_email(db: &impl ConnectionTrait, id: Uuid, email: &Email) -> Result<(), AuthError> {
    let update = user::Entity::update_many().col_expr(user::Column::Email, email.as_str().into());
    update.filter(user::Column::Id.eq(id)).exec(db).await.map_err(unavailable)?;
    Ok(())
}

/// The user with this id.
///
/// # Errors
/// `Unavailable`.
pub async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<User>, AuthError> {
    Ok(user::Entity::find_by_id(id).one(db).await.map_err(unavailable)?.map(Into::into))
}

/// The user with this id, with the hash.
///
/// # Errors
/// `Unavailable`.
pub async fn find_with_hash(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Credentials>, AuthError> {
    let row = user::Entity::find_by_id(id).one(db).await.map_err(unavailable)?;
    Ok(row.map(|row| Credentials { hashed_password: row.hashed_password.clone(), user: row.into() }))
}

/// Replaces the password of an account that is still as it was found; false when anything of it has changed meanwhile (SR-044).
///
/// # Errors
/// `Unavailable`.
pub async fn replace_hash(db: &impl ConnectionTrait, found: &Credentials, hash: String) -> Result<bool, AuthError> {
    let update = user::Entity::update_many().col_expr(user::Column::HashedPassword, hash.into());
    let as_found = update
        .filter(user::Column::Id.eq(found.user.id))
        .filter(user::Column::HashedPassword.eq(&found.hashed_password))
        .filter(user::Column::Email.eq(&found.user.email))
        .filter(user::Column::IsActive.eq(true));
    Ok(as_found.exec(db).await.map_err(unavailable)?.rows_affected == 1)
}

/// The administrators who can be written to, twenty at most.
///
/// # Errors
/// `Unavailable`.
pub async fn administrators(db: &impl ConnectionTrait) -> Result<Vec<User>, AuthError> {
    let rows = user::Entity::find().filter(user::Column::IsSuperuser.eq(true)).filter(user::Column::IsActive.eq(true)).limit(20);
    Ok(rows.all(db).await.map_err(unavailable)?.into_iter().map(Into::into).collect())
}

/// Writes what is different about what a user may do, and nothing else: somebody may be changing the rest.
///
/// # Errors
/// `Unavailable`.
pub async fn set_rights(db: &impl ConnectionTrait, before: &User, after: &User) -> Result<(), AuthError> {
    let rights = [
        (user::Column::IsActive, before.is_active, after.is_active),
        (user::Column::IsSuperuser, before.is_superuser, after.is_superuser),
        (user::Column::IsVerified, before.is_verified, after.is_verified),
    ];
    let mut update = user::Entity::update_many();
    for (column, _, now) in rights.into_iter().filter(|(_, was, now)| was != now) {
        update = update.col_expr(column, now.into());
    }
    if rights.iter().any(|(_, was, now)| was != now) {
        update.filter(user::Column::Id.eq(before.id)).exec(db).await.map_err(unavailable)?;
    }
    Ok(())
}

/// Whether there is an active and approved administrator.
///
/// # Errors
/// `Unavailable`.
pub async fn has_administrator(db: &impl ConnectionTrait) -> Result<bool, AuthError> {
    Ok(managing().count(db).await.map_err(unavailable)? > 0)
}

/// Whether there is one besides this one. The caller is [`alone`](super::alone) (SR-144).
///
/// # Errors
/// `Unavailable`.
pub async fn has_other_administrator(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, AuthError> {
    Ok(managing().filter(user::Column::Id.ne(id)).count(db).await.map_err(unavailable)? > 0)
}

/// The administrators who can manage the others.
fn managing() -> sea_orm::Select<user::Entity> {
    matching(Which::Administrators).filter(user::Column::IsActive.eq(true)).filter(user::Column::IsVerified.eq(true))
}

/// Takes a user away, and by the foreign keys all that belongs to them (SR-145). False when there is none.
///
/// # Errors
/// `Unavailable`.
pub async fn delete(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, AuthError> {
    Ok(user::Entity::delete_by_id(id).exec(db).await.map_err(unavailable)?.rows_affected == 1)
}

/// A part of all users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    #[default]
    All,
    /// Active, but not approved.
    Waiting,
    /// Active and approved.
    Active,
    Disabled,
    Administrators,
}

/// One page of the users whose address contains `search`, by address, and how many there are in all (SR-146).
///
/// # Errors
/// `Unavailable`.
pub async fn page(db: &impl ConnectionTrait, which: Which, search: &str, offset: u64, limit: u64) -> Result<(Vec<User>, u64), AuthError> {
    let mut rows = matching(which);
    if !search.is_empty() {
        let text: String = search.chars().flat_map(|c| ['\\', '%', '_'].contains(&c).then_some('\\').into_iter().chain([c])).collect();
        // SQLite's `lower()` knows ASCII only, PostgreSQL's all letters.
        let is_like = |text: String| Expr::expr(Func::lower(Expr::col(user::Column::Email))).like(LikeExpr::new(format!("%{text}%")).escape('\\'));
        rows = rows.filter(is_like(text.to_lowercase()).or(is_like(text.to_ascii_lowercase())));
    }
    let total = rows.clone().count(db).await.map_err(unavailable)?;
    let page = rows.order_by_asc(user::Column::Email).order_by_asc(user::Column::Id).offset(offset).limit(limit);
    Ok((page.all(db).await.map_err(unavailable)?.into_iter().map(Into::into).collect(), total))
}

/// How many there are.
///
/// # Errors
/// `Unavailable`.
pub async fn count(db: &impl ConnectionTrait, which: Which) -> Result<u64, AuthError> {
    matching(which).count(db).await.map_err(unavailable)
}

/// The users with these ids, in no order.
///
/// # Errors
/// `Unavailable`.
pub async fn with_ids(db: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Vec<User>, AuthError> {
    let rows = user::Entity::find().filter(user::Column::Id.is_in(ids)).all(db).await.map_err(unavailable)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

fn matching(which: Which) -> sea_orm::Select<user::Entity> {
    let rows = user::Entity::find();
    match which {
        Which::All => rows,
        Which::Waiting => rows.filter(user::Column::IsActive.eq(true)).filter(user::Column::IsVerified.eq(false)),
        Which::Active => rows.filter(user::Column::IsActive.eq(true)).filter(user::Column::IsVerified.eq(true)),
        Which::Disabled => rows.filter(user::Column::IsActive.eq(false)),
        Which::Administrators => rows.filter(user::Column::IsSuperuser.eq(true)),
    }
}

impl From<user::Model> for User {
    fn from(row: user::Model) -> Self {
        Self { id: row.id, email: row.email, is_active: row.is_active, is_superuser: row.is_superuser, is_verified: row.is_verified }
    }
}
