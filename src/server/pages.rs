//! What pages show that is in the database: looked up before a page is rendered, and only for those who may see it.

use std::{collections::HashMap, mem};

use axum::{
    extract::Request,
    http::{Method, Uri, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use leptos::server_fn::ServerFn;
use uuid::Uuid;

use crate::{
    app::{
        Loaded, Moment,
        account::{IdentityLine, Overview, SessionLine},
        signup::SignUp,
        users::{self as app, State as UserState, change::Subject, details},
    },
    domain::{AuthError, Event},
    server::{
        AppState, clock, context,
        db::{events::Row, identities::Identity, sessions::Session, users::Which},
        flows::{
            Ctx, account,
            events::{self, Note},
            inspection,
            sessions::{Admin, CurrentUser},
            users::{self, EventQuery, Listed, PAGE_SIZE},
        },
        forms,
        http::{
            client, handed_over,
            visitor::{self, Visitor},
        },
        user_agent,
    },
};

/// How many wait for approval, for the menu of administrators.
#[derive(Clone, Copy)]
pub struct Waiting(pub u64);

/// The step in front of the pages and of the forms that may have to show them again.
///
/// # Errors
/// The answer to send.
pub async fn load(state: &AppState, request: &mut Request) -> Result<(), Response> {
    if request.uri().path() == SignUp::PATH && !state.config.policy.registration {
        return Err(context::failure(state, mem::take(request), AuthError::RegistrationClosed).await);
    }
    let Some(visitor) = request.extensions().get::<Visitor>().cloned() else { return Ok(()) };
    let Some(current) = &visitor.current else { return Ok(()) };
    // Taken apart, or all of it would have to be copied: a body cannot be lent to what waits.
    let (mut parts, body) = mem::take(request).into_parts();
    let loaded = look_up(state, &visitor, current, &mut parts).await;
    *request = Request::from_parts(parts, body);
    match loaded {
        // What is done to one's own account takes a young login on this way too (SR-142).
        Ok(Some(Loaded::Subject(subject)))
            if request.method() != Method::POST && is_oneself(&subject, current) && current.recent(state.clock.now()).is_err() =>
        {
            Err(Redirect::to(&context::log_in_again_for(request.uri())).into_response())
        }
        Ok(loaded) => {
            if let Some(loaded) = loaded {
                request.extensions_mut().insert(loaded);
            }
            Ok(())
        }
        Err(error) => Err(context::failure(state, mem::take(request), error).await),
    }
}

async fn look_up(state: &AppState, visitor: &Visitor, current: &CurrentUser, parts: &mut Parts) -> Result<Option<Loaded>, AuthError> {
    let (cx, admin) = (&visitor.ctx(state), context::admin(visitor));
    if let Ok(admin) = &admin {
        parts.extensions.insert(Waiting(users::waiting(cx, admin).await?));
    }
    let path = parts.uri.path();
    if path == "/users" || path.starts_with("/users/") {
        match admin {
            Ok(admin) => for_administrators(cx, &admin, parts).await,
            Err(error) => {
                // SR-140
                let note = Note::of(current.user().id);
                events::record_rate_limited(cx, Event::AccessRefused, note).await;
                Err(error)
            }
        }
    } else if path == "/account" || path.starts_with("/account/") {
        for_oneself(cx, current, &parts.uri).await
    } else {
        Ok(None)
    }
}

fn is_oneself(subject: &Subject, current: &CurrentUser) -> bool {
    subject.id == current.user().id.to_string()
}

async fn for_oneself(cx: &Ctx<'_>, current: &CurrentUser, uri: &Uri) -> Result<Option<Loaded>, AuthError> {
    let overview = overview(cx, current).await?;
    let is_there = match uri.path() {
        "/account/connect" | "/account/connect/go" => cx.state.provider.is_some(),
        "/account/disconnect" => overview.identities.iter().any(|known| known.id == parameter(uri, "identity")),
        _ => true,
    };
    if is_there { Ok(Some(Loaded::Account(overview))) } else { Err(AuthError::NotFound) }
}

async fn overview(cx: &Ctx<'_>, current: &CurrentUser) -> Result<Overview, AuthError> {
    let found = account::overview(cx, current).await?;
    Ok(Overview {
        sessions: found.sessions.iter().map(|session| session_line(cx.state, session, Some(current.session()))).collect(),
        identities: found.identities.iter().map(|identity| identity_line(cx.state, identity)).collect(),
        has_password: found.has_password,
    })
}

async fn for_administrators(cx: &Ctx<'_>, admin: &Admin, parts: &Parts) -> Result<Option<Loaded>, AuthError> {
    let uri = &parts.uri;
    Ok(Some(match uri.path() {
        "/users" => Loaded::Users(list(cx, admin, uri).await?),
        "/users/new" => Loaded::NewUser,
        // In a box, or the room for all that it asks at once would be kept in every page.
        "/users/check" => Loaded::Check(Box::pin(check(cx.state, parts)).await),
        "/users/events" => Loaded::Events(event_list(cx, admin, uri).await?),
        "/users/change" | "/users/address" => match Uuid::parse_str(&parameter(uri, "id")) {
            Ok(_) if uri.path() == "/users/change" && parameter(uri, "action").parse::<app::Action>().is_err() => return Err(AuthError::NotFound),
            Ok(id) => Loaded::Subject(subject(cx, admin, id).await?),
            // A form in a list names its user in the body alone.
            Err(_) if parts.method == Method::POST => return Ok(None),
            Err(_) => return Err(AuthError::NotFound),
        },
        "/users/link" => Loaded::Link(handed_over::shown(cx, admin, &parts.headers).await?),
        path => {
            let id = path.trim_start_matches("/users/").parse().map_err(|_| AuthError::NotFound)?;
            Loaded::User(Box::new(user(cx, admin, id).await?))
        }
    }))
}

async fn list(cx: &Ctx<'_>, admin: &Admin, uri: &Uri) -> Result<app::List, AuthError> {
    let (which, search, page) = (parameter(uri, "which"), parameter(uri, "q"), page(uri));
    let part = match which.as_str() {
        "waiting" => Which::Waiting,
        "active" => Which::Active,
        "disabled" => Which::Disabled,
        "administrators" => Which::Administrators,
        _ => Which::All,
    };
    let search: String = search.trim().chars().take(254).collect();
    let Listed { rows, total } = users::list(cx, admin, &users::Query { which: part, search: search.clone(), page }).await?;
    let line = |(user, account): (crate::domain::User, Option<crate::server::db::accounts::Account>)| app::Line {
        id: user.id.to_string(),
        state: UserState::of(user.is_active, user.is_verified),
        is_administrator: user.is_superuser,
        last_login: account.and_then(|account| account.last_login_at).map(moment),
        email: user.email,
    };
    Ok(app::List { rows: rows.into_iter().map(line).collect(), total, page, pages: pages(total), which, search })
}

/// Asks others, so it takes its time; within that of a request.
async fn check(state: &AppState, parts: &Parts) -> Vec<app::check::Line> {
    let way_here = client::way_here(&state.config, visitor::peer(&parts.extensions), &parts.headers);
    let findings = inspection::look(&state.config, state.provider.as_ref(), &state.mailer).await;
    std::iter::once(way_here)
        .chain(findings)
        .map(|found| app::check::Line { word: found.standing.word(), what: found.what, says: found.says, fix: found.fix })
        .collect()
}

async fn subject(cx: &Ctx<'_>, admin: &Admin, id: Uuid) -> Result<Subject, AuthError> {
    let user = users::find(cx, admin, id).await?;
    Ok(Subject { id: user.id.to_string(), is_listed: users::is_listed(cx.state, &user), email: user.email })
}

async fn user(cx: &Ctx<'_>, admin: &Admin, id: Uuid) -> Result<details::Details, AuthError> {
    let found = users::details(cx, admin, id).await?;
    let (user, account, names) = (found.user, found.account, found.names);
    let grant = |by: Option<String>, at: Option<i64>| by.zip(at).map(|(by, at)| details::Grant { by: grantor(&names, &by), at: moment(at) });
    Ok(details::Details {
        id: user.id.to_string(),
        state: UserState::of(user.is_active, user.is_verified),
        is_administrator: user.is_superuser,
        is_self: user.id == admin.user().id,
        approved: account.clone().and_then(|account| grant(account.approved_by, account.approved_at)),
        administrator: account.clone().and_then(|account| grant(account.admin_by, account.admin_at)),
        is_listed: found.is_listed,
        proven: account.as_ref().and_then(|account| account.email_proven_at).map(moment),
        has_password: !account.as_ref().is_some_and(|account| account.is_passwordless),
        created: account.as_ref().map(|account| moment(account.created_at)),
        last_login: account.and_then(|account| account.last_login_at).map(moment),
        identities: found.identities.iter().map(|identity| identity_line(cx.state, identity)).collect(),
        sessions: found.sessions.iter().map(|session| session_line(cx.state, session, None)).collect(),
        // Whom they are about is in the heading.
        events: found.events.iter().map(|row| app::events::EventLine { user: None, ..event_line(&names, row) }).collect(),
        email: user.email,
    })
}

/// Who gave a right, in words: the table has an id, or one of a few words.
fn grantor(names: &HashMap<Uuid, String>, by: &str) -> String {
    match by {
        "setup" => "with the setup link".to_owned(),
        "shell" => "from the shell".to_owned(),
        "provider" => "because the provider vouches for them".to_owned(),
        "admin_emails" => "by auth.admin_emails".to_owned(),
        id => match id.parse().ok().and_then(|id: Uuid| names.get(&id)) {
            Some(email) => format!("by {email}"),
            None => "by somebody whose account is deleted".to_owned(),
        },
    }
}

async fn event_list(cx: &Ctx<'_>, admin: &Admin, uri: &Uri) -> Result<app::events::EventList, AuthError> {
    let (kind, user, reference, page) = (parameter(uri, "kind"), parameter(uri, "user"), parameter(uri, "reference"), page(uri));
    let query = EventQuery { kind: kind.parse().ok(), user: user.clone(), reference: reference.clone(), page };
    let (Listed { rows, total }, names) = users::events(cx, admin, &query).await?;
    let events = rows.iter().map(|row| event_line(&names, row)).collect();
    Ok(app::events::EventList { events, total, page, pages: pages(total), kind, user, reference })
}

fn event_line(names: &HashMap<Uuid, String>, row: &Row) -> app::events::EventLine {
    let name = |id: Uuid| names.get(&id).cloned().unwrap_or_else(|| id.to_string());
    let parts = [row.method.as_str(), row.detail.as_str()];
    app::events::EventLine {
        at: moment(row.at),
        words: row.kind.parse::<Event>().map_or_else(|_| row.kind.clone(), |event| event.words().to_owned()),
        detail: parts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; "),
        user: row.user_id.map(|id| app::events::Named { id: id.to_string(), email: names.get(&id).cloned() }),
        actor: row.actor_id.map(name),
        network: row.network.clone(),
        reference: row.reference.clone(),
    }
}

fn session_line(state: &AppState, session: &Session, this: Option<Uuid>) -> SessionLine {
    let name = || state.config.auth.openid_connect.as_ref().map_or("the provider", |provider| provider.name.as_str());
    SessionLine {
        id: session.id.to_string(),
        browser: user_agent::in_words(&session.user_agent),
        since: moment(session.created_at),
        network: session.network.clone(),
        way: match session.method.as_str() {
            "oidc" => format!("With {}", name()),
            "setup" => "With the setup link".to_owned(),
            _ => "With the password".to_owned(),
        },
        is_this: this == Some(session.id),
    }
}

fn identity_line(state: &AppState, identity: &Identity) -> IdentityLine {
    let document = format!("{}/.well-known/openid-configuration", identity.issuer.trim_end_matches('/'));
    let configured = state.config.auth.openid_connect.as_ref().filter(|provider| provider.discovery_url == document);
    IdentityLine {
        id: identity.id.to_string(),
        provider: configured.map_or_else(|| identity.issuer.clone(), |provider| provider.name.clone()),
        is_configured: configured.is_some(),
        email: identity.email.clone(),
        since: moment(identity.created_at),
        last_login: moment(identity.last_login_at),
    }
}

fn moment(at: i64) -> Moment {
    Moment { iso: clock::in_figures(at), words: clock::in_words(at) }
}

/// Without control characters, which nothing here contains and PostgreSQL cannot compare with (SR-151).
fn parameter(uri: &Uri, name: &str) -> String {
    forms::parameter(uri, name).unwrap_or_default().chars().filter(|c| !c.is_control()).collect()
}

/// From 1; whatever else somebody writes into the address is the first.
fn page(uri: &Uri) -> u64 {
    parameter(uri, "page").parse().ok().filter(|page| *page > 0).unwrap_or(1)
}

fn pages(total: u64) -> u64 {
    total.div_ceil(PAGE_SIZE).max(1)
}
