//! A database of MediaManager's own, to copy people from. Nothing in it is ever written.

use sea_orm::{
    ColumnTrait, ConnectOptions, ConnectionTrait, Database as Connector, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Alias, Expr, Query},
};
use uuid::Uuid;

use super::{
    Database,
    entity::{oauth_account, user},
    patience::PATIENCE,
    unavailable,
    users::Credentials,
};
use crate::domain::AuthError;

/// Rows that are read at a time.
const BATCH: u64 = 500;

/// MediaManager's own link between a user and a provider.
pub struct Link {
    pub id: Uuid,
    pub user: Uuid,
    oauth_name: String,
    account_id: String,
    account_email: String,
}

/// Opens it, and looks whether it is one.
///
/// # Errors
/// A sentence for the operator, without the password in the URL.
pub async fn open(url: &str) -> Result<Database, String> {
    let mut options = ConnectOptions::new(url);
    options.sqlx_logging(false).connect_timeout(PATIENCE).acquire_timeout(PATIENCE).max_connections(1);
    let db = Connector::connect(options).await.map_err(|err| format!("cannot open that database: {err}"))?;
    let tables = [user::Entity::find().limit(1).all(&db).await.err(), oauth_account::Entity::find().limit(1).all(&db).await.err()];
    if tables.iter().any(Option::is_some) {
        return Err("this is no database of MediaManager: it has no tables \"user\" and oauth_account that can be read".to_owned());
    }
    Ok(db.into())
}

/// The users after this one, by id.
///
/// # Errors
/// `Unavailable`.
pub async fn users_after(db: &Database, last: Option<Uuid>) -> Result<Vec<Credentials>, AuthError> {
    let mut rows = user::Entity::find().order_by_asc(user::Column::Id).limit(BATCH);
    if let Some(last) = last {
        rows = rows.filter(user::Column::Id.gt(last));
    }
    let rows = rows.all(db).await.map_err(unavailable)?;
    Ok(rows.into_iter().map(|row| Credentials { hashed_password: row.hashed_password.clone(), user: row.into() }).collect())
}

/// The links of a user.
///
/// # Errors
/// `Unavailable`.
pub async fn links_of(db: &Database, user: Uuid) -> Result<Vec<Link>, AuthError> {
    let rows = oauth_account::Entity::find()
        .select_only()
        .columns([oauth_account::Column::Id, oauth_account::Column::OauthName, oauth_account::Column::AccountId])
        .column_as(Expr::col(Alias::new("account_email")), "account_email")
        .filter(oauth_account::Column::UserId.eq(user));
    let rows: Vec<(Uuid, String, String, String)> = rows.into_tuple().all(db).await.map_err(unavailable)?;
    Ok(rows.into_iter().map(|(id, oauth_name, account_id, account_email)| Link { id, user, oauth_name, account_id, account_email }).collect())
}

/// Writes a user here as they are there, with the same id. The caller has looked that neither id nor address is taken.
///
/// # Errors
/// `Unavailable`.
pub async fn insert_user(db: &impl ConnectionTrait, copied: &Credentials) -> Result<(), AuthError> {
    use sea_orm::ActiveValue::Set;
    let row = user::ActiveModel {
        id: Set(copied.user.id),
        email: Set(copied.user.email.clone()),
        hashed_password: Set(copied.hashed_password.clone()),
        is_active: Set(copied.user.is_active),
        is_superuser: Set(copied.user.is_superuser),
        is_verified: Set(copied.user.is_verified),
    };
    user::Entity::insert(row).exec_without_returning(db).await.map_err(unavailable)?;
    Ok(())
}

/// Writes a link here, without the provider's tokens: nothing needs them (SR-069).
///
/// # Errors
/// `Unavailable`.
pub async fn insert_link(db: &impl ConnectionTrait, link: &Link) -> Result<(), AuthError> {
    let columns = ["id", "user_id", "oauth_name", "access_token", "account_id", "account_email"].map(Alias::new);
    let values =
        [link.id.into(), link.user.into(), link.oauth_name.as_str().into(), "".into(), link.account_id.as_str().into(), link.account_email.as_str().into()];
    let mut insert = Query::insert();
    insert.into_table(Alias::new("oauth_account")).columns(columns).values_panic(values);
    db.execute(&insert).await.map_err(unavailable)?;
    Ok(())
}
