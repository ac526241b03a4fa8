use axum::{extract::State, http::StatusCode};

use crate::server::{AppState, db};

/// The process answers. Does not touch the database: restarting us would not mend it (SR-193).
pub async fn live() -> &'static str {
    "ok"
}

/// The program can do its work: the database answers and nobody has asked us to stop.
pub async fn ready(State(state): State<AppState>) -> (StatusCode, &'static str) {
    if state.stopping.is_cancelled() || db::ping(&state.db).await.is_err() {
        return (StatusCode::SERVICE_UNAVAILABLE, "not ready");
    }
    (StatusCode::OK, "ready")
}
