//! Metrics for Prometheus on a separate listener (`server.metrics_address`). All names of metrics
//! are in this file.
//!
//! Without the listener no recorder is installed, and the functions below do nothing.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{MatchedPath, Request},
    http::{Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

use crate::{
    domain::AuditEvent,
    server::{AppState, db},
};

/// The histogram buckets, from a cache hit to the request timeout.
const BUCKET_SECONDS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0,
];
/// How often measurements are moved into the buckets when no scrape does it.
const METRICS_UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Installs the recorder and serves `GET /metrics` on `address` until the program ends. Returns the
/// address with the port that the system chose.
///
/// # Errors
/// A sentence for the operator.
pub async fn serve(state: &AppState, address: SocketAddr) -> Result<SocketAddr, String> {
    let listen_error = |err: std::io::Error| {
        format!(
            "cannot listen on {address}: {err}; change server.metrics_address, or stop what uses it"
        )
    };
    let listener = TcpListener::bind(address).await.map_err(listen_error)?;
    let address = listener.local_addr().map_err(listen_error)?;
    let handle = PrometheusBuilder::new()
        .set_buckets(&BUCKET_SECONDS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|err| format!("cannot count: {err}"))?;
    describe_metrics();
    let (state, upkeep) = (state.clone(), handle.clone());
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(METRICS_UPKEEP_INTERVAL);
        loop {
            ticks.tick().await;
            upkeep.run_upkeep();
        }
    });
    let routes = Router::new().route(
        "/metrics",
        get(move || render(state.clone(), handle.clone())),
    );
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(address)
}

/// Registers the descriptions that Prometheus shows.
fn describe_metrics() {
    metrics::describe_counter!(
        "mediamanager_auth_logins_total",
        "Logins by outcome and method"
    );
    metrics::describe_counter!(
        "mediamanager_auth_events_total",
        "Everything that is written to the log as an event"
    );
    metrics::describe_counter!(
        "mediamanager_auth_session_checks_total",
        "Requests with a token, by what it was worth"
    );
    metrics::describe_counter!(
        "mediamanager_auth_provider_failures_total",
        "What the provider did wrong, by code"
    );
    metrics::describe_histogram!(
        "mediamanager_auth_provider_request_seconds",
        "How long the provider took, by whether it answered"
    );
    metrics::describe_gauge!(
        "mediamanager_auth_password_hash_queue_length",
        "Passwords that wait for their turn"
    );
    metrics::describe_histogram!(
        "mediamanager_auth_hash_wait_seconds",
        "How long a password waited for its turn"
    );
    metrics::describe_gauge!("mediamanager_auth_mail_queue", "Mails that wait to be sent");
    metrics::describe_histogram!(
        "mediamanager_auth_http_request_seconds",
        "How long answers took, by method, route and status"
    );
}

async fn render(state: AppState, handle: PrometheusHandle) -> Response {
    // NaN without a database, because the previous value would be wrong.
    let waiting = db::outbox::count(&state.db)
        .await
        .map_or(f64::NAN, |count| {
            f64::from(u32::try_from(count).unwrap_or(u32::MAX))
        });
    gauge!("mediamanager_auth_mail_queue").set(waiting);
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        handle.render(),
    )
        .into_response()
}

/// Counts an audit event.
pub fn record_event(event: AuditEvent, method: &str) {
    counter!("mediamanager_auth_events_total", "event" => event.code()).increment(1);
    let outcome = match event {
        AuditEvent::LoggedIn => "succeeded",
        AuditEvent::LoginFailed | AuditEvent::DefaultPasswordRefused => "failed",
        AuditEvent::LoginThrottled => "throttled",
        _ => return,
    };
    counter!("mediamanager_auth_logins_total", "outcome" => outcome, "method" => method.to_owned())
        .increment(1);
}

/// Counts the check of a session token. The outcome is `cached`, `valid`, `invalid`, or `error`
/// when the database failed.
pub fn record_session_check(outcome: &'static str) {
    counter!("mediamanager_auth_session_checks_total", "outcome" => outcome).increment(1);
}

/// Counts a failure of the provider.
pub fn record_provider_failure(code: &'static str) {
    counter!("mediamanager_auth_provider_failures_total", "code" => code).increment(1);
}

/// Measures a finished request to the provider.
pub fn observe_provider_request(since: Instant, has_answered: bool) {
    let outcome = if has_answered { "answered" } else { "failed" };
    histogram!("mediamanager_auth_provider_request_seconds", "outcome" => outcome)
        .record(since.elapsed());
}

/// Measures the wait for a password hash from its creation until it is dropped.
pub struct QueueWait(Instant);

impl QueueWait {
    pub fn start() -> Self {
        gauge!("mediamanager_auth_password_hash_queue_length").increment(1);
        Self(Instant::now())
    }
}

impl Drop for QueueWait {
    fn drop(&mut self) {
        gauge!("mediamanager_auth_password_hash_queue_length").decrement(1);
        histogram!("mediamanager_auth_hash_wait_seconds").record(self.0.elapsed());
    }
}

/// Passes the matched route to [`measure`], which runs outside the router.
pub async fn record_route(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(route);
    }
    response
}

/// Measures every response. Methods and routes are from closed sets, so that a client cannot create
/// an unlimited number of metrics.
pub async fn measure(request: Request, next: Next) -> Response {
    let method = known_method(request.method());
    let since = Instant::now();
    let response = next.run(request).await;
    let route = response
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let status = response.status().as_str().to_owned();
    histogram!("mediamanager_auth_http_request_seconds", "method" => method, "route" => route, "status" => status).record(since.elapsed());
    response
}

fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
