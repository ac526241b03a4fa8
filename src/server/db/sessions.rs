use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    entity::{identity, session, user},
    forget, unavailable,
};
use crate::domain::{AuthError, User};

pub use session::Model as Session;

/// The most live sessions one user has; the oldest gives way (SR-100).
const MOST_PER_USER: u64 = 50;
/// How long a row is kept after its session could last have been used, in seconds: SR-024 asks where somebody logged in lately.
const KEPT: i64 = 30 * 24 * 60 * 60;

/// A login, about to be remembered.
pub struct NewSessionRow {
    pub id: Uuid,
    pub user: Uuid,
    pub created_at: i64,
    pub expires_at: i64,
    pub method: &'static str,
    pub network: String,
    pub user_agent: String,
    /// The provider's part in it: the identity, and the provider's own session.
    pub provider: Option<(Uuid, Option<String>)>,
}

/// Remembers a session and ends the oldest ones beyond the limit.
///
/// # Errors
/// `Unavailable`.
pub async fn insert(db: &impl ConnectionTrait, new: NewSessionRow) -> Result<(), AuthError> {
    let (user, now) = (new.user, new.created_at);
    let (identity_id, provider_session) = new.provider.map_or((None, None), |(identity, session)| (Some(identity), session));
    let row = session::ActiveModel {
        id: Set(new.id),
        user_id: Set(new.user),
        created_at: Set(new.created_at),
        expires_at: Set(new.expires_at),
        ended_at: Set(None),
        method: Set(new.method.to_owned()),
        network: Set(new.network),
        user_agent: Set(new.user_agent),
        identity_id: Set(identity_id),
        provider_session: Set(provider_session),
    };
    session::Entity::insert(row).exec_without_returning(db).await.map_err(unavailable)?;
    let newest_first = live(now).filter(session::Column::UserId.eq(user)).order_by_desc(session::Column::CreatedAt).order_by_desc(session::Column::Id);
    let surplus: Vec<Uuid> =
        newest_first.offset(MOST_PER_USER).limit(MOST_PER_USER).all(db).await.map_err(unavailable)?.into_iter().map(|row| row.id).collect();
    if !surplus.is_empty() {
        end_where(db, session::Column::Id.is_in(surplus), now).await?;
    }
    Ok(())
}

/// The live session with this id, of this very user, if the user is active (SR-091).
///
/// # Errors
/// `Unavailable`.
pub async fn find_live(db: &impl ConnectionTrait, id: Uuid, user: Uuid, now: i64) -> Result<Option<(session::Model, User)>, AuthError> {
    let rows = live(now).filter(session::Column::Id.eq(id)).filter(session::Column::UserId.eq(user));
    let Some(row) = rows.one(db).await.map_err(unavailable)? else { return Ok(None) };
    let person = user::Entity::find_by_id(user).filter(user::Column::IsActive.eq(true)).one(db).await.map_err(unavailable)?;
    Ok(person.map(|person| (row, person.into())))
}

/// Ends one session; false when it had ended before.
///
/// # Errors
/// `Unavailable`.
pub async fn end(db: &impl ConnectionTrait, id: Uuid, now: i64) -> Result<bool, AuthError> {
    Ok(end_where(db, session::Column::Id.eq(id), now).await? == 1)
}

/// Whether a session is live.
///
/// # Errors
/// `Unavailable`.
pub async fn is_live(db: &impl ConnectionTrait, id: Uuid, now: i64) -> Result<bool, AuthError> {
    Ok(live(now).filter(session::Column::Id.eq(id)).count(db).await.map_err(unavailable)? > 0)
}

/// Ends one live session of this very user; false when there is none.
///
/// # Errors
/// `Unavailable`.
pub async fn end_of(db: &impl ConnectionTrait, user: Uuid, id: Uuid, now: i64) -> Result<bool, AuthError> {
    let which = Condition::all().add(session::Column::Id.eq(id)).add(session::Column::UserId.eq(user)).add(session::Column::ExpiresAt.gt(now));
    Ok(end_where(db, which, now).await? == 1)
}

/// How a session had begun, if there is one.
///
/// # Errors
/// `Unavailable`.
pub async fn method(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<String>, AuthError> {
    let method = session::Entity::find_by_id(id).select_only().column(session::Column::Method).into_tuple();
    method.one(db).await.map_err(unavailable)
}

/// Ends all sessions of a user. Returns how many.
///
/// # Errors
/// `Unavailable`.
pub async fn end_all(db: &impl ConnectionTrait, user: Uuid, now: i64) -> Result<u64, AuthError> {
    end_where(db, session::Column::UserId.eq(user), now).await
}

/// Ends all sessions of a user but one. Returns how many.
///
/// # Errors
/// `Unavailable`.
pub async fn end_all_but(db: &impl ConnectionTrait, user: Uuid, spared: Uuid, now: i64) -> Result<u64, AuthError> {
    end_where(db, Condition::all().add(session::Column::UserId.eq(user)).add(session::Column::Id.ne(spared)), now).await
}

/// Ends the sessions that began with this identity, but one. Returns how many.
///
/// # Errors
/// `Unavailable`.
pub async fn end_from_identity(db: &impl ConnectionTrait, identity: Uuid, spared: Uuid, now: i64) -> Result<u64, AuthError> {
    end_where(db, Condition::all().add(session::Column::IdentityId.eq(identity)).add(session::Column::Id.ne(spared)), now).await
}

/// The live sessions of a user, the newest first.
///
/// # Errors
/// `Unavailable`.
pub async fn of(db: &impl ConnectionTrait, user: Uuid, now: i64) -> Result<Vec<Session>, AuthError> {
    let newest_first = live(now).filter(session::Column::UserId.eq(user)).order_by_desc(session::Column::CreatedAt).order_by_desc(session::Column::Id);
    newest_first.all(db).await.map_err(unavailable)
}

/// Ends the sessions that came from a provider: those of one person there, of one session there, or of the latter if it is that
/// person's. Returns whose they were.
///
/// # Errors
/// `Unavailable`.
pub async fn end_from_provider(
    db: &impl ConnectionTrait,
    issuer: &str,
    subject: Option<&str>,
    provider_session: Option<&str>,
    now: i64,
) -> Result<Vec<Uuid>, AuthError> {
    let mut people = identity::Entity::find().filter(identity::Column::Issuer.eq(issuer));
    if let Some(subject) = subject {
        people = people.filter(identity::Column::Subject.eq(subject));
    }
    let people = people.select_only().column(identity::Column::Id).into_query();
    let mut which = Condition::all().add(session::Column::IdentityId.in_subquery(people));
    if let Some(provider_session) = provider_session {
        let mut is_it = Condition::any().add(session::Column::ProviderSession.eq(provider_session));
        if subject.is_some() {
            // Of these the provider has named no session, or none that could be kept: the person decides.
            is_it = is_it.add(session::Column::ProviderSession.is_null());
        }
        which = which.add(is_it);
    }
    let users = live(now).select_only().column(session::Column::UserId).filter(which.clone()).into_tuple().all(db).await.map_err(unavailable)?;
    end_where(db, which, now).await?;
    Ok(users)
}

/// Whether this user has logged in from this network within [`KEPT`] (SR-024).
///
/// # Errors
/// `Unavailable`.
pub async fn has_logged_in_from(db: &impl ConnectionTrait, user: Uuid, network: &str, now: i64) -> Result<bool, AuthError> {
    let lately = session::Entity::find()
        .filter(session::Column::UserId.eq(user))
        .filter(session::Column::Network.eq(network))
        .filter(session::Column::CreatedAt.gt(now - KEPT));
    Ok(lately.count(db).await.map_err(unavailable)? > 0)
}

/// Forgets sessions that ended long ago. Returns how many.
///
/// # Errors
/// `Unavailable`.
pub async fn purge(db: &impl ConnectionTrait, now: i64) -> Result<u64, AuthError> {
    forget::<session::Entity>(db, session::Column::Id, Condition::all().add(session::Column::ExpiresAt.lt(now - KEPT))).await
}

fn live(now: i64) -> sea_orm::Select<session::Entity> {
    session::Entity::find().filter(session::Column::EndedAt.is_null()).filter(session::Column::ExpiresAt.gt(now))
}

async fn end_where(db: &impl ConnectionTrait, which: impl sea_orm::sea_query::IntoCondition, now: i64) -> Result<u64, AuthError> {
    let update = session::Entity::update_many().col_expr(session::Column::EndedAt, Expr::value(now));
    Ok(update.filter(which).filter(session::Column::EndedAt.is_null()).exec(db).await.map_err(unavailable)?.rows_affected)
}
