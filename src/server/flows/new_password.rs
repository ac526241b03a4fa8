use super::{Ctx, rate_limits};
use crate::{
    domain::AuthError,
    server::crypto::{password_hasher::QueueSlot, password_policy::NewPassword},
};

/// Checks the strength of a new password and hashes it. Every flow that sets a password ends here.
///
/// A weak password costs as much as a hash and is refused, so a client may try a limited number of
/// them; all other outcomes return the quota.
///
/// # Errors
/// `TooManyAttempts`, and those of `Hasher::hash`.
pub async fn hash(
    cx: &Ctx<'_>,
    slot: QueueSlot,
    password: NewPassword,
) -> Result<String, AuthError> {
    let quota_key = rate_limits::consume_weak_password(cx).await?;
    let hashed = cx.state.hasher.hash(slot, password).await;
    if hashed != Err(AuthError::PasswordTooWeak) {
        rate_limits::refund(cx, &quota_key).await?;
    }
    hashed
}
