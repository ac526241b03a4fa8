//! MediaManager's JSON contract under `/api/v1`, for its own frontend, its backend and scripts.

use axum::{
    Router,
    routing::{get, post},
};

use super::oidc_callback;
use crate::server::AppState;

pub mod accounts;
pub mod auth;
pub mod oidc;
pub mod users;
pub mod wire;

/// Whether a path belongs to machines: they get JSON and never a page.
#[must_use]
pub fn is_machines(path: &str) -> bool {
    // Where the provider sends people back to is a page, although it has an address of the contract.
    (path == "/api" || path.starts_with("/api/")) && !path.ends_with("/callback")
}

/// The routes, without the prefix.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/auth/cookie/login", post(auth::cookie_login))
        .route("/auth/cookie/logout", post(auth::cookie_logout))
        .route("/auth/jwt/login", post(auth::jwt_login))
        .route("/auth/jwt/logout", post(auth::jwt_logout))
        .route("/auth/metadata", get(auth::metadata))
        .route("/auth/register", post(accounts::register))
        .route("/auth/forgot-password", post(accounts::forgot_password))
        .route("/auth/reset-password", post(accounts::reset_password))
        .route("/auth/request-verify-token", post(accounts::request_verify_token))
        .route("/auth/verify", post(accounts::verify))
        .route("/auth/cookie/{name}/authorize", get(oidc::cookie_authorize))
        .route("/auth/cookie/{name}/callback", get(oidc_callback::named))
        .route("/auth/oauth/authorize", get(oidc::oauth_authorize))
        .route("/auth/oauth/callback", get(oidc_callback::unnamed))
        .route("/auth/oidc/backchannel-logout", post(oidc::backchannel_logout))
        .route("/users/me", get(users::me))
}
