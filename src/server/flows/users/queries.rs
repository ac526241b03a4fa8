//! Queries for administrators. They never return a hash, a token or a secret (SR-146).

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    domain::{AuditEvent, AuthError, Email, User, UserFilter},
    server::{
        AppState,
        db::{
            self,
            accounts::Account,
            events::{AuditFilter, AuditRow},
            identities::Identity,
            sessions::Session,
        },
        flows::{
            Ctx,
            sessions::{self, Admin},
        },
    },
};

/// Rows per page (SR-146).
pub const PAGE_SIZE: u64 = 50;
/// Maximum number of users in the list without pages.
const MAX_USERS: u64 = 10_000;
/// Number of events on a user's page.
const RECENT_EVENTS: u64 = 10;

/// A search among the users.
#[derive(Clone, Debug, Default)]
pub struct UserQuery {
    pub which: UserFilter,
    pub search: String,
    /// Starts at 1.
    pub page: u64,
}

/// One page of a list.
pub struct UserList<T> {
    pub rows: Vec<T>,
    pub total: u64,
}

/// One page of the matching users, each with its account row, which holds the data outside of
/// MediaManager's table.
pub async fn list(
    cx: &Ctx<'_>,
    _: &Admin,
    query: &UserQuery,
) -> Result<UserList<(User, Option<Account>)>, AuthError> {
    let (users, total) = db::users::find_page(
        &cx.state.db,
        query.which,
        &query.search,
        offset(query.page),
        PAGE_SIZE,
    )
    .await?;
    Ok(UserList {
        rows: with_accounts(cx, users).await?,
        total,
    })
}

/// Adds the account rows to users, in one query.
pub(super) async fn with_accounts(
    cx: &Ctx<'_>,
    users: Vec<User>,
) -> Result<Vec<(User, Option<Account>)>, AuthError> {
    let accounts =
        db::accounts::list_for_users(&cx.state.db, users.iter().map(|user| user.id).collect())
            .await?;
    let mut accounts: HashMap<Uuid, Account> = accounts
        .into_iter()
        .map(|account| (account.user_id, account))
        .collect();
    let paired = users.into_iter().map(|user| {
        let account = accounts.remove(&user.id);
        (user, account)
    });
    Ok(paired.collect())
}

/// All users, for MediaManager's list.
pub async fn list_all(cx: &Ctx<'_>, _: &Admin) -> Result<Vec<User>, AuthError> {
    Ok(
        db::users::find_page(&cx.state.db, UserFilter::All, "", 0, MAX_USERS)
            .await?
            .0,
    )
}

/// One user.
///
/// # Errors
/// `NotFound`.
pub async fn find(cx: &Ctx<'_>, _: &Admin, id: Uuid) -> Result<User, AuthError> {
    db::users::find(&cx.state.db, id)
        .await?
        .ok_or(AuthError::NotFound)
}

/// The number of users pending approval.
pub async fn list_pending(cx: &Ctx<'_>, _: &Admin) -> Result<u64, AuthError> {
    db::users::count(&cx.state.db, UserFilter::Pending).await
}

/// The data of a user's page.
pub struct UserRecord {
    pub user: User,
    pub account: Option<Account>,
    pub identities: Vec<Identity>,
    pub sessions: Vec<Session>,
    pub events: Vec<AuditRow>,
    /// Whether `admin_emails` lists the address: once it is verified, the next login grants
    /// administrator rights again.
    pub is_listed: bool,
    /// The addresses of all users named in the record, by user id.
    pub names: HashMap<Uuid, String>,
}

/// Loads the data of a user's page.
///
/// # Errors
/// `NotFound`.
pub async fn details(cx: &Ctx<'_>, _: &Admin, id: Uuid) -> Result<UserRecord, AuthError> {
    let user = db::users::find(&cx.state.db, id)
        .await?
        .ok_or(AuthError::NotFound)?;
    let account = db::accounts::find(&cx.state.db, id).await?;
    let filter = AuditFilter {
        user: Some(id),
        ..AuditFilter::default()
    };
    let (events, _) = db::events::find_page(&cx.state.db, &filter, 0, RECENT_EVENTS).await?;
    let grantors = account
        .iter()
        .flat_map(|account| [&account.approved_by, &account.admin_granted_by])
        .flatten()
        .filter_map(|by| by.parse().ok());
    let named = grantors
        .chain(events.iter().filter_map(|event| event.actor_id))
        .collect();
    let names = emails_by_id(cx, named).await?;
    let is_listed = is_admin_email(cx.state, &user);
    let (identities, sessions) = (
        db::identities::list_for_user(&cx.state.db, id).await?,
        sessions::list_for_user(cx, id).await?,
    );
    Ok(UserRecord {
        user,
        account,
        identities,
        sessions,
        events,
        is_listed,
        names,
    })
}

/// Whether `admin_emails` lists the user's address.
pub fn is_admin_email(state: &AppState, user: &User) -> bool {
    Email::parse(&user.email).is_ok_and(|email| state.config.auth.admin_emails.contains(&email))
}

/// A search in the audit log, as typed.
#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    pub kind: Option<AuditEvent>,
    /// An address, or a user id, also of a deleted user.
    pub user: String,
    pub reference: String,
    /// Starts at 1.
    pub page: u64,
}

/// One page of the matching events, newest first, and the addresses of all users named in them.
pub async fn events(
    cx: &Ctx<'_>,
    _: &Admin,
    query: &EventQuery,
) -> Result<(UserList<AuditRow>, HashMap<Uuid, String>), AuthError> {
    let user = match query.user.trim() {
        "" => None,
        typed => match find_by_search(cx, typed).await? {
            Some(user) => Some(user),
            None => {
                return Ok((
                    UserList {
                        rows: Vec::new(),
                        total: 0,
                    },
                    HashMap::new(),
                ));
            }
        },
    };
    let reference =
        Some(query.reference.trim().to_owned()).filter(|reference| !reference.is_empty());
    let filter = AuditFilter {
        kind: query.kind,
        user,
        request_id: reference,
    };
    let (rows, total) =
        db::events::find_page(&cx.state.db, &filter, offset(query.page), PAGE_SIZE).await?;
    let named = rows
        .iter()
        .flat_map(|row| [row.user_id, row.actor_id])
        .flatten()
        .collect();
    let names = emails_by_id(cx, named).await?;
    Ok((UserList { rows, total }, names))
}

async fn find_by_search(cx: &Ctx<'_>, typed: &str) -> Result<Option<Uuid>, AuthError> {
    if let Ok(id) = typed.parse() {
        return Ok(Some(id));
    }
    match Email::parse(typed) {
        Ok(email) => Ok(db::users::find_by_email(&cx.state.db, &email)
            .await?
            .map(|found| found.user.id)),
        Err(_) => Ok(None),
    }
}

async fn emails_by_id(cx: &Ctx<'_>, ids: Vec<Uuid>) -> Result<HashMap<Uuid, String>, AuthError> {
    Ok(db::users::list_by_ids(&cx.state.db, ids)
        .await?
        .into_iter()
        .map(|user| (user.id, user.email))
        .collect())
}

fn offset(page: u64) -> u64 {
    page.saturating_sub(1).min(1_000_000) * PAGE_SIZE
}
