//! Accounts by e-mail, as MediaManager's frontend and scripts use them: register, forgot and reset password, verify.

use axum::{
    Extension, Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::wire::{self, Missing, Object};
use crate::{
    domain::{AuthError, Email, error::Field},
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

/// `POST /auth/register`: 201 and the user. Whatever else is in the body, rights for example, is not looked at (SR-032).
pub async fn register(State(state): State<AppState>, Extension(visitor): Extension<Visitor>, request: Request) -> Response {
    let body = match wire::read_object(request).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let (email, password) = match (email(&body, Missing::Body), body.text("password", Missing::Body)) {
        (Ok(email), Ok(password)) => (email, password),
        (email, password) => return wire::validation(&[email.err(), password.err()].into_iter().flatten().collect::<Vec<Value>>()),
    };
    match signup::sign_up(&state, signup::Request { email, password, origin: visitor.origin }).await {
        Ok(SignedUp::MailSent { user } | SignedUp::Made { user }) => (StatusCode::CREATED, Json(wire::UserBody::from(&user))).into_response(),
        Err(AuthError::AddressRefused) => wire::detail(StatusCode::BAD_REQUEST, "REGISTER_USER_ALREADY_EXISTS"),
        Err(error) => password_refused(error, "REGISTER_INVALID_PASSWORD"),
    }
}

/// `POST /auth/forgot-password`: 202 and `null`, whoever has the address.
pub async fn forgot_password(State(state): State<AppState>, Extension(visitor): Extension<Visitor>, request: Request) -> Response {
    let body = match wire::read_object(request).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    match email(&body, Missing::Nothing) {
        Ok(email) => accepted(password_reset::request(&state, &email, &visitor.origin).await),
        Err(fault) => wire::validation(&[fault]),
    }
}

/// `POST /auth/reset-password`: 200 and `null`.
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
        Err(error) => password_refused(error, "RESET_PASSWORD_INVALID_PASSWORD"),
    }
}

/// `POST /auth/request-verify-token`: 202 and `null`.
pub async fn request_verify_token(State(state): State<AppState>, Extension(visitor): Extension<Visitor>, request: Request) -> Response {
    let body = match wire::read_object(request).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    match email(&body, Missing::Nothing) {
        Ok(email) => accepted(email_proof::request(&state, email.as_str(), &visitor.origin).await),
        Err(fault) => wire::validation(&[fault]),
    }
}

/// `POST /auth/verify`: 200 and the user. Proves the address and approves nobody; and only for the person who is logged in (SR-037).
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

fn email(body: &Object, missing: Missing) -> Result<Email, Value> {
    let typed = body.text("email", missing)?;
    Email::parse(&typed).map_err(|error| {
        let reason = error.to_string();
        json!({ "type": "value_error", "loc": ["body", "email"], "msg": format!("value is not a valid email address: {reason}"), "input": typed, "ctx": { "reason": reason } })
    })
}

fn accepted(result: Result<(), AuthError>) -> Response {
    match result {
        Ok(()) => (StatusCode::ACCEPTED, Json(Value::Null)).into_response(),
        Err(error) => wire::failure(error),
    }
}

/// The contract's place for rules that the original does not have.
fn password_refused(error: AuthError, code: &str) -> Response {
    match error.field() {
        // Beyond SR-011 nothing is looked at any more, on any route.
        Some(Field::Password) if error != AuthError::PasswordTooLong => {
            wire::detail(StatusCode::BAD_REQUEST, json!({ "code": code, "reason": error.to_string() }))
        }
        _ => wire::failure(error),
    }
}
