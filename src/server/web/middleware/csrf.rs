use std::mem;

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, Method, header},
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

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Rejects cross-site requests (SR-110) with a stricter variant of the algorithm of Go's
/// `http.CrossOriginProtection`. Covers every unsafe method, including those before login, because
/// logging a victim in to the attacker's account is an attack as well.
///
/// # Errors
/// The response to send.
pub async fn reject_cross_site(state: &AppState, request: &mut Request) -> Result<(), Response> {
    if is_same_origin(state, request) {
        Ok(())
    } else {
        Err(Box::pin(rejection(state, mem::take(request))).await)
    }
}

async fn rejection(state: &AppState, request: Request) -> Response {
    let origin = request
        .headers()
        .get(header::ORIGIN)
        .and_then(|origin| origin.to_str().ok())
        .unwrap_or("no origin");
    let detail = format!(
        "from {:?} instead of {:?}",
        origin.chars().take(200).collect::<String>(),
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
    if is_safe {
        return true;
    }
    // No browser sends one of them twice, and another reader could believe the other line.
    if [SEC_FETCH_SITE, header::ORIGIN]
        .iter()
        .any(|name| headers.get_all(name).iter().count() > 1)
    {
        return false;
    }
    // Browsers never add a bearer header on their own, so such a request cannot be forged.
    if is_api && bearer(headers).is_some() {
        return true;
    }
    // `Sec-Fetch-Site` alone decides if present. `same-site` is rejected, because it may be another
    // subdomain or port.
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return site == "same-origin";
    }
    match headers.get(header::ORIGIN) {
        Some(origin) => origin
            .to_str()
            .is_ok_and(|origin| is_allowed(state, origin)),
        // Every current browser sends one of the two headers. A script may omit both for the API,
        // but a form must come from a browser.
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

/// The `Origin` header, for the page that explains the rejection.
pub fn claimed_origin(headers: &HeaderMap) -> Option<String> {
    headers
        .get(header::ORIGIN)
        .and_then(|origin| origin.to_str().ok())
        .map(|origin| origin.chars().take(200).collect())
}
