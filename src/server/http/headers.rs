use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::Next,
    response::Response,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tracing::Instrument;
use uuid::Uuid;

use crate::server::{AppState, random};

const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
const ONE_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// What names one request: on the error page, in the log and in the answer's `X-Correlation-ID`, as MediaManager does it.
#[derive(Clone, Debug)]
pub struct Reference(pub String);

/// The value that lets our inline scripts run, new in every answer (SR-113).
#[derive(Clone)]
pub struct ScriptNonce(pub String);

/// Gives every request its reference and every answer its headers, errors and static files included (SR-113, SR-115).
pub async fn secure(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let reference = reference(request.headers());
    let nonce = URL_SAFE_NO_PAD.encode(random::bytes::<16>());
    request.extensions_mut().insert(Reference(reference.clone()));
    request.extensions_mut().insert(ScriptNonce(nonce.clone()));
    // Of the highest level, or a quieter log would lose the number that stands on the error page.
    let span = tracing::error_span!("request", reference, method = %request.method(), path = request.uri().path());
    let mut response = next.run(request).instrument(span).await;
    let headers = response.headers_mut();
    set_fixed(headers);
    set(headers, CONTENT_SECURITY_POLICY, &policy(&nonce));
    set(headers, CORRELATION_ID, &reference);
    if state.config.is_https() {
        headers.insert(STRICT_TRANSPORT_SECURITY, ONE_YEAR);
    }
    response
}

/// `wasm-unsafe-eval` is what compiling WebAssembly needs; it does not allow `eval`. `form-action` holds for redirects of a
/// form too, which is why the way to the provider is a link and not a form.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
         frame-ancestors 'none'; form-action 'self'"
    )
}

const FIXED: [(HeaderName, HeaderValue); 5] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // Not `no-referrer`: browsers would then send `Origin: null` with our own forms (SR-045).
    (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"),
    ),
];

fn set_fixed(headers: &mut HeaderMap) {
    headers.extend(FIXED);
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// The caller's reference to the letter if it is a version-4 UUID, else a new one.
fn reference(headers: &HeaderMap) -> String {
    let given = headers.get(CORRELATION_ID).and_then(|value| value.to_str().ok());
    let is_fit = |text: &&str| Uuid::parse_str(text).is_ok_and(|id| id.get_version_num() == 4);
    given.filter(is_fit).map_or_else(|| random::uuid().simple().to_string(), ToOwned::to_owned)
}
