use std::{mem, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
};
use futures_util::FutureExt;
use tracing::Instrument;

use super::security_headers::RequestIds;
use crate::{
    domain::AuthError,
    server::{AppState, db::deadline, web::render},
    text::en::error_message,
};

/// Maximum size of a request body (SR-150).
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// Maximum size of a request URI.
const MAX_URI_BYTES: usize = 8 * 1024;
/// Maximum size of all header fields together. The HTTP library itself rejects more than 100 fields
/// and much larger header blocks.
pub const MAX_HEADER_BYTES: usize = 32 * 1024;
/// Time limit for receiving the header fields.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit for a client that does not read a response. The kernel checks at growing intervals,
/// so it may take twice as long.
pub const TCP_USER_TIMEOUT: Duration = Duration::from_secs(20);
/// Time limit for a whole request, including its body.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Maximum number of fields in a form.
pub const MAX_FIELDS: usize = 64;

/// Rejects requests that are too large or compressed before anything else reads them. Removes
/// Leptos's error parameters from the URL, so that a link cannot show an attacker's text on our
/// pages (SR-112).
///
/// # Errors
/// The response to send.
pub async fn enforce(state: &AppState, request: &mut Request) -> Result<(), Response> {
    let uri = request.uri();
    if uri
        .path_and_query()
        .is_some_and(|path| path.as_str().len() > MAX_URI_BYTES)
    {
        return Err((StatusCode::URI_TOO_LONG, "URI Too Long").into_response());
    }
    let header_block: usize = request
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len())
        .sum();
    if header_block > MAX_HEADER_BYTES {
        return Err((
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "Request Header Fields Too Large",
        )
            .into_response());
    }
    let is_compressed = request
        .headers()
        .get(header::CONTENT_ENCODING)
        .is_some_and(|encoding| encoding != "identity");
    if is_compressed {
        return Err(render::error_response(
            state,
            mem::take(request),
            AuthError::UnsupportedMediaType,
        )
        .await);
    }
    let declared = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > MAX_BODY_BYTES) {
        return Err(
            render::error_response(state, mem::take(request), AuthError::PayloadTooLarge).await,
        );
    }
    if matches!(*request.method(), Method::GET | Method::HEAD)
        && carries_framework_errors(uri.query())
    {
        // Exactly one slash: `//evil.example` would be another host.
        return Err(
            Redirect::to(&format!("/{}", uri.path().trim_start_matches(['/', '\\'])))
                .into_response(),
        );
    }
    Ok(())
}

/// The parts of a request that an error response needs after the request has been consumed.
pub struct RequestSnapshot {
    uri: Uri,
    accept: Option<HeaderValue>,
    request_ids: Arc<RequestIds>,
}

impl RequestSnapshot {
    pub fn new(request: &Request, ids: &Arc<RequestIds>) -> Self {
        Self {
            uri: request.uri().clone(),
            accept: request.headers().get(header::ACCEPT).cloned(),
            request_ids: Arc::clone(ids),
        }
    }
}

impl From<RequestSnapshot> for Request {
    fn from(
        RequestSnapshot {
            uri,
            accept,
            request_ids: ids,
        }: RequestSnapshot,
    ) -> Self {
        let mut request = Self::new(Body::empty());
        *request.uri_mut() = uri;
        request
            .headers_mut()
            .extend(accept.map(|accept| (header::ACCEPT, accept)));
        request.extensions_mut().insert(ids);
        request
    }
}

/// Runs a request with a time limit and catches panics. Both are answered like any other error:
/// JSON or a page with the request id under which the log has the reason (SR-183, SR-184). A panic
/// affects no other request, and the panic hook logs its message.
pub async fn catch_panic_and_timeout(
    state: &AppState,
    snapshot: RequestSnapshot,
    work: impl Future<Output = Response>,
) -> Response {
    let work = AssertUnwindSafe(deadline::with_request_deadline(work)).catch_unwind();
    let error = match tokio::time::timeout(REQUEST_TIMEOUT, work).await {
        Ok(Ok(response)) => return response,
        Ok(Err(_)) => AuthError::Internal,
        Err(_) => AuthError::Timeout,
    };
    let state = state.clone();
    // Spawned, because rendering the error page may panic too.
    let page = tokio::spawn(
        async move { render::error_response(&state, snapshot.into(), error).await }
            .in_current_span(),
    );
    page.await.unwrap_or_else(|_| {
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            error_message(AuthError::Internal),
        )
            .into_response()
    })
}

fn carries_framework_errors(query: Option<&str>) -> bool {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .any(|(name, _)| name == "__err" || name == "__path")
}
