//! The pages for administrators.

use std::collections::HashMap;

use axum::{
    extract::{Path, Request},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use leptos::view;
use strum::IntoEnumIterator;
use uuid::Uuid;

use super::account::{identity_row, session_row};
use crate::{
    app::{
        page_context::Timestamp,
        users::{
            UserListPage, UserRow, UsersPage,
            actions::{ConfirmActionPage, TargetUser, UserEmailPage},
            audit_log::{AuditLogPage, EventRow, EventsPage, UserRef},
            details::{GrantedBy, UserDetails, UserPage},
            diagnostics::{CheckRow, DiagnosticsPage},
            new::NewUserPage,
            reset_link::ResetLinkPage,
        },
    },
    domain::{AccountStatus, AuditEvent, AuthError, GrantSource, User, UserAction},
    server::{
        db::{accounts::Account, events::AuditRow},
        flows::{
            Ctx, default_password, diagnostics,
            sessions::Admin,
            users::{self, EventQuery, PAGE_SIZE, UserList},
        },
        web::{
            cookies::one_time_link::{ONE_TIME_LINK, open_one_time_link},
            middleware::{authenticate, client_ip},
            page_request::{PageError, PageRequest, PageResult, redirect},
            redirects::reauthenticate_url,
            render::timestamp,
        },
    },
    text::en::{
        event_description,
        pages::users::{audit_log as audit_log_text, details as details_text},
    },
};

/// The maximum length of a search: that of an email address.
const MAX_SEARCH_CHARS: usize = 254;

/// `/users`
pub async fn list(cx: PageRequest, admin: Admin) -> PageResult {
    let (filter, page) = (cx.query("which"), cx.page_number());
    let which = filter.parse().unwrap_or_default();
    let search: String = cx
        .query("q")
        .trim()
        .chars()
        .take(MAX_SEARCH_CHARS)
        .collect();
    let UserList { rows, total } = users::list(
        &cx.ctx(),
        &admin,
        &users::UserQuery {
            which,
            search: search.clone(),
            page,
        },
    )
    .await?;
    let row = |(user, account): (User, Option<Account>)| UserRow {
        id: user.id.to_string(),
        status: AccountStatus::new(user.is_active, user.is_verified),
        is_administrator: user.is_superuser,
        last_login: account
            .and_then(|account| account.last_login_at)
            .map(timestamp),
        email: user.email,
    };
    let list = UserListPage {
        rows: rows.into_iter().map(row).collect(),
        total,
        page,
        pages: page_count(total),
        filter,
        search,
    };
    cx.render(move || view! { <UsersPage list/> })
}

/// `/users/new`
pub async fn new(cx: PageRequest, _: Admin) -> PageResult {
    cx.render(|| view! { <NewUserPage/> })
}

/// `/users/{id}`
pub async fn details(cx: PageRequest, admin: Admin, Path(id): Path<String>) -> PageResult {
    let id = id.parse().map_err(|_| AuthError::NotFound)?;
    let user = user_details(&cx.ctx(), &admin, id).await?;
    cx.render(move || view! { <UserPage user/> })
}

/// `/users/change?id=…&action=…`
pub async fn action(cx: PageRequest, admin: Admin) -> PageResult {
    let action = cx
        .context
        .hidden_value("action")
        .parse::<UserAction>()
        .map_err(|_| AuthError::NotFound)?;
    let user = target_user(&cx, &admin).await?;
    // Every change of one's own account requires a recent login.
    let is_self = user.id == admin.user().id.to_string();
    let requires_recent_login = is_self || action.requires_recent_login();
    let is_old = admin.current().recent(cx.state.clock.now()).is_err();
    if requires_recent_login && is_old && !cx.context.has_error() {
        return redirect(&reauthenticate_url(&cx.uri));
    }
    cx.render(move || view! { <ConfirmActionPage user action/> })
}

/// `/users/address?id=…`
pub async fn email(cx: PageRequest, admin: Admin) -> PageResult {
    let user = target_user(&cx, &admin).await?;
    cx.render(move || view! { <UserEmailPage user/> })
}

async fn target_user(cx: &PageRequest, admin: &Admin) -> Result<TargetUser, AuthError> {
    let id = Uuid::parse_str(&cx.context.hidden_value("id")).map_err(|_| AuthError::NotFound)?;
    let user = users::find(&cx.ctx(), admin, id).await?;
    Ok(TargetUser {
        id: user.id.to_string(),
        is_listed: users::is_admin_email(&cx.state, &user),
        email: user.email,
    })
}

/// `/users/link`: shows a reset link once; the response deletes its cookie (SR-143).
pub async fn reset_link(cx: PageRequest, admin: Admin, headers: HeaderMap) -> Response {
    let clear = ONE_TIME_LINK
        .clear(&cx.state)
        .map(|cookie| (header::SET_COOKIE, cookie));
    let mut response = match open_one_time_link(&cx.ctx(), &admin, &headers).await {
        Ok(link) => cx
            .render(move || view! { <ResetLinkPage link/> })
            .into_response(),
        Err(error) => PageError(error).into_response(),
    };
    response.headers_mut().extend(clear);
    response
}

/// `/users/events`
pub async fn audit_log(cx: PageRequest, admin: Admin) -> PageResult {
    let (kind, user, reference, page) = (
        cx.query("kind"),
        cx.query("user"),
        cx.query("reference"),
        cx.page_number(),
    );
    let query = EventQuery {
        kind: kind.parse().ok(),
        user: user.clone(),
        reference: reference.clone(),
        page,
    };
    let (UserList { rows, total }, names) = users::events(&cx.ctx(), &admin, &query).await?;
    let events = rows.iter().map(|row| event_row(&names, row)).collect();
    let mut kinds = vec![(String::new(), audit_log_text::ALL_EVENTS)];
    kinds.extend(
        AuditEvent::iter().map(|event| (event.code().to_owned(), event_description(event))),
    );
    let list = EventsPage {
        kinds,
        total,
        events,
        page,
        pages: page_count(total),
        kind,
        user,
        reference,
    };
    cx.render(move || view! { <AuditLogPage list/> })
}

/// `/users/check`: queries other servers, within the time limit of a request.
pub async fn diagnostics(cx: PageRequest, _: Admin, request: Request) -> PageResult {
    let state = &cx.state;
    let proxy = client_ip::check_proxy_headers(
        &state.config,
        authenticate::peer(request.extensions()),
        request.headers(),
    );
    let results = Box::pin(diagnostics::run_checks(
        &state.config,
        &state.providers,
        &state.mailer,
    ))
    .await;
    let network = &cx.ctx().client.rate_limit_key;
    let default_password =
        Box::pin(default_password::check(&state.db, &state.hasher, network)).await;
    let rows = std::iter::once(proxy)
        .chain(results)
        .chain(default_password)
        .map(|result| CheckRow {
            status: result.status.word(),
            check: result.check,
            message: result.message,
            hint: result.hint,
        })
        .collect();
    cx.render(move || view! { <DiagnosticsPage rows/> })
}

async fn user_details(cx: &Ctx<'_>, admin: &Admin, id: Uuid) -> Result<UserDetails, AuthError> {
    let found = users::details(cx, admin, id).await?;
    let (user, account, names) = (found.user, found.account, found.names);
    let granted = |by: Option<String>, at: Option<i64>| {
        by.zip(at).map(|(by, at)| GrantedBy {
            by: grantor(&names, &by),
            at: timestamp(at),
        })
    };
    let at = |of: fn(&Account) -> Option<i64>| -> Option<Timestamp> {
        account.as_ref().and_then(of).map(timestamp)
    };
    Ok(UserDetails {
        id: user.id.to_string(),
        status: AccountStatus::new(user.is_active, user.is_verified),
        is_administrator: user.is_superuser,
        is_self: user.id == admin.user().id,
        approved: account
            .clone()
            .and_then(|account| granted(account.approved_by, account.approved_at)),
        administrator: account
            .clone()
            .and_then(|account| granted(account.admin_granted_by, account.admin_granted_at)),
        is_listed: found.is_listed,
        email_verified: at(|account| account.email_verified_at),
        has_password: !account
            .as_ref()
            .is_some_and(|account| account.is_passwordless),
        created: at(|account| Some(account.created_at)),
        last_login: at(|account| account.last_login_at),
        identities: found
            .identities
            .iter()
            .map(|identity| identity_row(cx.state, identity))
            .collect(),
        sessions: found
            .sessions
            .iter()
            .map(|session| session_row(cx.state, session, None))
            .collect(),
        // The page is about one user, so the rows do not repeat the user.
        events: found
            .events
            .iter()
            .map(|row| EventRow {
                user: None,
                ..event_row(&names, row)
            })
            .collect(),
        email: user.email,
    })
}

/// Describes who granted a right: the column holds a user id or a [`GrantSource`].
fn grantor(names: &HashMap<Uuid, String>, by: &str) -> String {
    if let Ok(source) = by.parse::<GrantSource>() {
        return details_text::grant_source(source).to_owned();
    }
    match by.parse().ok().and_then(|id: Uuid| names.get(&id)) {
        Some(email) => details_text::granted_by(email),
        None => details_text::GRANTED_BY_DELETED.to_owned(),
    }
}

fn event_row(names: &HashMap<Uuid, String>, row: &AuditRow) -> EventRow {
    let name = |id: Uuid| names.get(&id).cloned().unwrap_or_else(|| id.to_string());
    let parts = [row.method.as_str(), row.detail.as_str()];
    EventRow {
        at: timestamp(row.occurred_at),
        event: row.kind.parse::<AuditEvent>().map_or_else(
            |_| row.kind.clone(),
            |event| event_description(event).to_owned(),
        ),
        detail: parts
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join("; "),
        user: row.user_id.map(|id| UserRef {
            id: id.to_string(),
            email: names.get(&id).cloned(),
        }),
        actor: row.actor_id.map(name),
        client_ip: row.client_ip.clone(),
        request_id: row.request_id.clone(),
    }
}

fn page_count(total: u64) -> u64 {
    total.div_ceil(PAGE_SIZE).max(1)
}
