//! Checks before an administrator changes a user. One active administrator always remains: every
//! action that could remove the last one is serialized and checks first (SR-144).

use uuid::Uuid;

use crate::{
    domain::AuthError,
    server::{
        db,
        flows::{
            Ctx, Tx,
            sessions::{self, Admin},
        },
    },
};

/// Requires a recent login for what gives control over an account. Otherwise whoever has stolen an
/// administrator's cookie keeps a way in: a link for another account, which then sets the password of
/// the first (SR-142).
pub(super) fn require_recent(cx: &Ctx<'_>, admin: &Admin) -> Result<(), AuthError> {
    admin.current().recent(cx.now()).map(drop)
}

/// Checks in the transaction that the administrator still has the session and the right, because
/// hashing a password takes time.
pub(super) async fn ensure_still_admin(tx: &Tx<'_>, admin: &Admin) -> Result<(), AuthError> {
    sessions::ensure_session_live(tx, admin.current()).await?;
    let user = db::users::find(tx.db(), admin.user().id)
        .await?
        .ok_or(AuthError::NotLoggedIn)?;
    if user.is_administrator() {
        Ok(())
    } else {
        Err(AuthError::Forbidden)
    }
}

/// Another active and approved administrator must remain (SR-144).
pub(super) async fn ensure_other_admin(tx: &Tx<'_>, id: Uuid) -> Result<(), AuthError> {
    if db::users::has_other_administrator(tx.db(), id).await? {
        Ok(())
    } else {
        Err(AuthError::LastAdministrator)
    }
}
