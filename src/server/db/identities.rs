//! Identities: the accounts at an OpenID provider that are linked to users, and MediaManager's own
//! table of such links.

use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, QueryTrait, entity::prelude::*};

use super::hide_db_error;
use crate::domain::AuthError;

pub use Model as Identity;

/// An account at an OpenID provider. The pair of issuer and subject is unique, and the only thing
/// that identifies it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "auth_identity")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    /// Byte for byte as the provider publishes it.
    pub issuer: String,
    pub subject: String,
    /// The `email` claim of the latest login. Displayed, never used to look anything up.
    pub email: Option<String>,
    /// Unix seconds.
    pub created_at: i64,
    pub last_login_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// MediaManager's table of links between users and provider accounts.
pub mod oauth_account {
    use sea_orm::entity::prelude::*;

    /// Without MediaManager's token columns, because nothing needs the tokens.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "oauth_account")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub user_id: Uuid,
        /// The value of `auth.openid_connect.name` when the row was written.
        pub oauth_name: String,
        /// The provider's `sub`.
        pub account_id: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The columns of a new row.
pub struct NewIdentity<'a> {
    pub user: Uuid,
    pub issuer: &'a str,
    pub subject: &'a str,
    pub email: Option<&'a str>,
}

/// Returns the identity with this issuer and subject (SR-070).
pub async fn find(
    db: &impl ConnectionTrait,
    issuer: &str,
    subject: &str,
) -> Result<Option<Identity>, AuthError> {
    let found = Entity::find()
        .filter(Column::Issuer.eq(issuer))
        .filter(Column::Subject.eq(subject));
    found.one(db).await.map_err(hide_db_error)
}

/// Inserts an identity. The caller's transaction is [serialized](super::serialize), so two first
/// logins with one identity run one after the other.
pub async fn insert(
    db: &impl ConnectionTrait,
    new: NewIdentity<'_>,
    now: i64,
) -> Result<Identity, AuthError> {
    let row = ActiveModel {
        id: Set(crate::server::crypto::random::uuid()),
        user_id: Set(new.user),
        issuer: Set(new.issuer.to_owned()),
        subject: Set(new.subject.to_owned()),
        email: Set(new.email.map(ToOwned::to_owned)),
        created_at: Set(now),
        last_login_at: Set(now),
    };
    Entity::insert(row)
        .exec_with_returning(db)
        .await
        .map_err(hide_db_error)
}

/// Records a login and the `email` claim that came with it.
pub async fn record_login(
    db: &impl ConnectionTrait,
    id: Uuid,
    email: Option<&str>,
    now: i64,
) -> Result<(), AuthError> {
    let update = Entity::update_many()
        .col_expr(Column::LastLoginAt, Expr::value(now))
        .col_expr(Column::Email, Expr::value(email.map(ToOwned::to_owned)));
    update
        .filter(Column::Id.eq(id))
        .exec(db)
        .await
        .map_err(hide_db_error)?;
    Ok(())
}

/// Returns the identities of a user, oldest first.
pub async fn list_for_user(
    db: &impl ConnectionTrait,
    user: Uuid,
) -> Result<Vec<Identity>, AuthError> {
    let rows = Entity::find()
        .filter(Column::UserId.eq(user))
        .order_by_asc(Column::CreatedAt);
    rows.all(db).await.map_err(hide_db_error)
}

/// Unlinks one identity from a user. MediaManager's link to the same subject is deleted too,
/// because the next login would restore the identity from it. Returns false when the identity
/// belongs to another user.
pub async fn delete(
    db: &impl ConnectionTrait,
    user: Uuid,
    identity: &Identity,
) -> Result<bool, AuthError> {
    let owned = Entity::delete_many()
        .filter(Column::Id.eq(identity.id))
        .filter(Column::UserId.eq(user));
    let deleted = owned.exec(db).await.map_err(hide_db_error)?.rows_affected;
    let links = oauth_account::Entity::delete_many().filter(oauth_account::Column::UserId.eq(user));
    links
        .filter(oauth_account::Column::AccountId.eq(&identity.subject))
        .exec(db)
        .await
        .map_err(hide_db_error)?;
    Ok(deleted == 1)
}

/// Unlinks all identities from a user, including MediaManager's links: someone else may have
/// created them.
pub async fn delete_for_user(db: &impl ConnectionTrait, user: Uuid) -> Result<(), AuthError> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user))
        .exec(db)
        .await
        .map_err(hide_db_error)?;
    oauth_account::Entity::delete_many()
        .filter(oauth_account::Column::UserId.eq(user))
        .exec(db)
        .await
        .map_err(hide_db_error)?;
    Ok(())
}

/// Returns the users whom MediaManager linked to this subject under this provider's name and who
/// have no identity yet. MediaManager's link has no issuer, so it is trusted for the first login
/// only. There may be several users, because its table has no unique constraint.
pub async fn find_linked_by_mediamanager(
    db: &impl ConnectionTrait,
    oauth_name: &str,
    subject: &str,
) -> Result<Vec<Uuid>, AuthError> {
    let rows = oauth_account::Entity::find()
        .select_only()
        .column(oauth_account::Column::UserId)
        .distinct()
        .filter(oauth_account::Column::OauthName.eq(oauth_name))
        .filter(oauth_account::Column::AccountId.eq(subject))
        .filter(
            oauth_account::Column::UserId.not_in_subquery(
                Entity::find()
                    .select_only()
                    .column(Column::UserId)
                    .into_query(),
            ),
        );
    rows.into_tuple().all(db).await.map_err(hide_db_error)
}
