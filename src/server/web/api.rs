//! MediaManager's JSON API under `/api/v1`, for its own frontend, its backend and scripts.
//!
//! Each route is declared once, above its handler. The router and the OpenAPI document are both
//! derived from that declaration.

use std::sync::OnceLock;

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::oidc_callback;
use crate::server::{AppState, web::form_data};

pub mod auth;
pub mod bodies;
pub mod error;
pub mod fastapi;
pub mod oidc;
pub mod registration;
pub mod schema;
pub mod user_update;
pub mod users;

#[derive(OpenApi)]
#[openapi(
    info(title = "MediaManager's authentication", description = "Accounts and sessions, as MediaManager's own API has them."),
    components(schemas(schema::Refused, schema::ValidationErrorBody)),
    modifiers(&SecuritySchemes)
)]
struct ApiDoc;

/// The complete OpenAPI document, set when the routes are built. A static, because an `Extension`
/// would add a layer to every route.
static API_DOC: OnceLock<utoipa::openapi::OpenApi> = OnceLock::new();

/// The credentials that the API accepts.
struct SecuritySchemes;

impl Modify for SecuritySchemes {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let components = description.components.get_or_insert_default();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        components.add_security_scheme(
            "cookie",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("fastapiusersauth"))),
        );
    }
}

/// Whether a path belongs to the API: its clients get JSON, never a page.
pub fn is_api(path: &str) -> bool {
    // The OpenID Connect callback shows a page, although its path is part of the API.
    (path == "/api" || path.starts_with("/api/")) && !path.ends_with("/callback")
}

/// The routes, each with its full path. Nesting them under a prefix would add two layers to every
/// route.
pub fn routes() -> Router<AppState> {
    let (router, description) = OpenApiRouter::with_openapi(ApiDoc::openapi())
        .routes(routes!(auth::cookie_login))
        .routes(routes!(auth::cookie_logout))
        .routes(routes!(auth::jwt_login))
        .routes(routes!(auth::jwt_logout))
        .routes(routes!(auth::metadata))
        .routes(routes!(registration::register))
        .routes(routes!(registration::forgot_password))
        .routes(routes!(registration::reset_password))
        .routes(routes!(registration::request_verify_token))
        .routes(routes!(registration::verify))
        .routes(routes!(oidc::cookie_authorize))
        .routes(routes!(oidc_callback::callback_by_name))
        .routes(routes!(oidc::oauth_authorize))
        .routes(routes!(oidc_callback::callback))
        .routes(routes!(oidc::backchannel_logout))
        .routes(routes!(users::get_me, users::update_me, users::delete_me))
        .routes(routes!(users::list_users))
        .routes(routes!(
            users::get_user,
            users::update_user,
            users::delete_user
        ))
        .routes(routes!(openapi))
        .split_for_parts();
    API_DOC.get_or_init(|| description);
    // A catch-all route, because a fallback would also apply to the pages.
    router.route("/api/v1/{*unknown}", any(not_found))
}

/// This description.
#[utoipa::path(get, path = "/api/v1/openapi.json", responses((status = 200, description = "OpenAPI 3.1")))]
async fn openapi() -> Response {
    Json(API_DOC.get()).into_response()
}

/// Redirects a path with a trailing slash to the route without it, like FastAPI.
async fn not_found(State(state): State<AppState>, request: Request) -> Response {
    let is_known = |path: &str| {
        API_DOC.get().is_some_and(|description| {
            description
                .paths
                .paths
                .keys()
                .any(|known| matches(known, path))
        })
    };
    match request.uri().path().strip_suffix('/') {
        Some(path) if is_known(path) => (
            StatusCode::TEMPORARY_REDIRECT,
            [(
                header::LOCATION,
                state
                    .config
                    .link(&form_data::with_query(path, request.uri())),
            )],
        )
            .into_response(),
        _ => oidc_callback::not_found(&state, request).await,
    }
}

/// Whether a path matches a route template, whose parameters are written in braces.
fn matches(route: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (route.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(part), Some(text))
                if part == text || (part.starts_with('{') && !text.is_empty()) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_found_by_its_parts() {
        assert!(matches("/users/{id}", "/users/x") && matches("/users/me", "/users/me"));
        assert!(
            !matches("/users/{id}", "/users/")
                && !matches("/users/{id}", "/users/x/y")
                && !matches("/users/me", "/users")
        );
    }
}
