use std::time::Duration;

use axum::{
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};

use super::api;
use crate::{
    domain::AuthError,
    server::{AppState, context},
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

/// Gives up on a request that takes too long, with an answer that has a body.
pub async fn finish_in_time(request: Request, next: Next) -> Response {
    let refuse = if api::is_machines(request.uri().path()) { api::wire::failure } else { context::refusal };
    let answer = tokio::time::timeout(DEADLINE, next.run(request)).await;
    answer.unwrap_or_else(|_| refuse(AuthError::Unavailable))
}

fn carries_framework_errors(query: Option<&str>) -> bool {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes()).any(|(name, _)| name == "__err" || name == "__path")
}
