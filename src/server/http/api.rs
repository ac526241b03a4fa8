//! MediaManager's JSON contract under `/api/v1`, for its own frontend, its backend and scripts.

use axum::{
    Router,
    routing::{get, post},
};

use crate::server::AppState;

pub mod auth;
pub mod users;
pub mod wire;

/// Whether a path belongs to machines: they get JSON and never a page.
#[must_use]
pub fn is_machines(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

/// The routes, without the prefix.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/auth/cookie/login", post(auth::cookie_login))
        .route("/auth/cookie/logout", post(auth::cookie_logout))
        .route("/auth/jwt/login", post(auth::jwt_login))
        .route("/auth/jwt/logout", post(auth::jwt_logout))
        .route("/auth/metadata", get(auth::metadata))
        .route("/users/me", get(users::me))
}
