//! What the bodies of the contract look like, for its OpenAPI description. They are read by [`wire`](super::wire), which is stricter than
//! any derived reader.
#![expect(dead_code, reason = "shapes that are described and never built")]

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{RefOr, Response},
};

/// OAuth2's password form.
#[derive(ToSchema)]
pub struct Login {
    /// The address.
    #[schema(pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    username: String,
    #[schema(min_length = 1)]
    password: String,
    #[schema(required = false, pattern = "^(password)?$")]
    grant_type: String,
    /// Not looked at, and neither are the next two.
    #[schema(required = false)]
    scope: String,
    #[schema(required = false)]
    client_id: String,
    #[schema(required = false)]
    client_secret: String,
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
    #[schema(format = "email")]
    email: String,
    /// By the rules for new passwords, which are settings.
    #[schema(min_length = 1)]
    password: String,
}

#[derive(ToSchema)]
pub struct OnlyEmail {
    #[schema(format = "email")]
    email: String,
}

#[derive(ToSchema)]
pub struct OnlyToken {
    #[schema(pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    token: String,
}

#[derive(ToSchema)]
pub struct ResetPassword {
    #[schema(pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    token: String,
    /// By the rules for new passwords, which are settings.
    #[schema(min_length = 1)]
    password: String,
}

/// Any of it; what is not there stays as it is. A member that is not listed here is refused.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeMe {
    /// Takes effect when the link that is mailed there is used.
    #[schema(required = false, format = "email")]
    email: String,
    #[schema(min_length = 1)]
    password: Option<String>,
    /// Needed when the login is older than five minutes.
    current_password: Option<String>,
    /// Not looked at, and neither are the next three.
    #[schema(required = false)]
    id: Value,
    #[schema(required = false)]
    is_active: Value,
    #[schema(required = false)]
    is_superuser: Value,
    #[schema(required = false)]
    is_verified: Value,
}

/// Any of it; what is not there stays as it is.
#[derive(ToSchema)]
pub struct ChangeUser {
    #[schema(required = false, format = "email")]
    email: String,
    #[schema(min_length = 1)]
    password: Option<String>,
    #[schema(required = false)]
    is_active: bool,
    #[schema(required = false)]
    is_superuser: bool,
    #[schema(required = false)]
    is_verified: bool,
    /// For administrators who change their own address or password, when the login is older than five minutes.
    current_password: Option<String>,
}

#[derive(ToSchema)]
pub struct AuthorizationUrl {
    #[schema(format = "uri")]
    authorization_url: String,
}

#[derive(ToSchema)]
pub struct LogoutToken {
    logout_token: String,
}

/// What the provider is told (OpenID Connect Back-Channel Logout 1.0 §2.8).
#[derive(ToSchema)]
pub struct LogoutRefused {
    error: String,
    error_description: String,
}

/// Why not.
#[derive(ToSchema)]
pub struct Refused {
    detail: Detail,
}

#[derive(ToSchema)]
#[serde(untagged)]
pub enum Detail {
    /// A stable word.
    Code(String),
    /// A stable word, and a sentence for people.
    CodeAndReason { code: String, reason: String },
}

/// What cannot be read, field by field.
#[derive(ToSchema)]
pub struct Invalid {
    #[schema(min_items = 1)]
    detail: Vec<Fault>,
}

#[derive(ToSchema)]
pub struct Fault {
    r#type: String,
    /// `body` and the name of the field.
    loc: Vec<Value>,
    msg: String,
    /// What was there; never a password.
    input: Value,
    #[schema(required = false)]
    ctx: Value,
}

// ---- Answers that many routes have, for the same reason ------------------------------------------------------------------------------

/// Whoever needs a session and has none.
#[derive(IntoResponses)]
pub enum ForUsers {
    /// Nobody is logged in, or the session has ended.
    #[response(status = 401)]
    Unauthorized(Refused),
}

/// Whoever needs to be an administrator and is none.
#[derive(IntoResponses)]
pub enum ForAdministrators {
    /// Nobody is logged in, or the session has ended.
    #[response(status = 401)]
    Unauthorized(Refused),
    /// Logged in, but not allowed; or a browser that was sent by another site.
    #[response(status = 403)]
    Forbidden(Refused),
}

/// What a browser does because another site made it.
#[derive(IntoResponses)]
pub enum ForThisSite {
    /// The request was made by another site.
    #[response(status = 403)]
    CrossSite(Refused),
}

/// A body that is not read, or not understood.
#[derive(IntoResponses)]
pub enum WithBody {
    /// More than 64 KiB.
    #[response(status = 413)]
    TooLarge(Refused),
    /// Another type of content, or a compressed one.
    #[response(status = 415)]
    UnsupportedMedia(Refused),
    /// It lacks something, or there is something else in it than is described.
    #[response(status = 422)]
    Invalid(Invalid),
}

/// What is counted.
#[derive(IntoResponses)]
pub enum Throttled {
    /// Too many attempts.
    #[response(status = 429, headers(("retry-after" = u32, description = "Seconds after which the next one counts")))]
    TooManyAttempts(Refused),
}

/// What needs the database.
#[derive(IntoResponses)]
pub enum Stored {
    /// The database or the provider cannot be reached, or too many passwords are being checked.
    #[response(status = 503)]
    Unavailable(Refused),
}

/// All of it that a body from anybody may get.
pub struct FromAnybody;

impl IntoResponses for FromAnybody {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [ForThisSite::responses(), WithBody::responses(), Throttled::responses(), Stored::responses()].into_iter().flatten().collect()
    }
}

/// `Not Found`, and no JSON, as in the original.
#[derive(IntoResponses)]
#[response(status = 404, description = "There is no such thing; the words say so without JSON, as in the original", content_type = "text/plain")]
pub struct NotFound(String);
