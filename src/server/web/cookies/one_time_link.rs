//! A link that an administrator hands over, on its way from the form that makes it to the page that
//! shows it: in an encrypted cookie, because it may stand in no address, and for a short while,
//! because it is shown once.

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
/// Seconds.
const LIFETIME_SECONDS: u32 = 60;

#[derive(Serialize, Deserialize)]
struct Payload {
    user: Uuid,
    url: String,
    lifetime: u32,
}

/// The cookie that carries it.
#[must_use]
pub fn set_one_time_link(state: &AppState, user: Uuid, made: &ResetLink) -> Option<HeaderValue> {
    let text = serde_json::to_string(&Payload {
        user,
        url: made.link.clone(),
        lifetime: made.lifetime,
    })
    .ok()?;
    cookies::sealed(
        &state.config,
        state.tokens.link_cookie_key(),
        &cookies::prefixed_name(&state.config, COOKIE_NAME),
        &text,
        LIFETIME_SECONDS,
    )
    .ok()
}

/// The cookie that takes it away.
#[must_use]
pub fn clear_one_time_link(state: &AppState) -> Option<HeaderValue> {
    cookies::unset(
        &state.config,
        &cookies::prefixed_name(&state.config, COOKIE_NAME),
    )
    .ok()
}

/// What the page shows.
///
/// # Errors
/// `NotFound` when nothing is carried, or no more; `Unavailable`.
pub async fn open_one_time_link(
    cx: &Ctx<'_>,
    admin: &Admin,
    headers: &HeaderMap,
) -> Result<OneTimeLink, AuthError> {
    let state = cx.state;
    let (_, text) = cookies::unsealed(
        state.tokens.link_cookie_key(),
        headers,
        &cookies::prefixed_name(&state.config, COOKIE_NAME),
    )
    .pop()
    .ok_or(AuthError::NotFound)?;
    let carried: Payload = serde_json::from_str(&text).map_err(|_| AuthError::NotFound)?;
    let user = users::find(cx, admin, carried.user).await?;
    Ok(OneTimeLink {
        user: user.id.to_string(),
        email: user.email,
        url: carried.url,
        lifetime_seconds: carried.lifetime,
    })
}
