//! The bridge between pages and flows: what a server function may ask of the request it answers, and how a page is rendered.
//! The only place that knows both Leptos and axum.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use leptos::{
    nonce::Nonce,
    prelude::{provide_context, use_context},
};
use leptos_axum::ResponseOptions;

use crate::{
    app::{self, Administration, Moment, Person, Submitted, Visit},
    domain::{AuthError, LinkToken, ReturnTo, return_to},
    server::{
        AppState, clock, cookies,
        flows::{
            login::Login,
            oidc::{self, Connects, Pending, Refused},
            password_reset::HandedOver,
            sessions::{Admin, CurrentUser},
        },
        forms,
        http::{
            api, guard, handed_over, handshakes,
            headers::Names,
            login_response,
            mailed_link::{self, ResetFor},
            provider_link,
            visitor::{Token, Visitor},
        },
        pages::Waiting,
    },
};

/// The state and the visitor, for a server function. Each calls this first: it is a public endpoint, whatever page it
/// belongs to (SR-002).
///
/// # Errors
/// `Internal` outside a request.
pub fn visitor() -> Result<(AppState, Visitor), AuthError> {
    let state = use_context::<AppState>().ok_or(AuthError::Internal)?;
    let visitor = use_context::<Parts>().and_then(|parts| parts.extensions.get::<Visitor>().cloned()).ok_or(AuthError::Internal)?;
    Ok((state, visitor))
}

/// The administrator who is asking.
pub fn admin(visitor: &Visitor) -> Result<Admin, AuthError> {
    visitor.current_user()?.admin()
}

/// Where an administrator looks at somebody, with the word for what has just happened.
#[must_use]
pub fn user_page(id: uuid::Uuid, notice: &str) -> String {
    format!("/users/{id}?notice={notice}")
}

/// Carries a link to the page that shows it.
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn show_link(state: &AppState, user: uuid::Uuid, link: &HandedOver) -> Result<(), AuthError> {
    set_cookie(handed_over::keep(state, user, link).ok_or(AuthError::Internal)?);
    Ok(())
}

/// Keeps what somebody has asked for until they set out for the provider.
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn keep_connects(state: &AppState, connects: &Connects) -> Result<(), AuthError> {
    set_cookie(provider_link::keep(state, connects).ok_or(AuthError::Internal)?);
    Ok(())
}

/// Ends a successful server function: the browser goes on to `path`, a path of ours.
pub fn go_to(path: &str) {
    leptos_axum::redirect(path);
}

/// Gives the browser a new session and sends it where the person wanted to go (SR-120), or to the page that says what they
/// are waiting for.
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn enter(state: &AppState, login: &Login, return_to: &str) -> Result<(), AuthError> {
    let (cookie, path) = login_response::session_cookie_and_path(state, login, return_to)?;
    set_cookie(cookie);
    go_to(&path);
    Ok(())
}

/// Takes the session away from the browser, and what it may have kept of our pages (SR-096).
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn leave(state: &AppState) -> Result<(), AuthError> {
    set_cookie(cookies::no_session(&state.config).map_err(|_| AuthError::Internal)?);
    if let Some(response) = use_context::<ResponseOptions>() {
        response.insert_header(header::HeaderName::from_static("clear-site-data"), CLEAR_SITE_DATA);
    }
    Ok(())
}

/// What a log-out tells the browser to forget. Not the cookies: those of the application behind us are not ours.
pub const CLEAR_SITE_DATA: HeaderValue = HeaderValue::from_static("\"cache\", \"storage\"");

/// Says with the page being rendered that it shows an error.
pub fn set_status(error: AuthError) {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(status(error));
        if let Some(seconds) = error.retry_after() {
            response.insert_header(header::RETRY_AFTER, seconds.into());
        }
    }
}

/// An error's HTTP status.
#[must_use]
pub fn status(error: AuthError) -> StatusCode {
    StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The token that was presented, for logging out.
#[must_use]
pub fn presented_token(visitor: &Visitor) -> Option<&str> {
    visitor.token.as_ref().map(|Token(token)| token.as_str())
}

/// Sets out for the provider; the address to send the browser to, which is a page of ours if the provider cannot be used.
/// Leptos calls it for a link, so it must not fail.
pub async fn to_provider(return_to: &str) -> String {
    let unavailable = || return_to::with_target("/login/provider", return_to);
    let (Some(state), Some(parts)) = (use_context::<AppState>(), use_context::<Parts>()) else { return unavailable() };
    let Some(provider) = &state.provider else { return "/login".to_owned() };
    // Whoever is logged in comes here to show that it is them.
    let asks_again = parts.extensions.get::<Visitor>().is_some_and(|visitor| visitor.current.is_some());
    let start = oidc::Start {
        return_to: ReturnTo::parse(return_to),
        redirect_uri: provider.config().redirect_uri.clone(),
        scopes: Vec::new(),
        connects: None,
        asks_again,
    };
    match oidc::begin(&state, start).await {
        Ok(begun) => {
            handshakes::keep(&state, &parts.headers, &begun.handshake).into_iter().for_each(set_cookie);
            begun.url
        }
        Err(_) => unavailable(),
    }
}

/// What this browser is about to connect with an account.
///
/// # Errors
/// `Internal` outside a request.
pub fn pending() -> Result<Option<Pending>, AuthError> {
    let (state, parts) = use_context::<AppState>().zip(use_context::<Parts>()).ok_or(AuthError::Internal)?;
    Ok(handshakes::pending(&state, &parts.headers))
}

/// Like [`enter`], and what was pending is over.
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn connected(state: &AppState, login: &Login, pending: &Pending) -> Result<(), AuthError> {
    set_cookie(handshakes::drop_pending(state).ok_or(AuthError::Internal)?);
    enter(state, login, pending.return_to())
}

/// The token of the link to this page that this browser has opened.
///
/// # Errors
/// `Internal` outside a request.
pub fn link_token(page: &str) -> Result<Option<LinkToken>, AuthError> {
    let (state, parts) = use_context::<AppState>().zip(use_context::<Parts>()).ok_or(AuthError::Internal)?;
    Ok(mailed_link::token(&state, &parts.headers, page).map(LinkToken::new))
}

/// Forgets it.
///
/// # Errors
/// `Internal` when the cookie cannot be written.
pub fn link_is_used(state: &AppState, page: &str) -> Result<(), AuthError> {
    set_cookie(mailed_link::forget(state, page).ok_or(AuthError::Internal)?);
    Ok(())
}

/// Where somebody who is logged in belongs.
#[must_use]
pub fn home(state: &AppState, visitor: &Visitor) -> String {
    destination(state, visitor.current.as_ref().is_some_and(|current| current.user().is_verified), "")
}

/// Where a login leads.
#[must_use]
pub fn destination(state: &AppState, is_verified: bool, return_to: &str) -> String {
    match ReturnTo::parse(return_to) {
        // Somebody who waits may confirm the address, and change or delete the account.
        Some(target) if !is_verified && target.as_str().starts_with("/account/") => target.as_str().to_owned(),
        _ if !is_verified => "/login/verify".to_owned(),
        Some(target) => target.as_str().to_owned(),
        None => state.config.policy.landing_page.as_str().to_owned(),
    }
}

/// Where a page request is sent instead of being rendered: people who must log in first to the login page, people who are
/// logged in away from it. Closed by default; [`app::PUBLIC`] is the list of exceptions.
#[must_use]
pub fn detour(state: &AppState, request: &Request) -> Option<String> {
    let uri = request.uri();
    let current = request.extensions().get::<Visitor>().and_then(|visitor| visitor.current.as_ref());
    match current {
        None if !app::PUBLIC.contains(&uri.path()) => {
            let target = uri.path_and_query().map_or("/", |target| target.as_str());
            Some(return_to::login_page_for(target))
        }
        Some(current) if app::FRESH.contains(&uri.path()) && current.recent(state.clock.now()).is_err() => Some(log_in_again_for(uri)),
        Some(current) if uri.path() == "/login" => Some(destination(state, current.user().is_verified, &return_to_of(uri))),
        Some(current) if uri.path() == "/login/verify" && current.user().is_verified && request.extensions().get::<Unproven>().is_none() => {
            Some(destination(state, true, ""))
        }
        _ => None,
    }
}

/// Where somebody shows that it is them, before a page that takes a young login (SR-142).
#[must_use]
pub fn log_in_again_for(uri: &Uri) -> String {
    return_to::with_target("/account/log-in-again", uri.path_and_query().map_or("/", |target| target.as_str()))
}

/// Where the address of a page says that the person wanted to go.
#[must_use]
pub fn return_to_of(uri: &Uri) -> String {
    forms::parameter(uri, "return_to").unwrap_or_default()
}

/// Renders the page at the request's own address once more, with what went wrong and what may be shown again.
pub async fn page_again(state: &AppState, parts: Parts, submitted: Submitted) -> Response {
    let error = submitted.error;
    let mut request = page_request(parts);
    request.extensions_mut().insert(submitted);
    marked(render(state, request).await, error)
}

/// Answers a request that cannot be served: the contract's JSON, or a page that says what happened and what to do.
pub async fn failure(state: &AppState, request: Request, error: AuthError) -> Response {
    let failed = async move {
        let (parts, _unread) = request.into_parts();
        if api::is_machines(parts.uri.path()) {
            return api::wire::failure(error);
        }
        if !accepts_html(&parts.headers) {
            return refusal(error);
        }
        let mut request = page_request(parts);
        request.extensions_mut().insert(Failure(error));
        marked(render(state, request).await, error)
    };
    // In a box, or the room for it would be kept in everything that may fail.
    Box::pin(failed).await
}

/// Answers the return from the provider with what was wrong and a way on. A person looks at it, whatever the browser accepts.
pub async fn refusal_page(state: &AppState, parts: Parts, refused: Refused) -> Response {
    let status = StatusCode::from_u16(refused.refusal.status()).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut request = page_request(parts);
    request.extensions_mut().insert(app::Refused {
        refusal: refused.refusal,
        said: refused.said,
        return_to: refused.return_to.map(|target| target.as_str().to_owned()).unwrap_or_default(),
        connects: refused.connects,
    });
    let mut response = render(state, request).await;
    *response.status_mut() = status;
    if let Some(seconds) = refused.refusal.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// An error for the script of a page of ours: where to say it, and the sentence.
pub fn refusal(error: AuthError) -> Response {
    marked(Json((error.place(), error.to_string())).into_response(), error)
}

fn marked(mut response: Response, error: AuthError) -> Response {
    *response.status_mut() = status(error);
    add_retry_after(response.headers_mut(), error);
    response
}

/// Tells a client that was turned away for a while when to come back.
pub fn add_retry_after(headers: &mut HeaderMap, error: AuthError) {
    if let Some(seconds) = error.retry_after() {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
}

/// Whether a page can be shown, as for a navigation or a form without script.
#[must_use]
pub fn accepts_html(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

/// Beside a request of somebody whose address is not proven and can be by mail, for the pages that offer it.
#[derive(Clone, Copy)]
pub struct Unproven;

/// The error that takes the place of the page.
#[derive(Clone, Copy)]
struct Failure(AuthError);

fn page_request(mut parts: Parts) -> Request {
    parts.method = Method::GET;
    Request::from_parts(parts, Body::empty())
}

async fn render(state: &AppState, request: Request) -> Response {
    let provide = provider(state.clone());
    leptos_axum::render_app_async_with_context(provide, app::App)(request).await.into_response()
}

/// What every page and server function finds in its context.
pub fn provider(state: AppState) -> impl Fn() + Clone + Send + Sync + 'static {
    move || {
        if let Some(parts) = use_context::<Parts>() {
            if let Some(names) = parts.extensions.get::<Arc<Names>>() {
                provide_context(Nonce::from_value(names.script_nonce.as_str()));
            }
            provide_context(visit(&state, &parts));
        }
        provide_context(state.clone());
    }
}

/// What the page may know. Everything in it may end up in front of the viewer (SR-115).
fn visit(state: &AppState, parts: &Parts) -> Visit {
    let config = &state.config;
    let current = parts.extensions.get::<Visitor>().and_then(|visitor| visitor.current.as_ref());
    let provider = state.provider.as_ref();
    let names = parts.extensions.get::<Arc<Names>>();
    let query: BTreeMap<String, String> = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let has_just_left = parts.uri.path() == "/login" && query.get("notice").is_some_and(|notice| notice == app::logout::LOGGED_OUT_HERE);
    let pending = || handshakes::pending(state, &parts.headers).map(|pending| pending.email);
    Visit {
        app_name: config.server.app_name.clone(),
        assets: state.assets.clone(),
        nonce: names.map(|names| names.script_nonce.clone()).unwrap_or_default(),
        reference: names.map(|names| names.reference.clone()).unwrap_or_default(),
        person: current.map(person),
        submitted: parts.extensions.get().cloned(),
        failure: parts.extensions.get().map(|Failure(error)| *error),
        origins: guard::claimed_origin(&parts.headers).map(|claimed| (claimed, config.origin())),
        refused: parts.extensions.get().cloned(),
        provider: provider.map(|provider| app::Provider { name: provider.config().name.clone(), trouble: provider.trouble().map(|fault| fault.refusal) }),
        end_session_url: provider.filter(|_| has_just_left).and_then(|provider| provider.end_session_url(&config.link("/login"))),
        pending_email: if parts.uri.path() == "/login/connect" { pending() } else { None },
        query,
        password_min_length: config.policy.password_min_length,
        offers: app::Offers { signup: config.policy.registration, reset: config.auth.email_password_resets, mail: config.smtp.is_some() },
        is_unproven: parts.extensions.get::<Unproven>().is_some(),
        reset_for: parts.extensions.get().map(|ResetFor(email)| email.clone()),
        // Only administrators may see how the program is configured.
        administration: current.and_then(|current| current.admin().ok()).map(|_| Administration {
            warnings: config.warnings.clone(),
            redirect_uri: provider.map(|provider| provider.config().redirect_uri.clone()),
            waiting: parts.extensions.get().map_or(0, |Waiting(waiting)| *waiting),
        }),
        loaded: parts.extensions.get().cloned(),
    }
}

fn person(current: &CurrentUser) -> Person {
    let user = current.user();
    Person {
        email: user.email.clone(),
        is_superuser: user.is_superuser,
        is_verified: user.is_verified,
        since: Moment { iso: clock::in_figures(current.since()), words: clock::in_words(current.since()) },
    }
}

fn set_cookie(cookie: HeaderValue) {
    if let Some(response) = use_context::<ResponseOptions>() {
        // Appended: inserting would overwrite the others.
        response.append_header(header::SET_COOKIE, cookie);
    }
}
