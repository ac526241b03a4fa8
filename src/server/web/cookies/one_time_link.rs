//! Passes a reset link from the form that creates it to the page that shows it to the
//! administrator. The link travels in an encrypted cookie, because a URL would expose it. The
//! cookie is short-lived, because the link is shown once.

use std::borrow::Cow;

use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::SealedCookie;
use crate::{
    app::users::reset_link::OneTimeLink,
    domain::AuthError,
    server::{
        crypto::tokens::Tokens,
        flows::{Ctx, password_reset::ResetLink, sessions::Admin, users},
    },
};

#[derive(Serialize, Deserialize)]
pub struct Payload {
    /// The administrator who created the link.
    admin: Uuid,
    /// Unix seconds. The lifetime of the cookie is kept by the browser only.
    expires_at: i64,
    user: Uuid,
    url: String,
    lifetime: u32,
}

/// The cookie with a reset link for the administrator who created it.
pub const ONE_TIME_LINK: SealedCookie<Payload> = SealedCookie::new(
    Cow::Borrowed("one-time-link"),
    Tokens::link_cookie_key,
    LIFETIME_SECONDS,
);
const LIFETIME_SECONDS: u32 = 60;

impl Payload {
    pub fn new(admin: &Admin, user: Uuid, reset_link: &ResetLink, now: i64) -> Self {
        Self {
            admin: admin.user().id,
            expires_at: now + i64::from(LIFETIME_SECONDS),
            user,
            url: reset_link.link.clone(),
            lifetime: reset_link.lifetime,
        }
    }
}

/// The link in the cookie, with its user.
///
/// # Errors
/// `NotFound` without a valid cookie of this administrator, or if the user has been deleted.
pub async fn open_one_time_link(
    cx: &Ctx<'_>,
    admin: &Admin,
    headers: &HeaderMap,
) -> Result<OneTimeLink, AuthError> {
    let payload = ONE_TIME_LINK
        .get(cx.state, headers)
        .filter(|payload| payload.admin == admin.user().id && cx.now() < payload.expires_at)
        .ok_or(AuthError::NotFound)?;
    let user = users::find(cx, admin, payload.user).await?;
    Ok(OneTimeLink {
        user: user.id.to_string(),
        email: user.email,
        url: payload.url,
        lifetime_seconds: payload.lifetime,
    })
}
