use std::{any::Any, time::Duration};

use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};

use tracing::Instrument;

use super::headers::{Reference, ScriptNonce};
use crate::{
    domain::AuthError,
    server::{AppState, context, db::patience},
};

/// Bytes of a request body (SR-150).
pub const BODY: usize = 64 * 1024;
/// Bytes of a request's address.
const URL: usize = 8 * 1024;
/// Bytes of all header fields together. The HTTP library refuses more than 100 fields, and blocks well beyond this size.
pub const HEADER_BLOCK: usize = 32 * 1024;
/// How long a client may take to send its header fields.
pub const HEADER_DEADLINE: Duration = Duration::from_secs(10);
/// How long a request may take altogether, its body included.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// Fields of a form.
pub const FIELDS: usize = 64;

/// Refuses what is too large or compressed before anything looks at it, and cleans addresses that carry the framework's
/// error texts, so that nobody can put words on our pages with a link (SR-112).
pub async fn enforce(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let uri = request.uri();
    if uri.path_and_query().is_some_and(|path| path.as_str().len() > URL) {
        return (StatusCode::URI_TOO_LONG, "URI Too Long").into_response();
    }
    let header_block: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len()).sum();
    if header_block > HEADER_BLOCK {
        return (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large").into_response();
    }
    let is_compressed = request.headers().get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity");
    if is_compressed {
        return context::failure(&state, request, AuthError::UnsupportedMedia).await;
    }
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > BODY) {
        return context::failure(&state, request, AuthError::TooLarge).await;
    }
    if matches!(*request.method(), Method::GET | Method::HEAD) && carries_framework_errors(uri.query()) {
        // One slash only: `//evil.example` would be another host.
        return Redirect::to(&format!("/{}", uri.path().trim_start_matches(['/', '\\']))).into_response();
    }
    next.run(request).await
}

/// Answers for a request that takes too long, or that has met a fault of ours, as for every other that fails: the contract's JSON or a page,
/// with the number under which the log has the reason (SR-183, SR-184).
pub async fn contain(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let stand_in = stand_in(&request);
    let error = match tokio::time::timeout(DEADLINE, patience::of_one_request(next.run(request))).await {
        Ok(response) if response.extensions().get::<Panicked>().is_none() => return response,
        Ok(_) => AuthError::Internal,
        Err(_) => AuthError::TookTooLong,
    };
    // The page may meet the same fault.
    let page = tokio::spawn(async move { context::failure(&state, stand_in, error).await }.in_current_span());
    page.await.unwrap_or_else(|_| (StatusCode::INTERNAL_SERVER_ERROR, AuthError::Internal.to_string()).into_response())
}

/// What is needed to answer for a request that is gone.
fn stand_in(request: &Request) -> Request {
    let mut stand_in = Request::new(Body::empty());
    *stand_in.uri_mut() = request.uri().clone();
    stand_in.headers_mut().extend(request.headers().get(header::ACCEPT).map(|accept| (header::ACCEPT, accept.clone())));
    copy::<Reference>(request, &mut stand_in);
    copy::<ScriptNonce>(request, &mut stand_in);
    stand_in
}

fn copy<T: Clone + Send + Sync + 'static>(from: &Request, to: &mut Request) {
    if let Some(extension) = from.extensions().get::<T>() {
        to.extensions_mut().insert(extension.clone());
    }
}

/// Beside the empty answer of a handler that has panicked.
#[derive(Clone)]
struct Panicked;

/// A panic answers one request and harms no other (SR-184). What it said is in the log, written by the panic hook.
pub fn panicked(_: Box<dyn Any + Send>) -> Response {
    Extension(Panicked).into_response()
}

fn carries_framework_errors(query: Option<&str>) -> bool {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes()).any(|(name, _)| name == "__err" || name == "__path")
}
