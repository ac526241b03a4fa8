use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::Expr};
use uuid::Uuid;

use super::{
    entity::{identity, oauth_account},
    unavailable,
};
use crate::domain::AuthError;

pub use identity::Model as Identity;

/// An account at a provider that is about to belong to a user.
pub struct NewIdentity<'a> {
    pub user: Uuid,
    pub issuer: &'a str,
    pub subject: &'a str,
    pub email: Option<&'a str>,
}

/// The identity with this issuer and subject (SR-070).
///
/// # Errors
/// `Unavailable`.
pub async fn find(db: &impl ConnectionTrait, issuer: &str, subject: &str) -> Result<Option<Identity>, AuthError> {
    let found = identity::Entity::find().filter(identity::Column::Issuer.eq(issuer)).filter(identity::Column::Subject.eq(subject));
    found.one(db).await.map_err(unavailable)
}

/// Adds an identity. The caller is [`alone`](super::alone), so two first logins of one identity come one after the other.
///
/// # Errors
/// `Unavailable`.
pub async fn insert(db: &impl ConnectionTrait, new: NewIdentity<'_>, now: i64) -> Result<Identity, AuthError> {
    let row = identity::ActiveModel {
        id: Set(crate::server::random::uuid()),
        user_id: Set(new.user),
        issuer: Set(new.issuer.to_owned()),
        subject: Set(new.subject.to_owned()),
        email: Set(new.email.map(ToOwned::to_owned)),
        created_at: Set(now),
        last_login_at: Set(now),
    };
    identity::Entity::insert(row).exec_with_returning(db).await.map_err(unavailable)
}

/// Notes a login and what the provider says now.
///
/// # Errors
/// `Unavailable`.
pub async fn note_login(db: &impl ConnectionTrait, id: Uuid, email: Option<&str>, now: i64) -> Result<(), AuthError> {
    let update = identity::Entity::update_many()
        .col_expr(identity::Column::LastLoginAt, Expr::value(now))
        .col_expr(identity::Column::Email, Expr::value(email.map(ToOwned::to_owned)));
    update.filter(identity::Column::Id.eq(id)).exec(db).await.map_err(unavailable)?;
    Ok(())
}

/// The identities of a user, the oldest first.
///
/// # Errors
/// `Unavailable`.
pub async fn of(db: &impl ConnectionTrait, user: Uuid) -> Result<Vec<Identity>, AuthError> {
    let rows = identity::Entity::find().filter(identity::Column::UserId.eq(user)).order_by_asc(identity::Column::CreatedAt);
    rows.all(db).await.map_err(unavailable)
}

/// Takes one identity from a user, and MediaManager's own link to the same subject, which would connect it again. False when
/// it is not theirs.
///
/// # Errors
/// `Unavailable`.
pub async fn delete(db: &impl ConnectionTrait, user: Uuid, identity: &Identity) -> Result<bool, AuthError> {
    let theirs = identity::Entity::delete_many().filter(identity::Column::Id.eq(identity.id)).filter(identity::Column::UserId.eq(user));
    let deleted = theirs.exec(db).await.map_err(unavailable)?.rows_affected;
    let links = oauth_account::Entity::delete_many().filter(oauth_account::Column::UserId.eq(user));
    links.filter(oauth_account::Column::AccountId.eq(&identity.subject)).exec(db).await.map_err(unavailable)?;
    Ok(deleted == 1)
}

/// Takes all identities from a user, MediaManager's own links included: somebody else may have made them.
///
/// # Errors
/// `Unavailable`.
pub async fn delete_of(db: &impl ConnectionTrait, user: Uuid) -> Result<(), AuthError> {
    identity::Entity::delete_many().filter(identity::Column::UserId.eq(user)).exec(db).await.map_err(unavailable)?;
    oauth_account::Entity::delete_many().filter(oauth_account::Column::UserId.eq(user)).exec(db).await.map_err(unavailable)?;
    Ok(())
}

/// The users whom MediaManager linked to this subject under this provider's name, as long as they have no identity: such a link has
/// no issuer, so it is followed once and never again. More than one when two first logins met there: its table does not forbid it.
///
/// # Errors
/// `Unavailable`.
pub async fn linked_by_mediamanager(db: &impl ConnectionTrait, oauth_name: &str, subject: &str) -> Result<Vec<Uuid>, AuthError> {
    let rows = oauth_account::Entity::find()
        .select_only()
        .column(oauth_account::Column::UserId)
        .distinct()
        .filter(oauth_account::Column::OauthName.eq(oauth_name))
        .filter(oauth_account::Column::AccountId.eq(subject))
        .filter(oauth_account::Column::UserId.not_in_subquery(identity::Entity::find().select_only().column(identity::Column::UserId).into_query()));
    rows.into_tuple().all(db).await.map_err(unavailable)
}
