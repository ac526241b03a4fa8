//! The request bodies. Each is declared once, for parsing and for the OpenAPI document.

use axum::extract::{FromRequest, Request};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    error::{ApiError, missing},
    fastapi::{self, JsonObject, MissingInput},
};
use crate::{
    domain::{AuthError, Email, LinkToken, Password},
    server::web::form_data,
};

/// A request body parsed from a strict JSON object.
pub struct StrictJson<T>(pub T);

impl<S: Send + Sync, T: TryFrom<JsonObject, Error = ApiError>> FromRequest<S> for StrictJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        JsonObject::read(request).await?.try_into().map(Self)
    }
}

/// A member that is documented but not read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ignored;

/// OAuth2's password form.
#[derive(Debug, ToSchema)]
#[schema(as = Login)]
pub struct LoginForm {
    /// The address.
    #[schema(pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    pub username: String,
    #[schema(min_length = 1, value_type = String)]
    pub password: Password,
    #[schema(required = false, pattern = "^(password)?$", value_type = String)]
    pub grant_type: Ignored,
    /// Not looked at, and neither are the next two.
    #[schema(required = false, value_type = String)]
    pub scope: Ignored,
    #[schema(required = false, value_type = String)]
    pub client_id: Ignored,
    #[schema(required = false, value_type = String)]
    pub client_secret: Ignored,
}

/// Accepts urlencoded and multipart forms and rejects duplicate fields (SR-026).
impl<S: Send + Sync> FromRequest<S> for LoginForm {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let fields = fastapi::read_fields(request).await?;
        let find = |name: &str| {
            fields
                .iter()
                .find(|(field, _)| field == name)
                .map(|(_, value)| value.clone())
        };
        form_data::reject_duplicates(&fields)?;
        if let Some(grant) =
            find("grant_type").filter(|grant| !grant.is_empty() && grant != "password")
        {
            let pattern = json!({ "pattern": "^password$" });
            let msg = "String should match pattern '^password$'";
            let fault = json!({ "type": "string_pattern_mismatch", "loc": ["body", "grant_type"], "msg": msg, "input": grant, "ctx": pattern });
            return Err(ApiError::validation([fault]));
        }
        // An empty password counts as missing, like in fastapi-users. An empty address is treated
        // as an unknown one.
        let (username, password) = (
            find("username"),
            find("password").filter(|password| !password.is_empty()),
        );
        let (username, password) = both(
            username.ok_or_else(|| missing("username")),
            password.ok_or_else(|| missing("password")),
        )?;
        if username.trim().chars().any(char::is_control) {
            return Err(AuthError::ControlCharacters.into());
        }
        let password = Password::new(password);
        Ok(Self {
            username,
            password,
            grant_type: Ignored,
            scope: Ignored,
            client_id: Ignored,
            client_secret: Ignored,
        })
    }
}

#[derive(Debug, ToSchema)]
pub struct Register {
    #[schema(format = "email", value_type = String)]
    pub email: Email,
    /// By the rules for new passwords, which are settings.
    #[schema(min_length = 1, value_type = String)]
    pub password: Password,
}

impl TryFrom<JsonObject> for Register {
    type Error = ApiError;

    fn try_from(body: JsonObject) -> Result<Self, ApiError> {
        let (email, password) = both(
            body.email(MissingInput::Body),
            body.password("password", MissingInput::Body),
        )?;
        Ok(Self { email, password })
    }
}

#[derive(Debug, ToSchema)]
pub struct EmailBody {
    #[schema(format = "email", value_type = String)]
    pub email: Email,
}

impl TryFrom<JsonObject> for EmailBody {
    type Error = ApiError;

    fn try_from(body: JsonObject) -> Result<Self, ApiError> {
        let email = body
            .email(MissingInput::Nothing)
            .map_err(|fault| ApiError::validation([fault]))?;
        Ok(Self { email })
    }
}

#[derive(Debug, ToSchema)]
pub struct TokenBody {
    #[schema(pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$", value_type = String)]
    pub token: LinkToken,
}

impl TryFrom<JsonObject> for TokenBody {
    type Error = ApiError;

    fn try_from(body: JsonObject) -> Result<Self, ApiError> {
        let token = body
            .token()
            .map_err(|fault| ApiError::validation([fault]))?;
        Ok(Self { token })
    }
}

#[derive(Debug, ToSchema)]
pub struct ResetPassword {
    #[schema(pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$", value_type = String)]
    pub token: LinkToken,
    /// By the rules for new passwords, which are settings.
    #[schema(min_length = 1, value_type = String)]
    pub password: Password,
}

impl TryFrom<JsonObject> for ResetPassword {
    type Error = ApiError;

    fn try_from(body: JsonObject) -> Result<Self, ApiError> {
        let (token, password) = both(
            body.token(),
            body.password("password", MissingInput::Nothing),
        )?;
        Ok(Self { token, password })
    }
}

/// Returns both values, or a 422 that lists the errors of both.
fn both<A, B>(one: Result<A, Value>, other: Result<B, Value>) -> Result<(A, B), ApiError> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (one, other) => Err(ApiError::validation(
            one.err().into_iter().chain(other.err()),
        )),
    }
}
