//! Sessions. A session token is valid only while its row here is live.

use sea_orm::{
    ActiveValue::Set,
    Condition, QueryOrder, QuerySelect, QueryTrait,
    entity::prelude::*,
    sea_query::{IntoCondition, SelectStatement},
};

use super::{delete_in_batches, hide_db_error, identities, users};
use crate::domain::{AuthError, User};

pub use Model as Session;

/// The number of live sessions of one user; a new session ends the oldest ones beyond it (SR-100).
const MAX_PER_USER: u64 = 50;
/// The number of ended and expired rows of one user that a new session leaves (SR-173).
const MAX_ENDED_PER_USER: u64 = 200;
/// How long a row is kept after its session has expired, because [`has_logged_in_from`] reads
/// earlier logins (SR-024).
const RETENTION_SECONDS: i64 = 30 * 24 * 60 * 60;

/// A login in one browser. The token in the browser's cookie names this row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "auth_session")]
pub struct Model {
    /// 128 random bits; not a credential without a token that signs it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    /// The time of the login, Unix seconds.
    pub created_at: i64,
    pub expires_at: i64,
    /// Set when the session was revoked before it expired.
    pub ended_at: Option<i64>,
    /// `password`, `oidc` or `setup`.
    pub method: String,
    /// The client address of the login: an IPv4 address or an IPv6 /64.
    pub client_ip: String,
    /// The `User-Agent` header, cut to 255 characters.
    pub user_agent: String,
    /// Whether the browser had a device cookie of this user. Such a login does not make its client
    /// address familiar: the device is, and others at this address should not learn from a rate
    /// limit that the user has been there.
    pub is_known_device: bool,
    /// The identity that was used to log in.
    pub identity_id: Option<Uuid>,
    /// The provider's session id (`sid`), for back-channel logout.
    pub provider_sid: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The columns of a new row.
pub struct NewSessionRow {
    pub id: Uuid,
    pub user: Uuid,
    pub created_at: i64,
    pub expires_at: i64,
    pub method: &'static str,
    pub client_ip: String,
    pub user_agent: String,
    pub is_known_device: bool,
    /// The identity and the provider's `sid`, for a login through the provider.
    pub provider: Option<(Uuid, Option<String>)>,
}

/// Inserts a session, revokes the user's oldest other ones beyond [`MAX_PER_USER`], and deletes
/// ended ones that are not needed any more.
pub async fn insert(db: &impl ConnectionTrait, new: NewSessionRow) -> Result<(), AuthError> {
    let (id, user, now) = (new.id, new.user, new.created_at);
    let superseded = superseded_by(&new);
    let (identity_id, provider_sid) = new
        .provider
        .map_or((None, None), |(identity, sid)| (Some(identity), sid));
    let row = ActiveModel {
        id: Set(id),
        user_id: Set(user),
        created_at: Set(now),
        expires_at: Set(new.expires_at),
        ended_at: Set(None),
        method: Set(new.method.to_owned()),
        client_ip: Set(new.client_ip),
        user_agent: Set(new.user_agent),
        is_known_device: Set(new.is_known_device),
        identity_id: Set(identity_id),
        provider_sid: Set(provider_sid),
    };
    Entity::insert(row)
        .exec_without_returning(db)
        .await
        .map_err(hide_db_error)?;
    // The new session is not compared with the others: after the clock was set back it would be the
    // oldest.
    let others = newest_first(user, now).filter(Column::Id.ne(id));
    revoke_where(
        db,
        Column::Id.in_subquery(beyond(others, MAX_PER_USER - 1)),
        now,
    )
    .await?;
    let ended = Condition::any()
        .add(Column::EndedAt.is_not_null())
        .add(Column::ExpiresAt.lte(now));
    let ended = Entity::find()
        .filter(Column::UserId.eq(user))
        .filter(ended)
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id);
    let unneeded = Condition::any()
        .add(superseded)
        .add(Column::Id.in_subquery(beyond(ended, MAX_ENDED_PER_USER)));
    Entity::delete_many()
        .filter(Column::UserId.eq(user))
        .filter(unneeded)
        .exec(db)
        .await
        .map_err(hide_db_error)?;
    Ok(())
}

/// The ended sessions of the same user, client address and browser, in whose place the new one tells
/// [`has_logged_in_from`] the same. A program that logs in for every call thus leaves one row and
/// displaces no other.
fn superseded_by(new: &NewSessionRow) -> Condition {
    let same = Condition::all()
        .add(Column::ClientIp.eq(&new.client_ip))
        .add(Column::UserAgent.eq(&new.user_agent))
        .add(Column::EndedAt.is_not_null());
    if new.is_known_device {
        same.add(Column::IsKnownDevice.eq(true))
    } else {
        same
    }
}

/// The ids of the rows after the first `count`.
fn beyond(rows: Select<Entity>, count: u64) -> SelectStatement {
    rows.select_only()
        .column(Column::Id)
        .offset(count)
        // SQLite has no OFFSET without LIMIT.
        .limit(u64::from(u32::MAX))
        .into_query()
}

/// Returns the live session with this id and its user, if the session belongs to `user` and the
/// user is active (SR-091).
pub async fn find_live(
    db: &impl ConnectionTrait,
    id: Uuid,
    user: Uuid,
    now: i64,
) -> Result<Option<(Session, User)>, AuthError> {
    let rows = is_live_filter(now)
        .filter(Column::Id.eq(id))
        .filter(Column::UserId.eq(user));
    let Some(row) = rows.one(db).await.map_err(hide_db_error)? else {
        return Ok(None);
    };
    let user = users::Entity::find_by_id(user)
        .filter(users::Column::IsActive.eq(true))
        .one(db)
        .await
        .map_err(hide_db_error)?;
    Ok(user.map(|user| (row, user.into())))
}

/// Whether a session is live.
pub async fn is_live(db: &impl ConnectionTrait, id: Uuid, now: i64) -> Result<bool, AuthError> {
    Ok(is_live_filter(now)
        .filter(Column::Id.eq(id))
        .count(db)
        .await
        .map_err(hide_db_error)?
        > 0)
}

/// Returns the live sessions of a user, newest first.
pub async fn list_for_user(
    db: &impl ConnectionTrait,
    user: Uuid,
    now: i64,
) -> Result<Vec<Session>, AuthError> {
    newest_first(user, now).all(db).await.map_err(hide_db_error)
}

/// Returns the login method of a session, whether or not it is live.
pub async fn find_method(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<String>, AuthError> {
    let method = Entity::find_by_id(id)
        .select_only()
        .column(Column::Method)
        .into_tuple();
    method.one(db).await.map_err(hide_db_error)
}

/// Whether this user has logged in from this client address within [`RETENTION_SECONDS`], with a
/// browser that was not known (SR-024).
pub async fn has_logged_in_from(
    db: &impl ConnectionTrait,
    user: Uuid,
    client_ip: &str,
    now: i64,
) -> Result<bool, AuthError> {
    let recent = Entity::find()
        .filter(Column::UserId.eq(user))
        .filter(Column::ClientIp.eq(client_ip))
        .filter(Column::IsKnownDevice.eq(false))
        .filter(Column::CreatedAt.gt(now - RETENTION_SECONDS));
    Ok(recent.count(db).await.map_err(hide_db_error)? > 0)
}

/// Revokes one session; false when it was revoked before.
pub async fn revoke(db: &impl ConnectionTrait, id: Uuid, now: i64) -> Result<bool, AuthError> {
    Ok(revoke_where(db, Column::Id.eq(id), now).await? == 1)
}

/// Revokes one live session if it belongs to `user`; false when there is none.
pub async fn revoke_for_user(
    db: &impl ConnectionTrait,
    user: Uuid,
    id: Uuid,
    now: i64,
) -> Result<bool, AuthError> {
    let condition = Condition::all()
        .add(Column::Id.eq(id))
        .add(Column::UserId.eq(user))
        .add(Column::ExpiresAt.gt(now));
    Ok(revoke_where(db, condition, now).await? == 1)
}

/// Revokes all sessions of a user. Returns how many.
pub async fn revoke_all(db: &impl ConnectionTrait, user: Uuid, now: i64) -> Result<u64, AuthError> {
    revoke_where(db, Column::UserId.eq(user), now).await
}

/// Revokes all sessions of a user except one. Returns how many.
pub async fn revoke_all_except(
    db: &impl ConnectionTrait,
    user: Uuid,
    except: Uuid,
    now: i64,
) -> Result<u64, AuthError> {
    revoke_where(
        db,
        Condition::all()
            .add(Column::UserId.eq(user))
            .add(Column::Id.ne(except)),
        now,
    )
    .await
}

/// Revokes the sessions that were opened with this identity, except one. Returns how many.
pub async fn revoke_for_identity(
    db: &impl ConnectionTrait,
    identity: Uuid,
    except: Uuid,
    now: i64,
) -> Result<u64, AuthError> {
    revoke_where(
        db,
        Condition::all()
            .add(Column::IdentityId.eq(identity))
            .add(Column::Id.ne(except)),
        now,
    )
    .await
}

/// Revokes the sessions that a logout token names: by `sub`, by `sid`, or by both. Returns the
/// users whose live sessions were revoked.
pub async fn revoke_from_provider(
    db: &impl ConnectionTrait,
    issuer: &str,
    subject: Option<&str>,
    provider_sid: Option<&str>,
    now: i64,
) -> Result<Vec<Uuid>, AuthError> {
    let mut matching = identities::Entity::find().filter(identities::Column::Issuer.eq(issuer));
    if let Some(subject) = subject {
        matching = matching.filter(identities::Column::Subject.eq(subject));
    }
    let matching = matching
        .select_only()
        .column(identities::Column::Id)
        .into_query();
    let mut condition = Condition::all().add(Column::IdentityId.in_subquery(matching));
    if let Some(provider_sid) = provider_sid {
        let mut same_sid = Condition::any().add(Column::ProviderSid.eq(provider_sid));
        if subject.is_some() {
            // A session without a `sid` may be the one that the token names, so it is revoked by
            // its subject.
            same_sid = same_sid.add(Column::ProviderSid.is_null());
        }
        condition = condition.add(same_sid);
    }
    let owners = is_live_filter(now)
        .select_only()
        .column(Column::UserId)
        .filter(condition.clone())
        .into_tuple()
        .all(db)
        .await
        .map_err(hide_db_error)?;
    revoke_where(db, condition, now).await?;
    Ok(owners)
}

/// Deletes sessions that expired more than [`RETENTION_SECONDS`] ago. Returns how many.
pub async fn purge(db: &impl ConnectionTrait, now: i64) -> Result<u64, AuthError> {
    delete_in_batches::<Entity>(
        db,
        Column::Id,
        Condition::all().add(Column::ExpiresAt.lt(now - RETENTION_SECONDS)),
    )
    .await
}

fn is_live_filter(now: i64) -> Select<Entity> {
    Entity::find()
        .filter(Column::EndedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
}

fn newest_first(user: Uuid, now: i64) -> Select<Entity> {
    is_live_filter(now)
        .filter(Column::UserId.eq(user))
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
}

async fn revoke_where(
    db: &impl ConnectionTrait,
    condition: impl IntoCondition,
    now: i64,
) -> Result<u64, AuthError> {
    let update = Entity::update_many().col_expr(Column::EndedAt, Expr::value(now));
    Ok(update
        .filter(condition)
        .filter(Column::EndedAt.is_null())
        .exec(db)
        .await
        .map_err(hide_db_error)?
        .rows_affected)
}
