//! The wire format of fastapi-users: how the API writes bodies and how strictly it reads them.

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, Multipart, Request, multipart::MultipartError},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::error::{ApiError, field_item};
use crate::{
    domain::{AuthError, Email, LinkToken, Password, User},
    server::{
        strict_json,
        web::{form_data, middleware::request_limits},
    },
    text::en::error_message,
};

/// The user object, always these five fields in this order.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = User)]
pub struct UserBody {
    id: uuid::Uuid,
    email: String,
    is_active: bool,
    is_superuser: bool,
    is_verified: bool,
}

impl From<&User> for UserBody {
    fn from(user: &User) -> Self {
        Self {
            id: user.id,
            email: user.email.clone(),
            is_active: user.is_active,
            is_superuser: user.is_superuser,
            is_verified: user.is_verified,
        }
    }
}

/// The response for an error, in the API's format.
pub fn failure(error: AuthError) -> Response {
    ApiError::from(error).into_response()
}

/// Reads the fields of an urlencoded or multipart form.
///
/// # Errors
/// 400, 413 or 415.
pub async fn read_fields(request: Request) -> Result<Vec<(String, String)>, ApiError> {
    match form_data::media_type(request.headers()).as_str() {
        form_data::URLENCODED => Ok(form_data::parse_fields(
            &read_body(request.into_body()).await?,
        )?),
        "multipart/form-data" => read_multipart(request).await,
        // JSON counts as a form without fields, like in fastapi-users.
        "application/json" => Ok(Vec::new()),
        "" if read_body(request.into_body()).await?.is_empty() => Ok(Vec::new()),
        _ => Err(AuthError::UnsupportedMediaType.into()),
    }
}

async fn read_body(body: Body) -> Result<axum::body::Bytes, ApiError> {
    to_bytes(body, request_limits::MAX_BODY_BYTES)
        .await
        .map_err(|_| AuthError::PayloadTooLarge.into())
}

async fn read_multipart(request: Request) -> Result<Vec<(String, String)>, ApiError> {
    // The body limit ends a body without a declared length while it is being read.
    let refused = |err: MultipartError| {
        if err.status() == StatusCode::PAYLOAD_TOO_LARGE {
            AuthError::PayloadTooLarge
        } else {
            AuthError::BadRequest
        }
    };
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|_| AuthError::BadRequest)?;
    let mut fields = Vec::new();
    while let Some(field) = form.next_field().await.map_err(refused)? {
        let name = field.name().ok_or(AuthError::BadRequest)?.to_owned();
        // `text()` would replace invalid UTF-8 instead of reporting it.
        let value = String::from_utf8(field.bytes().await.map_err(refused)?.into())
            .map_err(|_| AuthError::BadRequest)?;
        fields.push((name, value));
        if fields.len() > request_limits::MAX_FIELDS {
            return Err(AuthError::BadRequest.into());
        }
    }
    Ok(fields)
}

/// A JSON object from a request body.
pub struct JsonObject(Map<String, Value>);

/// The `input` of a "missing field" error: FastAPI repeats the object if the body is one model, and
/// `null` for single fields.
#[derive(Clone, Copy)]
pub enum MissingInput {
    Body,
    Nothing,
}

impl JsonObject {
    /// Reads a body that must be one JSON object. Duplicate members, deep nesting and invalid UTF-8
    /// are rejected (SR-150, SR-151).
    ///
    /// # Errors
    /// 400, 413, 415 or 422.
    pub async fn read(request: Request) -> Result<Self, ApiError> {
        let is_json = form_data::media_type(request.headers()) == "application/json";
        let bytes = read_body(request.into_body()).await?;
        if bytes.is_empty() {
            return Err(ApiError::validation([
                json!({ "type": "missing", "loc": ["body"], "msg": "Field required", "input": null }),
            ]));
        }
        if !is_json {
            return Err(AuthError::UnsupportedMediaType.into());
        }
        if std::str::from_utf8(&bytes).is_err() {
            return Err(AuthError::BadRequest.into());
        }
        match strict_json::object(&bytes) {
            Ok(members) => Ok(Self(members)),
            Err(_)
                if serde_json::from_slice::<Value>(&bytes)
                    .is_ok_and(|value| !value.is_object()) =>
            {
                let msg = "Input should be a valid dictionary or object to extract fields from";
                Err(ApiError::validation([
                    json!({ "type": "model_attributes_type", "loc": ["body"], "msg": msg, "input": null }),
                ]))
            }
            Err(error) => {
                let fault = json!({ "type": "json_invalid", "loc": ["body", 0], "msg": "JSON decode error", "input": {}, "ctx": { "error": error } });
                Err(ApiError::validation([fault]))
            }
        }
    }

    /// A member of any type.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The names of all members.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// A string without control characters; a password may contain them (SR-012, SR-151).
    ///
    /// # Errors
    /// One item of a 422, without the value of a password.
    pub fn text(&self, field: &str, missing: MissingInput) -> Result<String, Value> {
        match self.0.get(field) {
            // Repeat the other fields, except passwords.
            None => Err(
                json!({ "type": "missing", "loc": ["body", field], "msg": "Field required", "input": match missing {
                MissingInput::Body => self.0.iter().filter(|(name, _)| !is_password(name)).map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>().into(),
                MissingInput::Nothing => Value::Null,
            } }),
            ),
            Some(Value::String(text))
                if !is_password(field) && text.trim().chars().any(char::is_control) =>
            {
                Err(field_item(field, AuthError::ControlCharacters))
            }
            Some(Value::String(text)) => Ok(text.clone()),
            Some(value) => {
                let input = if is_password(field) {
                    &Value::Null
                } else {
                    value
                };
                Err(
                    json!({ "type": "string_type", "loc": ["body", field], "msg": "Input should be a valid string", "input": input }),
                )
            }
        }
    }

    /// An email address in its canonical form.
    ///
    /// # Errors
    /// One item of a 422.
    pub fn email(&self, missing: MissingInput) -> Result<Email, Value> {
        let typed = self.text("email", missing)?;
        Email::parse(&typed).map_err(|error| {
            let reason = error_message(error);
            json!({ "type": "value_error", "loc": ["body", "email"], "msg": format!("value is not a valid email address: {reason}"), "input": typed, "ctx": { "reason": reason } })
        })
    }

    /// A password, byte for byte.
    ///
    /// # Errors
    /// One item of a 422, without the value.
    pub fn password(&self, field: &str, missing: MissingInput) -> Result<Password, Value> {
        self.text(field, missing).map(Password::new)
    }

    /// The token of a link.
    ///
    /// # Errors
    /// One item of a 422.
    pub fn token(&self) -> Result<LinkToken, Value> {
        self.text("token", MissingInput::Nothing)
            .map(LinkToken::new)
    }
}

/// For handlers that must check permissions before they validate the members.
impl<S: Send + Sync> FromRequest<S> for JsonObject {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        Self::read(request).await
    }
}

fn is_password(field: &str) -> bool {
    matches!(field, "password" | "current_password")
}
