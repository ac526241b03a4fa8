//! Reading the bodies of `PATCH`, where every member may be missing.

use axum::{http::StatusCode, response::Response};
use serde_json::{Value, json};

use super::wire::{self, Missing, Object};
use crate::{
    domain::{AuthError, Password},
    server::flows::users::Change,
};

/// What the contract has in a user and nobody changes about themselves: there, but not looked at.
const IGNORED: [&str; 4] = ["id", "is_active", "is_superuser", "is_verified"];
const OWN: [&str; 3] = ["email", "password", "current_password"];

/// Why a body is not one.
pub enum Unfit {
    /// One fault for each member.
    Faults(Vec<Value>),
    /// A column that cannot be null.
    Null,
    Error(AuthError),
}

impl From<Unfit> for Response {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Faults(faults) => wire::validation(&faults),
            Unfit::Null => wire::detail(StatusCode::CONFLICT, "The entity to create already exists or is in a conflict with others."),
            Unfit::Error(error) => wire::failure(error),
        }
    }
}

/// What somebody wants changed about themselves. A member that nobody knows is refused: it may be a right that a later version has
/// (SR-141).
///
/// # Errors
/// What is wrong with it.
pub fn own(body: &Object) -> Result<Change, Unfit> {
    let known = |name: &str| IGNORED.contains(&name) || OWN.contains(&name);
    let unknown: Vec<Value> = body
        .names()
        .filter(|name| !known(name))
        .map(|name| json!({ "type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted", "input": null }))
        .collect();
    if unknown.is_empty() { common(body) } else { Err(Unfit::Faults(unknown)) }
}

/// What an administrator wants changed about a user.
///
/// # Errors
/// What is wrong with it.
pub fn of_user(body: &Object) -> Result<Change, Unfit> {
    let [is_active, is_superuser, is_verified] = ["is_active", "is_superuser", "is_verified"].map(|field| flag(body, field));
    Ok(Change { is_active: is_active?, is_superuser: is_superuser?, is_verified: is_verified?, ..common(body)? })
}

fn common(body: &Object) -> Result<Change, Unfit> {
    let email = match body.get("email") {
        None => None,
        Some(Value::Null) => return Err(Unfit::Null),
        Some(_) => Some(wire::email(body, Missing::Nothing).map_err(|fault| Unfit::Faults(vec![fault]))?),
    };
    let text = |field| match body.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => body.text(field, Missing::Nothing).map(Some).map_err(|fault| Unfit::Faults(vec![fault])),
    };
    let current_password = text("current_password")?.filter(|text| !text.is_empty()).map(Password::parse).transpose().map_err(Unfit::Error)?;
    Ok(Change { email, password: text("password")?, current_password, ..Change::default() })
}

/// A truth value, as lax as the original reads it.
fn flag(body: &Object, field: &str) -> Result<Option<bool>, Unfit> {
    let unreadable = |input: &Value| {
        let msg = "Input should be a valid boolean, unable to interpret input";
        Unfit::Faults(vec![json!({ "type": "bool_parsing", "loc": ["body", field], "msg": msg, "input": input })])
    };
    match body.get(field) {
        None => Ok(None),
        Some(Value::Null) => Err(Unfit::Null),
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

/// Why nothing was changed, in the codes of the contract.
pub fn refused(error: AuthError) -> Response {
    let reason = |status, code: &str| wire::detail(status, json!({ "code": code, "reason": error.to_string() }));
    match error {
        AuthError::EmailTaken => wire::detail(StatusCode::BAD_REQUEST, "UPDATE_USER_EMAIL_ALREADY_EXISTS"),
        AuthError::LoginTooOld => reason(StatusCode::FORBIDDEN, "UPDATE_USER_LOGIN_TOO_OLD"),
        AuthError::BadCredentials => reason(StatusCode::BAD_REQUEST, "UPDATE_USER_BAD_CURRENT_PASSWORD"),
        AuthError::EmailNeedsAdministrator => reason(StatusCode::FORBIDDEN, "UPDATE_USER_EMAIL_NEEDS_ADMINISTRATOR"),
        AuthError::LastAdministrator => wire::detail(StatusCode::CONFLICT, "LAST_ADMINISTRATOR"),
        error => wire::password_refused(error, "UPDATE_USER_INVALID_PASSWORD"),
    }
}
