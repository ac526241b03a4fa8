//! The responses in the OpenAPI document. The requests are in [`bodies`](super::bodies) and
//! [`user_update`](super::user_update).
#![expect(dead_code, reason = "shapes that are described and never built")]

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{RefOr, Response},
};

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
pub struct LogoutErrorBody {
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
pub struct ValidationErrorBody {
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

// ---- Responses shared by many routes
// -------------------------------------------------------------

/// Responses of routes that require a session.
#[derive(IntoResponses)]
pub enum Unauthenticated401 {
    /// Nobody is logged in, or the session has ended.
    #[response(status = 401)]
    Unauthorized(Refused),
}

/// Responses of routes that require an administrator.
#[derive(IntoResponses)]
pub enum AdminOnly {
    /// Nobody is logged in, or the session has ended.
    #[response(status = 401)]
    Unauthorized(Refused),
    /// Logged in, but not allowed; or a browser that was sent by another site.
    #[response(status = 403)]
    Forbidden(Refused),
}

/// Response of routes protected against CSRF.
#[derive(IntoResponses)]
pub enum CsrfProtected {
    /// The request was made by another site.
    #[response(status = 403)]
    CrossSite(Refused),
}

/// Responses of routes with a body.
#[derive(IntoResponses)]
pub enum HasBody {
    /// More than 64 KiB.
    #[response(status = 413)]
    TooLarge(Refused),
    /// Another type of content, or a compressed one.
    #[response(status = 415)]
    UnsupportedMedia(Refused),
    /// It lacks something, or there is something else in it than is described.
    #[response(status = 422)]
    ValidationErrorBody(ValidationErrorBody),
}

/// Response of rate-limited routes.
#[derive(IntoResponses)]
pub enum RateLimited {
    /// Too many attempts.
    #[response(status = 429, headers(("retry-after" = u32, description = "Seconds after which the next one counts")))]
    TooManyAttempts(Refused),
}

/// Response of routes that need the database.
#[derive(IntoResponses)]
pub enum NeedsDatabase {
    /// The database or the provider cannot be reached, or too many passwords are being checked.
    #[response(status = 503)]
    Unavailable(Refused),
}

/// The error responses shared by routes that read a body from unauthenticated clients.
pub struct PublicEndpoint;

impl IntoResponses for PublicEndpoint {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [
            CsrfProtected::responses(),
            HasBody::responses(),
            RateLimited::responses(),
            NeedsDatabase::responses(),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// The 404 response: plain text, like MediaManager's.
#[derive(IntoResponses)]
#[response(
    status = 404,
    description = "There is no such thing; the words say so without JSON, as in the original",
    content_type = "text/plain"
)]
pub struct NotFound(String);
