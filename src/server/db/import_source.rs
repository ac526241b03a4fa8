//! The database of another MediaManager, from which users are imported. It is only read.

use sea_orm::{
    ConnectOptions, Database as Connector, QueryOrder, QuerySelect,
    entity::prelude::*,
    sea_query::{Alias, Query},
};

use super::{
    Database,
    deadline::REQUEST_DB_BUDGET,
    hide_db_error,
    identities::oauth_account,
    users::{self, Credentials},
};
use crate::domain::AuthError;

/// The number of users that one query reads.
const MAX_BATCH_ROWS: u64 = 500;

/// A row of MediaManager's `oauth_account`, without its tokens.
pub struct OauthLink {
    pub id: Uuid,
    pub user: Uuid,
    oauth_name: String,
    account_id: String,
    account_email: String,
}

/// Opens the database and checks that it has MediaManager's tables.
///
/// # Errors
/// A sentence for the operator, without the password in the URL.
pub async fn open(url: &str) -> Result<Database, String> {
    let mut options = ConnectOptions::new(url);
    options
        .sqlx_logging(false)
        .connect_timeout(REQUEST_DB_BUDGET)
        .acquire_timeout(REQUEST_DB_BUDGET)
        .max_connections(1);
    let db = Connector::connect(options)
        .await
        .map_err(|err| format!("cannot open that database: {err}"))?;
    let tables = [
        users::Entity::find().limit(1).all(&db).await.err(),
        oauth_account::Entity::find().limit(1).all(&db).await.err(),
    ];
    if tables.iter().any(Option::is_some) {
        return Err("this is no database of MediaManager: it has no tables \"user\" and oauth_account that can be read".to_owned());
    }
    Ok(db.into())
}

/// Returns the next users in the order of their ids, after the id `last`.
pub async fn list_users_after(
    db: &Database,
    last: Option<Uuid>,
) -> Result<Vec<Credentials>, AuthError> {
    let mut rows = users::Entity::find()
        .order_by_asc(users::Column::Id)
        .limit(MAX_BATCH_ROWS);
    if let Some(last) = last {
        rows = rows.filter(users::Column::Id.gt(last));
    }
    let rows = rows.all(db).await.map_err(hide_db_error)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Returns the provider links of a user.
pub async fn list_links(db: &Database, user: Uuid) -> Result<Vec<OauthLink>, AuthError> {
    let rows = oauth_account::Entity::find()
        .select_only()
        .columns([
            oauth_account::Column::Id,
            oauth_account::Column::OauthName,
            oauth_account::Column::AccountId,
        ])
        .column_as(Expr::col(Alias::new("account_email")), "account_email")
        .filter(oauth_account::Column::UserId.eq(user));
    let rows: Vec<(Uuid, String, String, String)> =
        rows.into_tuple().all(db).await.map_err(hide_db_error)?;
    Ok(rows
        .into_iter()
        .map(|(id, oauth_name, account_id, account_email)| OauthLink {
            id,
            user,
            oauth_name,
            account_id,
            account_email,
        })
        .collect())
}

/// Inserts a user into our database unchanged, with the same id. The caller has checked that
/// neither the id nor the address is taken.
pub async fn insert_user(db: &impl ConnectionTrait, source: &Credentials) -> Result<(), AuthError> {
    use sea_orm::ActiveValue::Set;
    let row = users::ActiveModel {
        id: Set(source.user.id),
        email: Set(source.user.email.clone()),
        hashed_password: Set(source.hashed_password.clone()),
        is_active: Set(source.user.is_active),
        is_superuser: Set(source.user.is_superuser),
        is_verified: Set(source.user.is_verified),
    };
    users::Entity::insert(row)
        .exec_without_returning(db)
        .await
        .map_err(hide_db_error)?;
    Ok(())
}

/// Inserts a provider link into our database, without the provider's tokens: nothing needs them
/// (SR-069).
pub async fn insert_link(db: &impl ConnectionTrait, link: &OauthLink) -> Result<(), AuthError> {
    let columns = [
        "id",
        "user_id",
        "oauth_name",
        "access_token",
        "account_id",
        "account_email",
    ]
    .map(Alias::new);
    let values = [
        link.id.into(),
        link.user.into(),
        link.oauth_name.as_str().into(),
        "".into(),
        link.account_id.as_str().into(),
        link.account_email.as_str().into(),
    ];
    let mut insert = Query::insert();
    insert
        .into_table(Alias::new("oauth_account"))
        .columns(columns)
        .values_panic(values);
    db.execute(&insert).await.map_err(hide_db_error)?;
    Ok(())
}
