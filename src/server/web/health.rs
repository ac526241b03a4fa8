use axum::{extract::State, http::StatusCode};

use crate::server::{AppState, db};

/// Liveness check. Does not query the database, because a restart would not repair it (SR-193).
pub async fn live() -> &'static str {
    "ok"
}

/// Readiness check: the database answers and no shutdown has been requested.
pub async fn ready(State(state): State<AppState>) -> (StatusCode, &'static str) {
    if state.stopping.is_cancelled() || db::ping(&state.db).await.is_err() {
        return (StatusCode::SERVICE_UNAVAILABLE, "not ready");
    }
    (StatusCode::OK, "ready")
}
