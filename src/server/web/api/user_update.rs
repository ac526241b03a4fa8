//! The bodies of `PATCH`, in which every member is optional. Each is declared once, for parsing and
//! for the OpenAPI document.

use axum::http::StatusCode;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    bodies::Ignored,
    error::ApiError,
    fastapi::{JsonObject, MissingInput},
};
use crate::{
    domain::{AuthError, Email, Password},
    server::flows::users::UserUpdate,
};

/// Any of it; what is not there stays as it is. A member that is not listed here is refused.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SelfUpdateBody {
    /// Takes effect when the link that is mailed there is used.
    #[schema(required = false, format = "email", value_type = String)]
    pub email: Option<Email>,
    #[schema(min_length = 1, value_type = Option<String>)]
    pub password: Option<Password>,
    /// Needed when the login is older than five minutes.
    #[schema(value_type = Option<String>)]
    pub current_password: Option<Password>,
    /// Not looked at, and neither are the next three.
    #[schema(required = false, value_type = Value)]
    pub id: Ignored,
    #[schema(required = false, value_type = Value)]
    pub is_active: Ignored,
    #[schema(required = false, value_type = Value)]
    pub is_superuser: Ignored,
    #[schema(required = false, value_type = Value)]
    pub is_verified: Ignored,
}

/// The members of [`SelfUpdateBody`].
const MEMBERS: [&str; 7] = [
    "email",
    "password",
    "current_password",
    "id",
    "is_active",
    "is_superuser",
    "is_verified",
];

/// Unknown members are rejected, because a later version may define one of them as a permission
/// (SR-141).
impl TryFrom<JsonObject> for SelfUpdateBody {
    type Error = ApiError;

    fn try_from(body: JsonObject) -> Result<Self, ApiError> {
        let unknown: Vec<Value> = body
            .names()
            .filter(|name| !MEMBERS.contains(name))
            .map(|name| json!({ "type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted", "input": null }))
            .collect();
        if !unknown.is_empty() {
            return Err(ApiError::validation(unknown));
        }
        let Common {
            email,
            password,
            current_password,
        } = common(&body)?;
        Ok(Self {
            email,
            password,
            current_password,
            id: Ignored,
            is_active: Ignored,
            is_superuser: Ignored,
            is_verified: Ignored,
        })
    }
}

impl From<SelfUpdateBody> for UserUpdate {
    fn from(
        SelfUpdateBody {
            email,
            password,
            current_password,
            ..
        }: SelfUpdateBody,
    ) -> Self {
        Self {
            email,
            password,
            current_password,
            ..Self::default()
        }
    }
}

/// Any of it; what is not there stays as it is.
#[derive(Debug, ToSchema)]
pub struct UserUpdateBody {
    #[schema(required = false, format = "email", value_type = String)]
    pub email: Option<Email>,
    #[schema(min_length = 1, value_type = Option<String>)]
    pub password: Option<Password>,
    #[schema(required = false, value_type = bool)]
    pub is_active: Option<bool>,
    #[schema(required = false, value_type = bool)]
    pub is_superuser: Option<bool>,
    #[schema(required = false, value_type = bool)]
    pub is_verified: Option<bool>,
    /// For administrators who change their own address or password, when the login is older than
    /// five minutes.
    #[schema(value_type = Option<String>)]
    pub current_password: Option<Password>,
}

impl TryFrom<JsonObject> for UserUpdateBody {
    type Error = ApiError;

    fn try_from(body: JsonObject) -> Result<Self, ApiError> {
        let (is_active, is_superuser, is_verified) = (
            flag(&body, "is_active")?,
            flag(&body, "is_superuser")?,
            flag(&body, "is_verified")?,
        );
        let Common {
            email,
            password,
            current_password,
        } = common(&body)?;
        Ok(Self {
            email,
            password,
            is_active,
            is_superuser,
            is_verified,
            current_password,
        })
    }
}

impl From<UserUpdateBody> for UserUpdate {
    fn from(body: UserUpdateBody) -> Self {
        let UserUpdateBody {
            email,
            password,
            is_active,
            is_superuser,
            is_verified,
            current_password,
        } = body;
        Self {
            email,
            password,
            is_active,
            is_superuser,
            is_verified,
            current_password,
        }
    }
}

/// The members that both bodies share.
struct Common {
    email: Option<Email>,
    password: Option<Password>,
    current_password: Option<Password>,
}

fn common(body: &JsonObject) -> Result<Common, ApiError> {
    let invalid = |fault| ApiError::validation([fault]);
    let email = match body.get("email") {
        None => None,
        Some(Value::Null) => return Err(null()),
        Some(_) => Some(body.email(MissingInput::Nothing).map_err(invalid)?),
    };
    let password = |field| match body.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => body
            .password(field, MissingInput::Nothing)
            .map(Some)
            .map_err(invalid),
    };
    let current_password = password("current_password")?.filter(|password| !password.is_empty());
    if let Some(current_password) = &current_password {
        current_password.check()?;
    }
    Ok(Common {
        email,
        password: password("password")?,
        current_password,
    })
}

/// A boolean, in every spelling that Pydantic's lax mode accepts.
fn flag(body: &JsonObject, field: &str) -> Result<Option<bool>, ApiError> {
    let unreadable = |input: &Value| {
        let msg = "Input should be a valid boolean, unable to interpret input";
        ApiError::validation([
            json!({ "type": "bool_parsing", "loc": ["body", field], "msg": msg, "input": input }),
        ])
    };
    match body.get(field) {
        None => Ok(None),
        Some(Value::Null) => Err(null()),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(value @ Value::Number(number)) => match number.as_f64() {
            Some(0.0) => Ok(Some(false)),
            Some(1.0) => Ok(Some(true)),
            _ => Err(unreadable(value)),
        },
        Some(value @ Value::String(text)) => match text.to_ascii_lowercase().as_str() {
            "0" | "off" | "f" | "false" | "n" | "no" => Ok(Some(false)),
            "1" | "on" | "t" | "true" | "y" | "yes" => Ok(Some(true)),
            _ => Err(unreadable(value)),
        },
        Some(value) => Err(unreadable(value)),
    }
}

/// The response for `null` in a column that cannot be null.
fn null() -> ApiError {
    ApiError::detail(
        StatusCode::CONFLICT,
        "The entity to create already exists or is in a conflict with others.",
    )
}

/// Translates the error of an update into the API's codes.
pub fn refused(error: AuthError) -> ApiError {
    match error {
        AuthError::EmailTaken => ApiError::code("UPDATE_USER_EMAIL_ALREADY_EXISTS"),
        AuthError::ReauthenticationRequired => {
            ApiError::reason(StatusCode::FORBIDDEN, "UPDATE_USER_LOGIN_TOO_OLD", error)
        }
        AuthError::BadCredentials => ApiError::reason(
            StatusCode::BAD_REQUEST,
            "UPDATE_USER_BAD_CURRENT_PASSWORD",
            error,
        ),
        AuthError::EmailChangeUnavailable => ApiError::reason(
            StatusCode::FORBIDDEN,
            "UPDATE_USER_EMAIL_NEEDS_ADMINISTRATOR",
            error,
        ),
        AuthError::LastAdministrator => {
            ApiError::detail(StatusCode::CONFLICT, "LAST_ADMINISTRATOR")
        }
        error => ApiError::password("UPDATE_USER_INVALID_PASSWORD", error),
    }
}
