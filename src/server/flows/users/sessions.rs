//! Revocation of other users' sessions.

use uuid::Uuid;

use crate::{
    domain::{AuditEvent, AuthError},
    server::{
        db,
        flows::{Ctx, events::EventDetails, sessions::Admin},
    },
};

/// Revokes all sessions of a user.
///
/// # Errors
/// `NotFound`.
pub async fn revoke_sessions(cx: &Ctx<'_>, admin: &Admin, id: Uuid) -> Result<(), AuthError> {
    let mut tx = cx.transaction().await?;
    db::users::find(tx.db(), id)
        .await?
        .ok_or(AuthError::NotFound)?;
    db::sessions::revoke_all(tx.db(), id, tx.now()).await?;
    tx.record(
        AuditEvent::SessionsEnded,
        EventDetails::for_user(id)
            .by_actor(admin.user().id)
            .with_detail("all"),
    )
    .await?;
    tx.commit().await
}

/// Revokes one session of a user.
///
/// # Errors
/// `NotFound` unless the id belongs to a live session of the user (SR-099).
pub async fn revoke_session(
    cx: &Ctx<'_>,
    admin: &Admin,
    id: Uuid,
    session: Uuid,
) -> Result<(), AuthError> {
    let mut tx = cx.transaction().await?;
    if !db::sessions::revoke_for_user(tx.db(), id, session, tx.now()).await? {
        return Err(AuthError::NotFound);
    }
    tx.record(
        AuditEvent::SessionsEnded,
        EventDetails::for_user(id).by_actor(admin.user().id),
    )
    .await?;
    tx.commit().await
}
