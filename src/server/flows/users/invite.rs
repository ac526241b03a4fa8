use super::{
    NewUserAccount, Role, insert_user,
    permissions::{ensure_still_admin, require_recent},
};
use crate::{
    domain::{AuditEvent, AuthError, Email, User},
    server::flows::{
        Ctx,
        events::EventDetails,
        mail::{self, MailKind},
        password_reset::{self, ResetLink},
        sessions::Admin,
    },
};

/// A user who has just been invited, and the link for the administrator to pass on if mail is not
/// configured.
pub struct Invited {
    pub user: User,
    pub link: Option<ResetLink>,
}

/// Creates an approved account whose owner chooses the password through a link. The link is mailed,
/// or the administrator passes it on. Only the mailed link verifies the address.
///
/// # Errors
/// `EmailTaken`, `ReauthenticationRequired`; `NotLoggedIn`, `Forbidden` if the administrator has
/// lost the session or the right meanwhile.
pub async fn invite(cx: &Ctx<'_>, admin: &Admin, email: Email) -> Result<Invited, AuthError> {
    require_recent(cx, admin)?;
    let (by, hashed_password) = (admin.user().id, cx.state.hasher.unmatchable_hash()?);
    let mut tx = cx.exclusive().await?;
    ensure_still_admin(&tx, admin).await?;
    let new = NewUserAccount {
        email,
        hashed_password,
        role: Role::Member,
        is_email_verified: false,
        is_passwordless: true,
        created_by: by.to_string(),
    };
    let user = insert_user(&tx, new).await?;
    mail::notify(&tx, MailKind::Invitation, &user).await?;
    tx.record(
        AuditEvent::UserCreated,
        EventDetails::for_user(user.id)
            .by_actor(by)
            .with_detail(Role::Member.name()),
    )
    .await?;
    tx.commit().await?;
    let link = if mail::is_configured(cx.state) {
        None
    } else {
        password_reset::create_reset_link(cx, user.id, Some(by)).await?
    };
    Ok(Invited { user, link })
}
