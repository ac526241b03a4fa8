use uuid::Uuid;

use super::permissions::require_recent;
use crate::{
    domain::AuthError,
    server::flows::{
        Ctx,
        password_reset::{self, ResetLink},
        sessions::Admin,
    },
};

/// Creates a password reset link for the administrator to pass on (SR-143).
///
/// # Errors
/// `NotFound` if there is no such active user; `ReauthenticationRequired`.
pub async fn create_reset_link(
    cx: &Ctx<'_>,
    admin: &Admin,
    id: Uuid,
) -> Result<ResetLink, AuthError> {
    require_recent(cx, admin)?;
    password_reset::create_reset_link(cx, id, Some(admin.user().id))
        .await?
        .ok_or(AuthError::NotFound)
}
