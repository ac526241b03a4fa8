//! Lets one server function serve browsers with scripts, without scripts, and those whose scripts
//! have not loaded yet.
//!
//! Leptos answers a failed form without script by redirecting to the `Referer` with the error in
//! the URL. The `Referer` may be missing or chosen by an attacker, and URLs end up in histories and
//! logs (SR-112). Therefore the function is always called the way a script calls it. If it fails
//! for a browser without script, the same route runs again as GET and shows the error.

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use leptos::server_fn::ServerFn;

use crate::{
    app::{
        oidc::LogInWithProvider,
        page_context::FailedForm,
        paths::{self, Access},
    },
    domain::{AuthError, Notice, return_to},
    islands::ACCOUNT_FIELD,
    server::{
        AppState,
        web::{
            access,
            cookies::{notice, typed_form},
            form_data::{read_fields, reject_control_characters},
            middleware::{authenticate::current_user, request_limits},
            redirects::{page_of_form, return_to_param},
            render,
        },
    },
    text::en::error_message,
};

/// Header that Leptos sets when a server function ends in a redirect (`leptos_axum::redirect`).
const REDIRECT: &str = "serverfnredirect";
/// Header that Leptos sets when a server function ends in an error.
const ERROR: &str = "serverfnerror";
/// Fields whose values are shown again after an error. Passwords are never included (SR-016).
const REDISPLAYED_FIELDS: [&str; 8] = [
    "action",
    "address",
    "email",
    "id",
    "identity",
    "return_to",
    "session",
    "token",
];

/// Runs pages and their server functions.
pub async fn handle_form(State(state): State<AppState>, request: Request, next: Next) -> Response {
    // Leptos has no HEAD for server functions, and a link checker must not start a login at the
    // provider.
    if request.method() == Method::HEAD && request.uri().path() == LogInWithProvider::PATH {
        return Redirect::to(paths::LOGIN.path).into_response();
    }
    if request.method() != Method::POST {
        return access::run(&state, normalize_start_link(request), next).await;
    }
    let (parts, body) = request.into_parts();
    let mut fields = match read_fields(&parts.headers, body).await {
        Ok(fields) => fields,
        Err(error) => return render::error_for(&state, &parts, error),
    };
    let account = fields
        .iter()
        .position(|(name, _)| name == ACCOUNT_FIELD)
        .map(|index| fields.remove(index).1);
    let form = SentForm {
        fields,
        account,
        is_page: render::accepts_html(&parts.headers),
    };
    // Checked before the page's access. Otherwise a page opened by an administrator and submitted
    // after another user has logged in would be recorded as that user's denied access.
    if form
        .account
        .as_ref()
        .is_some_and(|account| !is_bound_to_viewer(&state, &parts, account))
    {
        return render::error_for(&state, &parts, AuthError::AccountMismatch);
    }
    if needs_login(&parts) && current_user(&parts).is_none() {
        return ask_for_login(&state, parts, form, AuthError::NotLoggedIn);
    }
    let mut parts = match access::check(&state, Request::from_parts(parts, Body::empty())).await {
        Ok(request) => request.into_parts().0,
        Err(response) => return response,
    };
    if form.account.is_none() && !is_bound_to_viewer(&state, &parts, "") {
        return render::error_for(&state, &parts, AuthError::AccountMismatch);
    }
    let rerun = next.clone();
    if let Some(error) = form.fields.iter().find_map(reject_control_characters) {
        return answer_failed_form(&state, parts, form, error, rerun).await;
    }
    // Leptos parses the body again, so it gets the checked fields re-encoded. A second parser could
    // otherwise read other values.
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&form.fields)
        .finish();
    parts
        .headers
        .insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    parts
        .headers
        .insert(header::CONTENT_LENGTH, body.len().into());
    let rerun_parts = parts.clone();
    let mut response = next.run(Request::from_parts(parts, Body::from(body))).await;
    if response.headers().contains_key(ERROR) {
        let error = read_error(response).await;
        return answer_failed_form(&state, rerun_parts, form, error, rerun).await;
    }
    if form.is_page && response.headers_mut().remove(REDIRECT).is_some() {
        return see_other(response);
    }
    response
}

/// Whether a form was rendered for the account that is logged in now. Another person may have
/// logged in with the same browser since the page was opened. Checked here for every page that
/// requires a login, so server functions need no check of their own.
fn is_bound_to_viewer(state: &AppState, parts: &Parts, account: &str) -> bool {
    let current = current_user(parts).filter(|_| needs_login(parts));
    current.is_none_or(|current| {
        state
            .tokens
            .check_form_account(account, current.user().id)
            .is_ok()
    })
}

fn needs_login(parts: &Parts) -> bool {
    paths::find(parts.uri.path())
        .is_none_or(|page| !matches!(page.access, Access::Public | Access::SignedOutOnly))
}

/// Normalizes the link that starts a login at the provider: query parameters that Leptos can parse,
/// and an `Accept` header that makes Leptos answer with a redirect.
fn normalize_start_link(mut request: Request) -> Request {
    if request.uri().path() != LogInWithProvider::PATH {
        return request;
    }
    if let Ok(uri) = return_to::with_target(
        LogInWithProvider::PATH,
        return_to_param(request.uri()).as_ref(),
    )
    .parse()
    {
        *request.uri_mut() = uri;
    }
    request
        .headers_mut()
        .insert(header::ACCEPT, HeaderValue::from_static("text/html"));
    request
}

/// A form that was sent, without the field that binds it to an account.
struct SentForm {
    fields: Vec<(String, String)>,
    account: Option<String>,
    /// It was sent by the browser itself and not by a script.
    is_page: bool,
}

impl SentForm {
    fn failed(self, error: AuthError, login_url: Option<String>) -> FailedForm {
        let values = self
            .fields
            .into_iter()
            .filter(|(name, _)| REDISPLAYED_FIELDS.contains(&name.as_str()))
            .collect();
        FailedForm {
            error,
            message: error_message(error),
            values,
            login_url,
        }
    }
}

async fn answer_failed_form(
    state: &AppState,
    mut parts: Parts,
    form: SentForm,
    error: AuthError,
    rerun: Next,
) -> Response {
    let needs_login = matches!(
        error,
        AuthError::NotLoggedIn | AuthError::ReauthenticationRequired
    );
    if needs_login && (error == AuthError::NotLoggedIn || !form.is_page) {
        return ask_for_login(state, parts, form, error);
    }
    if !form.is_page {
        return render::json_error(error);
    }
    let keep = needs_login
        .then(|| keep_typed(state, &parts, &form))
        .flatten();
    let login_url = needs_login.then(|| login_url(&parts, &form.fields, error));
    parts.extensions.insert(form.failed(error, login_url));
    parts
        .headers
        .insert(header::ACCEPT, HeaderValue::from_static("text/html"));
    let head = parts.clone();
    let response = access::run(state, as_get(parts), rerun).await;
    let mut response = match response.status() {
        code if code.is_success() => render::with_status(response, error),
        code if code.is_redirection() || code == render::status(error) => response,
        // The page itself fails too. The error of the form is the more useful one.
        _ => render::error_page(state, &head, error),
    };
    response.headers_mut().extend(keep);
    response
}

/// Answers a form that needs a login first, or a recent one: a script is redirected to the login, and
/// a page leads to it. The login leads back to the form's page, which shows what was typed.
fn ask_for_login(state: &AppState, mut parts: Parts, form: SentForm, error: AuthError) -> Response {
    let keep = keep_typed(state, &parts, &form);
    let target = login_url(&parts, &form.fields, error);
    let mut response = if form.is_page {
        parts.extensions.insert(form.failed(error, Some(target)));
        render::error_page(state, &parts, error)
    } else {
        let notice = Notice::SessionExpired;
        let (target, cookie) = match error {
            AuthError::NotLoggedIn => (notice.at(&target), notice::set(state, notice)),
            _ => (target, None),
        };
        let mut response = render::json_error(error);
        let headers = response.headers_mut();
        headers.insert(REDIRECT, HeaderValue::from_static(""));
        headers.extend(
            HeaderValue::try_from(target)
                .map(|target| (header::LOCATION, target))
                .ok(),
        );
        headers.extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
        response
    };
    response.headers_mut().extend(keep);
    response
}

fn keep_typed(
    state: &AppState,
    parts: &Parts,
    form: &SentForm,
) -> Option<(HeaderName, HeaderValue)> {
    let cookie = typed_form::keep(
        state,
        parts.uri.path(),
        form.account.as_deref(),
        &form.fields,
    );
    cookie.map(|cookie| (header::SET_COOKIE, cookie))
}

/// The login, or the confirmation of one, that leads back to the page of the form.
fn login_url(parts: &Parts, fields: &[(String, String)], error: AuthError) -> String {
    let page = match error {
        AuthError::NotLoggedIn => &paths::LOGIN,
        _ => &paths::REAUTHENTICATE,
    };
    return_to::with_target(page.path, page_of_form(&parts.uri, fields).as_ref())
}

fn as_get(mut parts: Parts) -> Request {
    parts.method = Method::GET;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    Request::from_parts(parts, Body::empty())
}

async fn read_error(answer: Response) -> AuthError {
    let body = to_bytes(answer.into_body(), request_limits::MAX_BODY_BYTES)
        .await
        .unwrap_or_default();
    serde_json::from_slice(&body).unwrap_or(AuthError::Internal)
}

/// Responds with 303, so that the browser follows with GET whatever the form's method was (RFC 9110
/// §15.4.4).
fn see_other(answer: Response) -> Response {
    let (mut parts, _) = answer.into_parts();
    let target = parts
        .headers
        .remove(header::LOCATION)
        .and_then(|target| target.to_str().ok().map(ToOwned::to_owned));
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    let mut response = Redirect::to(target.as_deref().unwrap_or("/")).into_response();
    response.headers_mut().extend(parts.headers);
    response
}
