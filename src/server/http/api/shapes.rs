//! What the bodies of the contract look like, for its OpenAPI description. They are read by [`wire`](super::wire), which is stricter than
//! any derived reader.
#![expect(dead_code, reason = "shapes that are described and never built")]

use serde_json::Value;
use utoipa::ToSchema;

/// OAuth2's password form.
#[derive(ToSchema)]
pub struct Login {
    /// The address.
    username: String,
    password: String,
    grant_type: Option<String>,
    scope: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// A session token to send as a bearer token.
#[derive(ToSchema)]
pub struct BearerToken {
    access_token: String,
    /// `bearer`
    token_type: String,
}

/// The provider, under the keys of both generations of MediaManager's frontend.
#[derive(ToSchema)]
pub struct Metadata {
    oauth_providers: Vec<String>,
    oauth_name: Option<String>,
}

#[derive(ToSchema)]
pub struct Register {
    email: String,
    password: String,
}

#[derive(ToSchema)]
pub struct OnlyEmail {
    email: String,
}

#[derive(ToSchema)]
pub struct OnlyToken {
    token: String,
}

#[derive(ToSchema)]
pub struct ResetPassword {
    token: String,
    password: String,
}

/// Any of it; what is not there stays as it is.
#[derive(ToSchema)]
pub struct ChangeMe {
    /// Takes effect when the link that is mailed there is used.
    email: Option<String>,
    password: Option<String>,
    /// Needed when the login is older than five minutes.
    current_password: Option<String>,
}

/// Any of it; what is not there stays as it is.
#[derive(ToSchema)]
pub struct ChangeUser {
    email: Option<String>,
    password: Option<String>,
    is_active: Option<bool>,
    is_superuser: Option<bool>,
    is_verified: Option<bool>,
    /// For administrators who change their own address or password, when the login is older than five minutes.
    current_password: Option<String>,
}

#[derive(ToSchema)]
pub struct AuthorizationUrl {
    authorization_url: String,
}

#[derive(ToSchema)]
pub struct LogoutToken {
    logout_token: String,
}

/// Why not: a stable word, or an object with `code` and `reason`.
#[derive(ToSchema)]
pub struct Refused {
    detail: Value,
}

/// What cannot be read, field by field.
#[derive(ToSchema)]
pub struct Invalid {
    detail: Vec<Value>,
}
