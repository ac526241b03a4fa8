//! Registration, password reset and email verification, for MediaManager's frontend and scripts.

use axum::{Extension, Json, extract::State, http::StatusCode};

use super::{
    bodies::{EmailBody, Register, ResetPassword, StrictJson, TokenBody},
    error::ApiError,
    fastapi::UserBody,
    schema,
};
use crate::{
    domain::AuthError,
    server::{
        AppState,
        flows::{
            email_verification,
            password_reset::{self, PasswordReset},
            signup::{self, SignupOutcome},
        },
        web::middleware::authenticate::RequestAuth,
    },
};

/// 201 and the user. Whatever else is in the body, rights for example, is not looked at (SR-032).
#[utoipa::path(
    post,
    path = "/api/v1/auth/register",
    request_body = Register,
    responses(
        (status = 201, description = "The account, which waits for approval", body = UserBody),
        (status = 400, description = "The address or the password cannot be used", body = schema::Refused),
        (status = 403, description = "Accounts are made by administrators here, or the request was made by another site", body = schema::Refused),
        schema::HasBody,
        schema::RateLimited,
        schema::NeedsDatabase
    )
)]
pub async fn register(
    State(state): State<AppState>,
    Extension(auth): Extension<RequestAuth>,
    StrictJson(Register { email, password }): StrictJson<Register>,
) -> Result<(StatusCode, Json<UserBody>), ApiError> {
    let outcome = signup::sign_up(&auth.ctx(&state), signup::SignupRequest { email, password })
        .await
        .map_err(|error| match error {
            AuthError::EmailUnavailable => ApiError::code("REGISTER_USER_ALREADY_EXISTS"),
            error => ApiError::password("REGISTER_INVALID_PASSWORD", error),
        })?;
    let (SignupOutcome::MailSent { user } | SignupOutcome::Created { user }) = outcome;
    Ok((StatusCode::CREATED, Json(UserBody::from(&user))))
}

/// 202 and `null`, whoever has the address.
#[utoipa::path(
    post,
    path = "/api/v1/auth/forgot-password",
    request_body = EmailBody,
    responses(
        (status = 202, description = "`null`, whoever has the address"),
        (status = 400, description = "The body is no text", body = schema::Refused),
        schema::PublicEndpoint
    )
)]
pub async fn forgot_password(
    State(state): State<AppState>,
    Extension(auth): Extension<RequestAuth>,
    StrictJson(body): StrictJson<EmailBody>,
) -> Result<Accepted, ApiError> {
    password_reset::request_reset(&auth.ctx(&state), &body.email).await?;
    Ok(ACCEPTED)
}

/// 200 and `null`.
#[utoipa::path(
    post,
    path = "/api/v1/auth/reset-password",
    request_body = ResetPassword,
    responses(
        (status = 200, description = "`null`"),
        (status = 400, description = "The link or the password cannot be used", body = schema::Refused),
        schema::PublicEndpoint
    )
)]
pub async fn reset_password(
    State(state): State<AppState>,
    Extension(auth): Extension<RequestAuth>,
    StrictJson(ResetPassword { token, password }): StrictJson<ResetPassword>,
) -> Result<Json<()>, ApiError> {
    let reset = PasswordReset {
        token,
        shown_email: None,
        password,
    };
    password_reset::reset_password(&auth.ctx(&state), reset)
        .await
        .map_err(|error| match error {
            AuthError::ResetLinkInvalid => ApiError::code("RESET_PASSWORD_BAD_TOKEN"),
            error => ApiError::password("RESET_PASSWORD_INVALID_PASSWORD", error),
        })?;
    Ok(Json(()))
}

/// 202 and `null`.
#[utoipa::path(
    post,
    path = "/api/v1/auth/request-verify-token",
    request_body = EmailBody,
    responses(
        (status = 202, description = "`null`, whoever has the address"),
        (status = 400, description = "The body is no text", body = schema::Refused),
        schema::PublicEndpoint
    )
)]
pub async fn request_verify_token(
    State(state): State<AppState>,
    Extension(auth): Extension<RequestAuth>,
    StrictJson(body): StrictJson<EmailBody>,
) -> Result<Accepted, ApiError> {
    email_verification::request_verification(&auth.ctx(&state), body.email.as_str()).await?;
    Ok(ACCEPTED)
}

/// 200 and the user. Proves the address and approves nobody; and only for the person who is logged
/// in (SR-037).
#[utoipa::path(
    post,
    path = "/api/v1/auth/verify",
    request_body = TokenBody,
    responses(
        (status = 200, description = "The user, whose address is proven now", body = UserBody),
        (status = 400, description = "The link cannot be used, or the address was proven before", body = schema::Refused),
        schema::Unauthenticated401,
        schema::PublicEndpoint
    ),
    security(("cookie" = []), ("bearer" = []))
)]
pub async fn verify(
    State(state): State<AppState>,
    Extension(auth): Extension<RequestAuth>,
    StrictJson(body): StrictJson<TokenBody>,
) -> Result<Json<UserBody>, ApiError> {
    let verification =
        email_verification::verify_email(&auth.ctx(&state), auth.current_user()?, &body.token)
            .await
            .map_err(|error| match error {
                AuthError::VerificationLinkInvalid => ApiError::code("VERIFY_USER_BAD_TOKEN"),
                error => error.into(),
            })?;
    if verification.was_verified {
        Err(ApiError::code("VERIFY_USER_ALREADY_VERIFIED"))
    } else {
        Ok(Json(UserBody::from(&verification.user)))
    }
}

/// The response of requests whose result is kept secret: 202 and `null`.
type Accepted = (StatusCode, Json<()>);
const ACCEPTED: Accepted = (StatusCode::ACCEPTED, Json(()));
