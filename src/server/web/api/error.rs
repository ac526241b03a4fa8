use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    domain::{AuthError, auth_error::Field},
    server::web::render,
    text::en::error_message,
};

/// An error response of the API. Every error has a body, because MediaManager's frontend treats an
/// empty response as success.
#[derive(Debug, PartialEq)]
pub enum ApiError {
    /// An error that is translated into the API's codes.
    Auth(AuthError),
    /// A JSON body in the format of fastapi-users or of a specification.
    Json(StatusCode, Value),
    /// A plain text body.
    Text(StatusCode, &'static str),
}

impl ApiError {
    /// `{"detail": …}` with the given status.
    pub fn detail(status: StatusCode, detail: impl Serialize) -> Self {
        Self::Json(status, json!({ "detail": detail }))
    }

    /// A 400 with a fastapi-users error code.
    pub fn code(code: &str) -> Self {
        Self::detail(StatusCode::BAD_REQUEST, code)
    }

    /// A code with a message for people.
    pub fn reason(status: StatusCode, code: &str, error: AuthError) -> Self {
        Self::detail(
            status,
            json!({ "code": code, "reason": error_message(error) }),
        )
    }

    /// A 422 with a list of validation errors.
    pub fn validation(faults: impl IntoIterator<Item = Value>) -> Self {
        Self::detail(
            StatusCode::UNPROCESSABLE_ENTITY,
            faults.into_iter().collect::<Vec<_>>(),
        )
    }

    /// A new password that breaks a rule: a 400 with a code and a message, because fastapi-users
    /// has no code for these rules.
    pub fn password(code: &str, error: AuthError) -> Self {
        match error.field() {
            // A password over the length limit (SR-011) gets the same answer on every route.
            Some(Field::Password) if error != AuthError::PasswordTooLong => {
                Self::reason(StatusCode::BAD_REQUEST, code, error)
            }
            _ => Self::Auth(error),
        }
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        Self::Auth(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::Auth(error) => {
                let mut response = translate(error).into_response();
                render::add_retry_after(response.headers_mut(), error);
                response
            }
            Self::Json(status, body) => (status, Json(body)).into_response(),
            Self::Text(status, text) => (status, text).into_response(),
        }
    }
}

/// Never returns [`ApiError::Auth`].
fn translate(error: AuthError) -> ApiError {
    let status = render::status(error);
    match error {
        // Plain text for unknown routes and unknown users, like MediaManager.
        AuthError::NotFound => ApiError::Text(status, "Not Found"),
        AuthError::NotLoggedIn => ApiError::detail(status, "Unauthorized"),
        AuthError::Forbidden => ApiError::detail(status, "Forbidden"),
        AuthError::MethodNotAllowed => ApiError::detail(status, "Method Not Allowed"),
        // A 401 would make MediaManager's frontend log out and leave the login page.
        AuthError::BadCredentials => ApiError::code("LOGIN_BAD_CREDENTIALS"),
        _ if error.status() == 422 => ApiError::validation([fault(error)]),
        _ => ApiError::detail(status, error.code().to_ascii_uppercase()),
    }
}

/// A missing field.
pub fn missing(field: &str) -> Value {
    json!({ "type": "missing", "loc": ["body", field], "msg": "Field required", "input": null })
}

/// A field that breaks a rule. The value is not repeated, because it may be a password.
pub fn field_item(field: &str, error: AuthError) -> Value {
    json!({ "type": error.code(), "loc": ["body", field], "msg": error_message(error), "input": null })
}

fn fault(error: AuthError) -> Value {
    let field = match error.field() {
        Some(Field::Email) => "username",
        Some(Field::Password) => "password",
        None => "__root__",
    };
    if error == AuthError::PasswordMissing {
        missing(field)
    } else {
        field_item(field, error)
    }
}
