use axum::{
    Extension, Json,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{shapes, wire};
use crate::{
    domain::{AuthError, refusal::Refusal},
    server::{
        AppState,
        flows::oidc::{self, Start},
        http::{handshakes, visitor::Visitor},
    },
};

/// `GET /auth/cookie/{name}/authorize`, as MediaManager's frontend of 2025 calls it. The name is compared to the letter.
#[utoipa::path(
    get,
    path = "/api/v1/auth/cookie/{name}/authorize",
    params(("name" = String, Path)),
    responses(
        (status = 200, description = "Where to send the browser", body = shapes::AuthorizationUrl),
        shapes::NotFound,
        shapes::Stored
    )
)]
pub async fn cookie_authorize(State(state): State<AppState>, name: Result<Path<String>, PathRejection>, request: Request) -> Response {
    let config = state.provider.as_ref().map(|provider| provider.config()).filter(|config| name.is_ok_and(|Path(name)| config.name == name));
    match config.map(|config| config.redirect_uri.clone()) {
        Some(redirect_uri) => authorize(&state, redirect_uri, request).await,
        None => wire::failure(AuthError::NotFound),
    }
}

/// `GET /auth/oauth/authorize`, as MediaManager's present frontend calls it. The provider sends the browser back to the address
/// of this layout, unless one is configured.
#[utoipa::path(
    get,
    path = "/api/v1/auth/oauth/authorize",
    params(("scopes" = Option<Vec<String>>, Query)),
    responses(
        (status = 200, description = "Where to send the browser", body = shapes::AuthorizationUrl),
        shapes::NotFound,
        shapes::Stored
    )
)]
pub async fn oauth_authorize(State(state): State<AppState>, request: Request) -> Response {
    let Some(provider) = &state.provider else { return wire::failure(AuthError::NotFound) };
    let redirect_uri =
        if provider.config().has_own_redirect_uri { provider.config().redirect_uri.clone() } else { state.config.link("/api/v1/auth/oauth/callback") };
    authorize(&state, redirect_uri, request).await
}

async fn authorize(state: &AppState, redirect_uri: String, request: Request) -> Response {
    let asked = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).filter(|(name, _)| name == "scopes");
    let scopes = asked.map(|(_, scope)| scope.into_owned()).collect();
    match oidc::begin(state, Start { return_to: None, redirect_uri, scopes, connects: None, asks_again: false }).await {
        Ok(begun) => {
            let mut response = Json(json!({ "authorization_url": begun.url })).into_response();
            let cookies = handshakes::keep(state, request.headers(), &begun.handshake);
            response.headers_mut().extend(cookies.into_iter().map(|cookie| (header::SET_COOKIE, cookie)));
            response
        }
        Err(refusal) => wire::detail(status(refusal), refusal.code().to_ascii_uppercase()),
    }
}

/// `POST /auth/oidc/backchannel-logout`: the provider says that somebody has logged out there (OpenID Connect Back-Channel Logout
/// 1.0 §2.5, §2.8). It is a server, so there is no browser and no cookie; the token's signature is the proof.
#[utoipa::path(
    post,
    path = "/api/v1/auth/oidc/backchannel-logout",
    request_body(content((shapes::LogoutToken = "application/x-www-form-urlencoded"), (shapes::LogoutToken = "multipart/form-data"))),
    responses(
        (status = 200, description = "That person is logged out"),
        (status = 400, description = "The token is none of the provider for this program, or cannot be read", body = shapes::LogoutRefused),
        shapes::ForThisSite,
        shapes::NotFound,
        shapes::WithBody,
        (status = 503, description = "The provider or the database cannot be reached", body = String, content_type = "text/plain")
    )
)]
pub async fn backchannel_logout(State(state): State<AppState>, Extension(visitor): Extension<Visitor>, request: Request) -> Response {
    if state.provider.is_none() {
        return wire::failure(AuthError::NotFound);
    }
    let fields = match wire::read_fields(request).await {
        Ok(fields) => fields,
        // The specification has one form for what is refused with 400.
        Err(refusal) if refusal.status() == StatusCode::BAD_REQUEST => return invalid("the form cannot be read"),
        Err(refusal) => return refusal,
    };
    let tokens: Vec<&String> = fields.iter().filter(|(name, _)| name == "logout_token").map(|(_, value)| value).collect();
    let [token] = tokens[..] else { return invalid("there must be one logout_token") };
    match oidc::log_out_by_provider(&state, token, &visitor.origin).await {
        Ok(_) => StatusCode::OK.into_response(),
        Err(fault) => {
            fault.log();
            if status(fault.refusal) == StatusCode::SERVICE_UNAVAILABLE {
                (StatusCode::SERVICE_UNAVAILABLE, "try again").into_response()
            } else {
                invalid("the logout_token is refused; the reason is in the log")
            }
        }
    }
}

fn invalid(description: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_request", "error_description": description }))).into_response()
}

fn status(refusal: Refusal) -> StatusCode {
    StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_GATEWAY)
}
