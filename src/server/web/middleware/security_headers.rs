use axum::http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
        X_CONTENT_TYPE_OPTIONS,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use crate::server::{AppState, crypto::random};

const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
const ONE_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// The identifiers of one request and its response.
pub struct RequestIds {
    /// Shown on the error page, in the log and in the audit log. Never the client's: with another
    /// request's id, an event would look like part of that request.
    pub request_id: String,
    /// The `X-Correlation-ID` that the client sent. The response repeats it, like MediaManager's, and
    /// the log has it beside the request id.
    pub correlation_id: Option<String>,
    /// Allows our inline scripts; new for every response (SR-113).
    pub script_nonce: String,
}

impl RequestIds {
    /// Generates the ids, and keeps the client's correlation id if it is a version 4 UUID.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let given = headers
            .get(CORRELATION_ID)
            .and_then(|value| value.to_str().ok());
        let is_fit = |text: &&str| Uuid::parse_str(text).is_ok_and(|id| id.get_version_num() == 4);
        Self {
            request_id: random::uuid_from(random::fast_bytes()).simple().to_string(),
            correlation_id: given.filter(is_fit).map(ToOwned::to_owned),
            script_nonce: URL_SAFE_NO_PAD.encode(random::fast_bytes()),
        }
    }
}

/// Adds the security headers to every response, including errors and static files (SR-113, SR-115).
pub fn add_security_headers(state: &AppState, ids: &RequestIds, headers: &mut HeaderMap) {
    // Reserved once, because the map would otherwise grow twice.
    headers.reserve(STATIC_HEADERS.len() + 4);
    headers.extend(STATIC_HEADERS);
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    set(headers, CONTENT_SECURITY_POLICY, policy(&ids.script_nonce));
    let correlation_id = ids.correlation_id.as_ref().unwrap_or(&ids.request_id);
    set(headers, CORRELATION_ID, correlation_id.clone());
    if state.config.is_https() {
        headers.insert(STRICT_TRANSPORT_SECURITY, ONE_YEAR);
    }
}

/// The Content-Security-Policy. Only scripts with the nonce run, and what they import, which inherits
/// it: `'self'` would allow every file that the application on the same origin serves.
/// `wasm-unsafe-eval` is required to compile WebAssembly and does not allow `eval`. `form-action` also applies to redirects after a form, so the login at the provider
/// starts with a link instead of a form.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'self'; script-src 'nonce-{nonce}' 'wasm-unsafe-eval'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
         frame-ancestors 'none'; form-action 'self'"
    )
}

const STATIC_HEADERS: [(HeaderName, HeaderValue); 5] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // With `no-referrer`, browsers would send `Origin: null` with our own forms (SR-045).
    (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
        ),
    ),
];

fn set(headers: &mut HeaderMap, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
