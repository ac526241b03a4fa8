//! Accounts by e-mail, as MediaManager's frontend and scripts use them: register, forgot and reset password, verify.

use axum::{
    Extension, Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::Value;

use super::{
    shapes,
    wire::{self, Missing},
};
use crate::{
    domain::AuthError,
    server::{
        AppState,
        flows::{
            email_proof::{self, Proven},
            password_reset,
            signup::{self, SignedUp},
        },
        http::visitor::Visitor,
    },
};

/// 201 and the user. Whatever else is in the body, rights for example, is not looked at (SR-032).
#[utoipa::path(
    post,
    path = "/api/v1/auth/register",
    request_body = shapes::Register,
    responses(
        (status = 201, description = "The account, which waits for approval", body = wire::UserBody),
        (status = 400, description = "The address or the password cannot be used", body = shapes::Refused),
        (status = 403, description = "Accounts are made by administrators here, or the request was made by another site", body = shapes::Refused),
        shapes::WithBody,
        shapes::Throttled,
        shapes::Stored
    )
)]
pub async fn register(State(state): State<AppState>, Extension(visitor): Extension<Visitor>, request: Request) -> Response {
    let body = match wire::read_object(request).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let (email, password) = match (wire::email(&body, Missing::Body), body.text("password", Missing::Body)) {
        (Ok(email), Ok(password)) => (email, password),
        (email, password) => return wire::validation(&[email.err(), password.err()].into_iter().flatten().collect::<Vec<Value>>()),
    };
    match signup::sign_up(&state, signup::Request { email, password, origin: visitor.origin }).await {
        Ok(SignedUp::MailSent { user } | SignedUp::Made { user }) => (StatusCode::CREATED, Json(wire::UserBody::from(&user))).into_response(),
        Err(AuthError::AddressRefused) => wire::detail(StatusCode::BAD_REQUEST, "REGISTER_USER_ALREADY_EXISTS"),
        Err(error) => wire::password_refused(error, "REGISTER_INVALID_PASSWORD"),
    }
}

/// 202 and `null`, whoever has the address.
#[utoipa::path(
    post,
    path = "/api/v1/auth/forgot-password",
    request_body = shapes::OnlyEmail,
    responses(
        (status = 202, description = "`null`, whoever has the address"),
        (status = 400, description = "The body is no text", body = shapes::Refused),
        shapes::FromAnybody
    )
)]
pub async fn forgot_password(State(state): State<AppState>, Extension(visitor): Extension<Visitor>, request: Request) -> Response {
    let body = match wire::read_object(request).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    match wire::email(&body, Missing::Nothing) {
        Ok(email) => accepted(password_reset::request(&state, &email, &visitor.origin).await),
        Err(fault) => wire::validation(&[fault]),
    }
}

/// 200 and `null`.
#[utoipa::path(
    post,
    path = "/api/v1/auth/reset-password",
    request_body = shapes::ResetPassword,
    responses(
        (status = 200, description = "`null`"),
        (status = 400, description = "The link or the password cannot be used", body = shapes::Refused),
        shapes::FromAnybody
    )
)]
pub async fn reset_password(State(state): State<AppState>, Extension(visitor): Extension<Visitor>, request: Request) -> Response {
    let body = match wire::read_object(request).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let (token, password) = match (body.text("token", Missing::Nothing), body.text("password", Missing::Nothing)) {
        (Ok(token), Ok(password)) => (token, password),
        (token, password) => return wire::validation(&[token.err(), password.err()].into_iter().flatten().collect::<Vec<Value>>()),
    };
    match password_reset::complete(&state, &token, None, password, &visitor.origin).await {
        Ok(()) => Json(Value::Null).into_response(),
        Err(AuthError::ResetLinkInvalid) => wire::detail(StatusCode::BAD_REQUEST, "RESET_PASSWORD_BAD_TOKEN"),
        Err(error) => wire::password_refused(error, "RESET_PASSWORD_INVALID_PASSWORD"),
    }
}

/// 202 and `null`.
#[utoipa::path(
    post,
    path = "/api/v1/auth/request-verify-token",
    request_body = shapes::OnlyEmail,
    responses(
        (status = 202, description = "`null`, whoever has the address"),
        (status = 400, description = "The body is no text", body = shapes::Refused),
        shapes::FromAnybody
    )
)]
pub async fn request_verify_token(State(state): State<AppState>, Extension(visitor): Extension<Visitor>, request: Request) -> Response {
    let body = match wire::read_object(request).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    match wire::email(&body, Missing::Nothing) {
        Ok(email) => accepted(email_proof::request(&state, email.as_str(), &visitor.origin).await),
        Err(fault) => wire::validation(&[fault]),
    }
}

/// 200 and the user. Proves the address and approves nobody; and only for the person who is logged in (SR-037).
#[utoipa::path(
    post,
    path = "/api/v1/auth/verify",
    request_body = shapes::OnlyToken,
    responses(
        (status = 200, description = "The user, whose address is proven now", body = wire::UserBody),
        (status = 400, description = "The link cannot be used, or the address was proven before", body = shapes::Refused),
        shapes::ForUsers,
        shapes::FromAnybody
    ),
    security(("cookie" = []), ("bearer" = []))
)]
pub async fn verify(State(state): State<AppState>, Extension(visitor): Extension<Visitor>, request: Request) -> Response {
    let body = match wire::read_object(request).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let token = match body.text("token", Missing::Nothing) {
        Ok(token) => token,
        Err(fault) => return wire::validation(&[fault]),
    };
    let current = match visitor.current_user() {
        Ok(current) => current,
        Err(error) => return wire::failure(error),
    };
    match email_proof::complete(&state, current, &token, &visitor.origin).await {
        Ok(Proven { was_proven: true, .. }) => wire::detail(StatusCode::BAD_REQUEST, "VERIFY_USER_ALREADY_VERIFIED"),
        Ok(Proven { user, .. }) => Json(wire::UserBody::from(&user)).into_response(),
        Err(AuthError::ProofLinkInvalid) => wire::detail(StatusCode::BAD_REQUEST, "VERIFY_USER_BAD_TOKEN"),
        Err(error) => wire::failure(error),
    }
}

fn accepted(result: Result<(), AuthError>) -> Response {
    match result {
        Ok(()) => (StatusCode::ACCEPTED, Json(Value::Null)).into_response(),
        Err(error) => wire::failure(error),
    }
}
