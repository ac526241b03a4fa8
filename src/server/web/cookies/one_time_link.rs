//! Passes a reset link from the form that creates it to the page that shows it to the
//! administrator. The link travels in an encrypted cookie, because a URL would expose it. The
//! cookie is short-lived, because the link is shown once.

use axum::http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    app::users::reset_link::OneTimeLink,
    domain::AuthError,
    server::{
        AppState,
        flows::{Ctx, password_reset::ResetLink, sessions::Admin, users},
        web::cookies,
    },
};

const COOKIE_NAME: &str = "one-time-link";
/// In seconds.
const LIFETIME_SECONDS: u32 = 60;

#[derive(Serialize, Deserialize)]
struct Payload {
    user: Uuid,
    url: String,
    lifetime: u32,
}

/// The header that sets the cookie with the link.
#[must_use]
pub fn set_one_time_link(
    state: &AppState,
    user: Uuid,
    reset_link: &ResetLink,
) -> Option<HeaderValue> {
    let json = serde_json::to_string(&Payload {
        user,
        url: reset_link.link.clone(),
        lifetime: reset_link.lifetime,
    })
    .ok()?;
    cookies::sealed(
        &state.config,
        state.tokens.link_cookie_key(),
        &cookies::prefixed_name(&state.config, COOKIE_NAME),
        &json,
        LIFETIME_SECONDS,
    )
    .ok()
}

/// The header that deletes the cookie.
#[must_use]
pub fn clear_one_time_link(state: &AppState) -> Option<HeaderValue> {
    cookies::unset(
        &state.config,
        &cookies::prefixed_name(&state.config, COOKIE_NAME),
    )
    .ok()
}

/// The link in the cookie, with its user.
///
/// # Errors
/// `NotFound` without a valid cookie, or if the user has been deleted.
pub async fn open_one_time_link(
    cx: &Ctx<'_>,
    admin: &Admin,
    headers: &HeaderMap,
) -> Result<OneTimeLink, AuthError> {
    let state = cx.state;
    let (_, json) = cookies::unsealed(
        state.tokens.link_cookie_key(),
        headers,
        &cookies::prefixed_name(&state.config, COOKIE_NAME),
    )
    .pop()
    .ok_or(AuthError::NotFound)?;
    let payload: Payload = serde_json::from_str(&json).map_err(|_| AuthError::NotFound)?;
    let user = users::find(cx, admin, payload.user).await?;
    Ok(OneTimeLink {
        user: user.id.to_string(),
        email: user.email,
        url: payload.url,
        lifetime_seconds: payload.lifetime,
    })
}
