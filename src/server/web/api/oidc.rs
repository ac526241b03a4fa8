use axum::{
    Extension, Json,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{error::ApiError, fastapi, schema};
use crate::{
    domain::{AuthError, oidc_error::OidcError},
    server::{
        AppState,
        flows::oidc::{self, AuthorizationRequest, LoginPurpose},
        oidc::Provider,
        web::{cookies::login_attempts, middleware::authenticate::RequestAuth},
    },
};

/// `GET /auth/cookie/{name}/authorize`, as MediaManager's frontend of 2025 calls it. The name is
/// compared exactly.
#[utoipa::path(
    get,
    path = "/api/v1/auth/cookie/{name}/authorize",
    params(("name" = String, Path)),
    responses(
        (status = 200, description = "Where to send the browser", body = schema::AuthorizationUrl),
        schema::NotFound,
        schema::NeedsDatabase
    )
)]
pub async fn cookie_authorize(
    State(state): State<AppState>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, ApiError> {
    let Path(name) = name.map_err(|_| AuthError::NotFound)?;
    let provider = state.providers.by_name(&name).ok_or(AuthError::NotFound)?;
    let redirect_uri = provider.config().redirect_uri.clone();
    authorize(&state, provider, redirect_uri, request).await
}

/// `GET /auth/oauth/authorize`, as MediaManager's present frontend calls it. The redirect URI has
/// the same layout, unless one is configured.
#[utoipa::path(
    get,
    path = "/api/v1/auth/oauth/authorize",
    params(("scopes" = Option<Vec<String>>, Query)),
    responses(
        (status = 200, description = "Where to send the browser", body = schema::AuthorizationUrl),
        schema::NotFound,
        schema::NeedsDatabase
    )
)]
pub async fn oauth_authorize(
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, ApiError> {
    let provider = state.providers.first().ok_or(AuthError::NotFound)?;
    let config = provider.config();
    let redirect_uri = if config.redirect_uri_is_configured {
        config.redirect_uri.clone()
    } else {
        state.config.link("/api/v1/auth/oauth/callback")
    };
    authorize(&state, provider, redirect_uri, request).await
}

async fn authorize(
    state: &AppState,
    provider: &Provider,
    redirect_uri: String,
    request: Request,
) -> Result<Response, ApiError> {
    let asked = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
        .filter(|(name, _)| name == "scopes");
    let scopes = asked.map(|(_, scope)| scope.into_owned()).collect();
    let start = AuthorizationRequest {
        redirect_uri,
        scopes,
        ..AuthorizationRequest::new(provider, LoginPurpose::LogIn { return_to: None })
    };
    let begun = oidc::start_login(state, start)
        .await
        .map_err(|error| ApiError::detail(status(error), error.code().to_ascii_uppercase()))?;
    let mut response = Json(json!({ "authorization_url": begun.url })).into_response();
    let cookies = login_attempts::set_login_attempt(state, request.headers(), &begun.attempt);
    response.headers_mut().extend(
        cookies
            .into_iter()
            .map(|cookie| (header::SET_COOKIE, cookie)),
    );
    Ok(response)
}

/// `POST /auth/oidc/backchannel-logout`: the provider reports a logout there (OpenID Connect
/// Back-Channel Logout 1.0 §2.5, §2.8). It is a server and has no cookie; the token's signature
/// authenticates it.
#[utoipa::path(
    post,
    path = "/api/v1/auth/oidc/backchannel-logout",
    request_body(content((schema::LogoutToken = "application/x-www-form-urlencoded"), (schema::LogoutToken = "multipart/form-data"))),
    responses(
        (status = 200, description = "That person is logged out"),
        (status = 400, description = "The token is none of the provider for this program, or cannot be read", body = schema::LogoutErrorBody),
        schema::CsrfProtected,
        schema::NotFound,
        schema::HasBody,
        (status = 503, description = "The provider or the database cannot be reached", body = String, content_type = "text/plain")
    )
)]
pub async fn backchannel_logout(
    State(state): State<AppState>,
    Extension(auth): Extension<RequestAuth>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    if state.providers.is_empty() {
        return Err(AuthError::NotFound.into());
    }
    let fields = fastapi::read_fields(request)
        .await
        .map_err(|error| match error {
            // The specification gives every answer with 400 one form.
            ApiError::Auth(AuthError::BadRequest) => invalid("the form cannot be read"),
            error => error,
        })?;
    let tokens: Vec<&String> = fields
        .iter()
        .filter(|(name, _)| name == "logout_token")
        .map(|(_, value)| value)
        .collect();
    let [token] = tokens[..] else {
        return Err(invalid("there must be one logout_token"));
    };
    oidc::backchannel_logout(&auth.ctx(&state), token)
        .await
        .map_err(|failure| {
            failure.log();
            match status(failure.error) {
                StatusCode::SERVICE_UNAVAILABLE => {
                    ApiError::Text(StatusCode::SERVICE_UNAVAILABLE, "try again")
                }
                _ => invalid("the logout_token is refused; the reason is in the log"),
            }
        })?;
    Ok(StatusCode::OK)
}

fn invalid(description: &str) -> ApiError {
    ApiError::Json(
        StatusCode::BAD_REQUEST,
        json!({ "error": "invalid_request", "error_description": description }),
    )
}

fn status(error: OidcError) -> StatusCode {
    StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_GATEWAY)
}
