use uuid::Uuid;

use super::permissions::{ensure_other_admin, ensure_still_admin, require_recent};
use crate::{
    domain::{AuditEvent, AuthError},
    server::{
        db,
        flows::{
            Ctx, Tx,
            events::EventDetails,
            sessions::{Admin, CurrentUser},
        },
    },
};

/// Deletes a user and all of its data (SR-145).
///
/// # Errors
/// `NotFound`, `LastAdministrator`, `ReauthenticationRequired`; `NotLoggedIn`,
/// `Forbidden` if the administrator has lost the session or the right meanwhile.
pub async fn delete_user(cx: &Ctx<'_>, admin: &Admin, id: Uuid) -> Result<(), AuthError> {
    require_recent(cx, admin)?;
    let tx = cx.exclusive().await?;
    ensure_still_admin(&tx, admin).await?;
    delete_in_transaction(tx, admin.current(), id).await
}

/// Deletes a user on behalf of an administrator or of the user. The transaction must be
/// [`exclusive`](Ctx::exclusive), and the caller must have checked the permission in it.
///
/// # Errors
/// `NotFound`, `LastAdministrator`.
pub async fn delete_in_transaction(
    mut tx: Tx<'_>,
    by: &CurrentUser,
    id: Uuid,
) -> Result<(), AuthError> {
    let user = db::users::find(tx.db(), id)
        .await?
        .ok_or(AuthError::NotFound)?;
    if user.is_administrator() {
        ensure_other_admin(&tx, id).await?;
    }
    db::outbox::delete_for_user(tx.db(), &user.email, id).await?;
    db::users::delete(tx.db(), id).await?;
    let (details, by) = (EventDetails::for_user(id), by.user().id);
    tx.record(
        AuditEvent::UserDeleted,
        if by == id {
            details
        } else {
            details.by_actor(by)
        },
    )
    .await?;
    tx.commit().await
}
