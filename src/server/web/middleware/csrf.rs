use std::mem;

use axum::{
    extract::Request,
    http::{HeaderMap, Method, header},
    response::Response,
};

use super::authenticate::{self, bearer};
use crate::{
    domain::{AuditEvent, AuthError},
    server::{
        AppState,
        flows::{
            Ctx,
            events::{self, EventDetails},
        },
        web::{api, render},
    },
};

/// Refuses what another site makes a browser send (SR-110): the algorithm of Go's
/// `http.CrossOriginProtection`, stricter. In front of every unsafe method, before login too,
/// because logging somebody in as a stranger is an attack as well.
///
/// # Errors
/// The answer to send.
pub async fn reject_cross_site(state: &AppState, request: &mut Request) -> Result<(), Response> {
    if is_same_origin(state, request) {
        Ok(())
    } else {
        Err(Box::pin(rejection(state, mem::take(request))).await)
    }
}

async fn rejection(state: &AppState, request: Request) -> Response {
    let came_from = request
        .headers()
        .get(header::ORIGIN)
        .and_then(|origin| origin.to_str().ok())
        .unwrap_or("no origin");
    let detail = format!(
        "from {:?} instead of {:?}",
        came_from.chars().take(200).collect::<String>(),
        state.config.origin()
    );
    let client = authenticate::client_info(state, &request);
    events::record_rate_limited(
        &Ctx {
            state,
            client: &client,
        },
        AuditEvent::CsrfRejected,
        EventDetails::new().with_detail(&detail),
    )
    .await;
    render::error_response(state, request, AuthError::CrossSite).await
}

fn is_same_origin(state: &AppState, request: &Request) -> bool {
    let headers = request.headers();
    let is_safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    let is_api = api::is_api(request.uri().path());
    // A bearer header is never added by a browser on its own, so there is nothing to forge.
    if is_safe || (is_api && bearer(headers).is_some()) {
        return true;
    }
    // Where the browser says it, it decides alone: `same-site` may be a neighbour on another
    // subdomain or port.
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    match headers.get(header::ORIGIN) {
        Some(origin) => origin
            .to_str()
            .is_ok_and(|origin| is_allowed(state, origin)),
        // Neither header: no browser of recent years. Scripts may use the contract; forms are for
        // browsers.
        None => is_api,
    }
}

fn is_allowed(state: &AppState, origin: &str) -> bool {
    origin == state.config.origin()
        || state
            .config
            .misc
            .cors_urls
            .iter()
            .any(|allowed| allowed == origin)
}

/// The origin a browser says it is on, for the page that explains a refusal.
pub fn claimed_origin(headers: &HeaderMap) -> Option<String> {
    headers
        .get(header::ORIGIN)
        .and_then(|origin| origin.to_str().ok())
        .map(|origin| origin.chars().take(200).collect())
}
