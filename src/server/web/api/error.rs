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

/// Why a request of the API is refused. Each one is answered with a body: MediaManager's frontend
/// takes an empty one for success.
#[derive(Debug, PartialEq)]
pub enum ApiError {
    /// In the API's words for it.
    Auth(AuthError),
    /// A JSON body as fastapi-users, or a specification, has it.
    Json(StatusCode, Value),
    /// A body without JSON.
    Text(StatusCode, &'static str),
}

impl ApiError {
    /// `{"detail": …}` with a status.
    pub fn detail(status: StatusCode, detail: impl Serialize) -> Self {
        Self::Json(status, json!({ "detail": detail }))
    }

    /// A 400 with one of fastapi-users' codes.
    pub fn code(code: &str) -> Self {
        Self::detail(StatusCode::BAD_REQUEST, code)
    }

    /// A code, and a sentence for people.
    pub fn reason(status: StatusCode, code: &str, error: AuthError) -> Self {
        Self::detail(
            status,
            json!({ "code": code, "reason": error_message(error) }),
        )
    }

    /// A 422 with its list of faults.
    pub fn validation(faults: impl IntoIterator<Item = Value>) -> Self {
        Self::detail(
            StatusCode::UNPROCESSABLE_ENTITY,
            faults.into_iter().collect::<Vec<_>>(),
        )
    }

    /// A new password that breaks a rule: the API's place for rules that the original does not
    /// have.
    pub fn password(code: &str, error: AuthError) -> Self {
        match error.field() {
            // Beyond SR-011 nothing is looked at any more, on any route.
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

/// Never [`ApiError::Auth`].
fn translate(error: AuthError) -> ApiError {
    let status = render::status(error);
    match error {
        // Not JSON, as in the original, for unknown routes and users alike.
        AuthError::NotFound => ApiError::Text(status, "Not Found"),
        AuthError::NotLoggedIn => ApiError::detail(status, "Unauthorized"),
        AuthError::Forbidden => ApiError::detail(status, "Forbidden"),
        AuthError::MethodNotAllowed => ApiError::detail(status, "Method Not Allowed"),
        // 401 would make MediaManager's frontend log out and leave the login page.
        AuthError::BadCredentials => ApiError::code("LOGIN_BAD_CREDENTIALS"),
        _ if error.status() == 422 => ApiError::validation([fault(error)]),
        _ => ApiError::detail(status, error.code().to_ascii_uppercase()),
    }
}

/// A field that is not there.
pub fn missing(field: &str) -> Value {
    json!({ "type": "missing", "loc": ["body", field], "msg": "Field required", "input": null })
}

/// A field that breaks a rule. The value itself is not repeated: it may be a password.
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
