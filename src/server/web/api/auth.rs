use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{bodies::LoginForm, error::ApiError, schema};
use crate::{
    domain::{AuthError, Email},
    server::{
        AppState,
        flows::{
            login::{self, Login, PasswordLogin},
            sessions::{self, NewSession},
        },
        web::{
            cookies::{self, id_token_hint},
            login_response,
            middleware::authenticate::RequestAuth,
            server_fn,
        },
    },
};

/// Logs in with e-mail and password: 204 and the session cookie.
#[utoipa::path(
    post,
    path = "/api/v1/auth/cookie/login",
    request_body(content((LoginForm = "application/x-www-form-urlencoded"), (LoginForm = "multipart/form-data"))),
    responses(
        (status = 204, description = "The session cookie"),
        (status = 400, description = "Address and password do not match, or a field is there twice", body = schema::Refused),
        schema::PublicEndpoint
    )
)]
pub async fn cookie_login(
    State(state): State<AppState>,
    Extension(auth): Extension<RequestAuth>,
    form: LoginForm,
) -> Result<Response, ApiError> {
    let session = log_in(&state, &auth, form).await?;
    let cookies = login_response::cookies_of_login(&state, &auth.client, &session)?
        .into_iter()
        .map(|cookie| (header::SET_COOKIE, cookie));
    Ok((StatusCode::NO_CONTENT, AppendHeaders(cookies)).into_response())
}

/// The same with the token in the answer, as a bearer token.
#[utoipa::path(
    post,
    path = "/api/v1/auth/jwt/login",
    request_body(content((LoginForm = "application/x-www-form-urlencoded"), (LoginForm = "multipart/form-data"))),
    responses(
        (status = 200, description = "The token", body = schema::BearerToken),
        (status = 400, description = "Address and password do not match, or a field is there twice", body = schema::Refused),
        schema::PublicEndpoint
    )
)]
pub async fn jwt_login(
    State(state): State<AppState>,
    Extension(auth): Extension<RequestAuth>,
    form: LoginForm,
) -> Result<Json<Value>, ApiError> {
    let session = log_in(&state, &auth, form).await?;
    Ok(Json(
        json!({ "access_token": session.token, "token_type": "bearer" }),
    ))
}

/// An invalid address is answered like an unknown one and not as a validation error, like
/// fastapi-users.
async fn log_in(
    state: &AppState,
    auth: &RequestAuth,
    form: LoginForm,
) -> Result<NewSession, ApiError> {
    let input = PasswordLogin {
        email: Email::parse_existing(&form.username).ok(),
        password: form.password,
    };
    let Login::Complete(session) = login::log_in_with_password(&auth.ctx(state), input).await?;
    Ok(session)
}

/// Logs out: 204, and the session is over wherever its token is kept. Without a session 401, as in
/// the original, but the cookie goes in any case (SR-096). The browser's storage stays: the caller is
/// the application that it belongs to.
#[utoipa::path(
    post,
    path = "/api/v1/auth/cookie/logout",
    responses(
        (status = 204, description = "Logged out, and the cookie is gone"),
        schema::Unauthenticated401,
        schema::CsrfProtected,
        schema::NeedsDatabase
    ),
    security(("cookie" = []), ("bearer" = []))
)]
pub async fn cookie_logout(
    State(state): State<AppState>,
    Extension(auth): Extension<RequestAuth>,
    headers: HeaderMap,
) -> Response {
    let mut response = jwt_logout(State(state.clone()), Extension(auth))
        .await
        .into_response();
    if let Some(cookie) = id_token_hint::clear(&state, &headers) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    if let Ok(cookie) = cookies::clear_session(&state.config) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Logs out without a word about the cookie, for clients that hold the token themselves: the
/// session is over wherever it is kept.
#[utoipa::path(
    post,
    path = "/api/v1/auth/jwt/logout",
    responses(
        (status = 204, description = "Logged out"),
        schema::Unauthenticated401,
        schema::CsrfProtected,
        schema::NeedsDatabase
    ),
    security(("cookie" = []), ("bearer" = []))
)]
pub async fn jwt_logout(
    State(state): State<AppState>,
    Extension(auth): Extension<RequestAuth>,
) -> Result<StatusCode, ApiError> {
    let token = server_fn::presented_token(&auth)
        .filter(|_| auth.current.is_some())
        .ok_or(AuthError::NotLoggedIn)?;
    sessions::revoke_by_token(&auth.ctx(&state), token).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The provider's name, under the keys of both generations of MediaManager's frontend.
#[utoipa::path(
    get,
    path = "/api/v1/auth/metadata",
    responses(
        (status = 200, description = "The name, if there is a provider", body = schema::Metadata)
    )
)]
pub async fn metadata(State(state): State<AppState>) -> Json<Value> {
    // MediaManager's frontend has room for one.
    let name = state
        .providers
        .first()
        .map(|provider| provider.config().name.clone());
    Json(json!({ "oauth_providers": name.iter().collect::<Vec<_>>(), "oauth_name": name }))
}
