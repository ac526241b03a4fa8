//! How the contract writes things down: bodies that fastapi-users would send.

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::{FromRequest, Multipart, Request, multipart::MultipartError},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    domain::{AuthError, Email, User, error::Field},
    server::{
        http::limits,
        strict_json,
        web::{form_data, render},
    },
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
        Self { id: user.id, email: user.email.clone(), is_active: user.is_active, is_superuser: user.is_superuser, is_verified: user.is_verified }
    }
}

/// `{"detail": …}` with a status.
pub fn detail(status: StatusCode, detail: impl Serialize) -> Response {
    (status, Json(json!({ "detail": detail }))).into_response()
}

/// An error as the contract says it. Every one has a body: MediaManager's frontend takes an empty one for success.
pub fn failure(error: AuthError) -> Response {
    let status = render::status(error);
    let mut response = match error {
        // Not JSON, as in the original, for unknown routes and users alike.
        AuthError::NotFound => (status, "Not Found").into_response(),
        AuthError::NotLoggedIn => detail(status, "Unauthorized"),
        AuthError::Forbidden => detail(status, "Forbidden"),
        AuthError::MethodNotAllowed => detail(status, "Method Not Allowed"),
        // 401 would make MediaManager's frontend log out and leave the login page.
        AuthError::BadCredentials => detail(StatusCode::BAD_REQUEST, "LOGIN_BAD_CREDENTIALS"),
        _ if error.status() == 422 => validation(&[fault(error)]),
        _ => detail(status, error.code().to_ascii_uppercase()),
    };
    render::add_retry_after(response.headers_mut(), error);
    response
}

/// A 422 with its list of faults.
pub fn validation(faults: &[Value]) -> Response {
    detail(StatusCode::UNPROCESSABLE_ENTITY, faults)
}

/// A field that is not there.
#[must_use]
pub fn missing(field: &str) -> Value {
    json!({ "type": "missing", "loc": ["body", field], "msg": "Field required", "input": null })
}

/// One fault of a 422. The value itself is not repeated: it may be a password.
fn fault(error: AuthError) -> Value {
    let field = match error.field() {
        Some(Field::Email) => "username",
        Some(Field::Password) => "password",
        None => "__root__",
    };
    if error == AuthError::PasswordMissing {
        missing(field)
    } else {
        json!({ "type": error.code(), "loc": ["body", field], "msg": error.to_string(), "input": null })
    }
}

/// What the two login routes take.
pub struct LoginForm {
    pub username: String,
    pub password: String,
}

/// Reads the login form (OAuth2's password form): urlencoded or multipart, no field twice (SR-026).
///
/// # Errors
/// The answer to send: 400, 413, 415 or 422.
pub async fn login_form(request: Request) -> Result<LoginForm, Response> {
    let fields = read_fields(request).await?;
    let find = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone());
    form_data::reject_duplicates(&fields).map_err(failure)?;
    if let Some(grant) = find("grant_type").filter(|grant| !grant.is_empty() && grant != "password") {
        let pattern = json!({ "pattern": "^password$" });
        let msg = "String should match pattern '^password$'";
        return Err(validation(&[json!({ "type": "string_pattern_mismatch", "loc": ["body", "grant_type"], "msg": msg, "input": grant, "ctx": pattern })]));
    }
    // An empty password counts as missing, as in the original; an empty address is merely unknown.
    match (find("username"), find("password").filter(|password| !password.is_empty())) {
        (Some(username), Some(password)) => Ok(LoginForm { username, password }),
        (username, password) => {
            let absent = [("username", username.is_none()), ("password", password.is_none())];
            let faults: Vec<Value> = absent.into_iter().filter(|(_, is_absent)| *is_absent).map(|(field, _)| missing(field)).collect();
            Err(validation(&faults))
        }
    }
}

/// The fields of a form, of either kind.
///
/// # Errors
/// The answer to send: 400, 413 or 415.
pub async fn read_fields(request: Request) -> Result<Vec<(String, String)>, Response> {
    match form_data::media_type(request.headers()).as_str() {
        form_data::URLENCODED => form_data::parse_fields(&read_body(request.into_body()).await?).map_err(failure),
        "multipart/form-data" => read_multipart(request).await,
        // Named by the contract: JSON has neither field of a form.
        "application/json" => Ok(Vec::new()),
        "" if read_body(request.into_body()).await?.is_empty() => Ok(Vec::new()),
        _ => Err(failure(AuthError::UnsupportedMedia)),
    }
}

async fn read_body(body: Body) -> Result<axum::body::Bytes, Response> {
    to_bytes(body, limits::BODY).await.map_err(|_| failure(AuthError::TooLarge))
}

async fn read_multipart(request: Request) -> Result<Vec<(String, String)>, Response> {
    let malformed = || failure(AuthError::Malformed);
    // A body without a declared length is cut off at the limit while it is read.
    let refused = |err: MultipartError| if err.status() == StatusCode::PAYLOAD_TOO_LARGE { failure(AuthError::TooLarge) } else { malformed() };
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| malformed())?;
    let mut fields = Vec::new();
    while let Some(field) = form.next_field().await.map_err(refused)? {
        let name = field.name().ok_or_else(malformed)?.to_owned();
        // Not `text()`, which puts another character where the bytes are no text.
        let value = String::from_utf8(field.bytes().await.map_err(refused)?.into()).map_err(|_| malformed())?;
        fields.push((name, value));
        if fields.len() > limits::FIELDS {
            return Err(malformed());
        }
    }
    Ok(fields)
}

/// A JSON object somebody sent.
pub struct Object(Map<String, Value>);

/// What a fault about a missing field repeats: FastAPI shows the object for bodies that are one model, and nothing for single fields.
#[derive(Clone, Copy)]
pub enum Missing {
    Body,
    Nothing,
}

impl Object {
    /// A member, whatever it is.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The names of all members.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// A field that must be text without control characters; a password may have any (SR-012, SR-151).
    ///
    /// # Errors
    /// One fault of a 422, without the value of a password.
    pub fn text(&self, field: &str, missing: Missing) -> Result<String, Value> {
        match self.0.get(field) {
            // The other fields, but no password.
            None => Err(json!({ "type": "missing", "loc": ["body", field], "msg": "Field required", "input": match missing {
                Missing::Body => self.0.iter().filter(|(name, _)| !is_password(name)).map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>().into(),
                Missing::Nothing => Value::Null,
            } })),
            Some(Value::String(text)) if !is_password(field) && text.trim().chars().any(char::is_control) => Err(fault_of(field, AuthError::ControlCharacters)),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(value) => {
                let input = if is_password(field) { &Value::Null } else { value };
                Err(json!({ "type": "string_type", "loc": ["body", field], "msg": "Input should be a valid string", "input": input }))
            }
        }
    }
}

/// An address, in its canonical form.
///
/// # Errors
/// One fault of a 422.
pub fn email(body: &Object, missing: Missing) -> Result<Email, Value> {
    let typed = body.text("email", missing)?;
    Email::parse(&typed).map_err(|error| {
        let reason = error.to_string();
        json!({ "type": "value_error", "loc": ["body", "email"], "msg": format!("value is not a valid email address: {reason}"), "input": typed, "ctx": { "reason": reason } })
    })
}

/// A new password that breaks a rule: the contract's place for rules that the original does not have.
pub fn password_refused(error: AuthError, code: &str) -> Response {
    match error.field() {
        // Beyond SR-011 nothing is looked at any more, on any route.
        Some(Field::Password) if error != AuthError::PasswordTooLong => detail(StatusCode::BAD_REQUEST, json!({ "code": code, "reason": error.to_string() })),
        _ => failure(error),
    }
}

fn is_password(field: &str) -> bool {
    matches!(field, "password" | "current_password")
}

fn fault_of(field: &str, error: AuthError) -> Value {
    json!({ "type": error.code(), "loc": ["body", field], "msg": error.to_string(), "input": null })
}

/// Reads a body that must be one JSON object, strictly: no member twice, no deep nesting, valid UTF-8 (SR-150, SR-151).
///
/// # Errors
/// The answer to send: 400, 413, 415 or 422.
pub async fn read_object(request: Request) -> Result<Object, Response> {
    let is_json = form_data::media_type(request.headers()) == "application/json";
    let bytes = read_body(request.into_body()).await?;
    if bytes.is_empty() {
        return Err(validation(&[json!({ "type": "missing", "loc": ["body"], "msg": "Field required", "input": null })]));
    }
    if !is_json {
        return Err(failure(AuthError::UnsupportedMedia));
    }
    if std::str::from_utf8(&bytes).is_err() {
        return Err(failure(AuthError::Malformed));
    }
    match strict_json::object(&bytes) {
        Ok(members) => Ok(Object(members)),
        Err(_) if serde_json::from_slice::<Value>(&bytes).is_ok_and(|value| !value.is_object()) => {
            let msg = "Input should be a valid dictionary or object to extract fields from";
            Err(validation(&[json!({ "type": "model_attributes_type", "loc": ["body"], "msg": msg, "input": null })]))
        }
        Err(error) => {
            Err(validation(&[json!({ "type": "json_invalid", "loc": ["body", 0], "msg": "JSON decode error", "input": {}, "ctx": { "error": error } })]))
        }
    }
}
