//! What administrators do to others. The last active one always remains: whatever could take them
//! away runs alone and looks first (SR-144).

use uuid::Uuid;

use super::{NewUserAccount, Role, insert_user};
use crate::{
    domain::{AuditEvent, AuthError, Email, Password, User},
    server::{
        crypto::password_policy::NewPassword,
        db,
        flows::{
            Ctx, Tx, account,
            client_info::SHELL,
            events::EventDetails,
            mail::{self, MailKind},
            oidc,
            password_reset::{self, ResetLink},
            rate_limits,
            sessions::{self, Admin, CurrentUser},
        },
    },
};

/// What shall be different about a user; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct UserUpdate {
    pub email: Option<Email>,
    pub password: Option<Password>,
    pub is_active: Option<bool>,
    pub is_superuser: Option<bool>,
    pub is_verified: Option<bool>,
    /// For administrators who change their own address or password: the present one, unless their
    /// login is young (SR-142).
    pub current_password: Option<Password>,
}

/// Changes a user, all of it or nothing.
///
/// # Errors
/// `NotFound`; `LastAdministrator`; `EmailTaken`; what is wrong with the password; `LoginTooOld`
/// and those of a login for one's own address and password; `NotLoggedIn`, `Forbidden` when the
/// right has gone meanwhile; `Busy`, `Unavailable`.
pub async fn update_user(
    cx: &Ctx<'_>,
    admin: &Admin,
    id: Uuid,
    change: UserUpdate,
) -> Result<User, AuthError> {
    update_by(cx, Actor::Admin(admin), id, change).await
}

/// Who acts.
#[derive(Clone, Copy)]
pub(super) enum Actor<'a> {
    Admin(&'a Admin),
    /// The operator, at the machine itself.
    Cli,
}

impl Actor<'_> {
    /// The administrator, if it is this very user who acts.
    fn as_self(&self, id: Uuid) -> Option<&CurrentUser> {
        match self {
            Self::Admin(admin) if admin.user().id == id => Some(admin.current()),
            _ => None,
        }
    }

    /// The word for the columns that say who granted something.
    fn name(&self) -> String {
        match self {
            Self::Admin(admin) => admin.user().id.to_string(),
            Self::Cli => SHELL.to_owned(),
        }
    }
}

/// The same, by whomever.
///
/// # Errors
/// Those of [`update_user`].
pub(super) async fn update_by(
    cx: &Ctx<'_>,
    by: Actor<'_>,
    id: Uuid,
    change: UserUpdate,
) -> Result<User, AuthError> {
    let state = cx.state;
    let UserUpdate {
        email,
        password,
        is_active,
        is_superuser,
        is_verified,
        current_password,
    } = change;
    let before = db::users::find(&state.db, id)
        .await?
        .ok_or(AuthError::NotFound)?;
    if let Some(current) = by
        .as_self(id)
        .filter(|_| email.is_some() || password.is_some())
    {
        account::require_reauthentication(cx, current, current_password).await?;
    }
    let hash = match password {
        Some(password) => {
            let address = email.as_ref().map_or(before.email.as_str(), Email::as_str);
            let password = NewPassword::parse(password, address, &state.config)?.into_password();
            Some(
                state
                    .hasher
                    .hash(state.hasher.acquire_slot().await?, password)
                    .await?,
            )
        }
        None => None,
    };

    let tx = cx.exclusive().await?;
    if let Actor::Admin(admin) = by {
        ensure_still_admin(&tx, admin).await?;
    }
    let before = db::users::find(tx.db(), id)
        .await?
        .ok_or(AuthError::NotFound)?;
    let mut after = User {
        is_active: is_active.unwrap_or(before.is_active),
        is_superuser: is_superuser.unwrap_or(before.is_superuser),
        is_verified: is_verified.unwrap_or(before.is_verified),
        ..before.clone()
    };
    let mut acting = UserEditor { tx, by };
    if before.is_administrator() && !after.is_administrator() {
        ensure_other_admin(&acting.tx, id).await?;
    }
    if let Some(email) = email.filter(|email| email.as_str() != before.email) {
        acting.set_address(&before, &email).await?;
        email.as_str().clone_into(&mut after.email);
    }
    acting.set_rights(&before, &after).await?;
    if let Some(hash) = hash {
        acting.set_password(&before, hash).await?;
    }
    acting.tx.commit().await?;
    Ok(after)
}

/// The one who remains must be able to manage the others (SR-144).
async fn ensure_other_admin(tx: &Tx<'_>, id: Uuid) -> Result<(), AuthError> {
    if db::users::has_other_administrator(tx.db(), id).await? {
        Ok(())
    } else {
        Err(AuthError::LastAdministrator)
    }
}

/// One change of one user, and who makes it.
struct UserEditor<'a> {
    tx: Tx<'a>,
    by: Actor<'a>,
}

impl UserEditor<'_> {
    async fn record(
        &mut self,
        event: AuditEvent,
        user: Uuid,
        detail: &str,
    ) -> Result<(), AuthError> {
        let note = EventDetails::for_user(user).with_detail(detail);
        let note = match self.by {
            Actor::Admin(admin) => note.by_actor(admin.user().id),
            Actor::Cli => note.with_method(SHELL),
        };
        self.tx.record(event, note).await
    }

    /// The address is an administrator's word and nobody's proof.
    async fn set_address(&mut self, before: &User, email: &Email) -> Result<(), AuthError> {
        if db::users::is_taken_by_another(self.tx.db(), email, before.id).await? {
            return Err(AuthError::EmailTaken);
        }
        db::users::set_email(self.tx.db(), before.id, email).await?;
        if !before.email.eq_ignore_ascii_case(email.as_str()) {
            db::accounts::clear_email_verified(self.tx.db(), before.id, self.tx.now()).await?;
            // They name the address that is gone, and would live again if it came back.
            mail::revoke_links(&self.tx, before).await?;
            mail::notify(&self.tx, MailKind::EmailChanged, before).await?;
        }
        self.record(AuditEvent::EmailChanged, before.id, "").await
    }

    async fn set_rights(&mut self, before: &User, after: &User) -> Result<(), AuthError> {
        let (now, id, by) = (self.tx.now(), before.id, self.by.name());
        db::users::set_rights(self.tx.db(), before, after).await?;
        if before.is_verified != after.is_verified {
            db::accounts::set_approval(self.tx.db(), id, after.is_verified.then_some(&by), now)
                .await?;
            self.record(
                if after.is_verified {
                    AuditEvent::UserApproved
                } else {
                    AuditEvent::ApprovalRevoked
                },
                id,
                "",
            )
            .await?;
        }
        if before.is_superuser != after.is_superuser {
            db::accounts::set_admin_grant(self.tx.db(), id, after.is_superuser.then_some(&by), now)
                .await?;
            self.record(
                AuditEvent::RoleChanged,
                id,
                if after.is_superuser {
                    "administrator"
                } else {
                    "member"
                },
            )
            .await?;
        }
        if before.is_active != after.is_active {
            if !after.is_active {
                db::sessions::revoke_all(self.tx.db(), id, now).await?;
                mail::revoke_links(&self.tx, before).await?;
            }
            self.record(
                if after.is_active {
                    AuditEvent::UserEnabled
                } else {
                    AuditEvent::UserDisabled
                },
                id,
                "",
            )
            .await?;
        }
        Ok(())
    }

    async fn set_password(&mut self, before: &User, hash: String) -> Result<(), AuthError> {
        let (now, id) = (self.tx.now(), before.id);
        db::users::set_hash(self.tx.db(), id, hash).await?;
        db::accounts::clear_passwordless(self.tx.db(), id, now).await?;
        rate_limits::clear_account_failures(self.tx.db(), &before.email).await?;
        mail::drop_queued_links(&self.tx, before).await?;
        match self.by.as_self(id) {
            Some(current) => {
                db::sessions::revoke_all_except(self.tx.db(), id, current.session(), now).await?
            }
            None => db::sessions::revoke_all(self.tx.db(), id, now).await?,
        };
        mail::notify(&self.tx, MailKind::PasswordSet, before).await?;
        self.record(AuditEvent::PasswordChanged, id, "").await
    }
}

/// Deletes a user and everything that belongs to them (SR-145).
///
/// # Errors
/// `NotFound`, `LastAdministrator`, `Unavailable`; `LoginTooOld` for oneself; `NotLoggedIn`,
/// `Forbidden` when the right has gone meanwhile.
pub async fn delete_user(cx: &Ctx<'_>, admin: &Admin, id: Uuid) -> Result<(), AuthError> {
    require_recent_for_oneself(cx, admin, id)?;
    let tx = cx.exclusive().await?;
    ensure_still_admin(&tx, admin).await?;
    delete_in_transaction(tx, admin.current(), id).await
}

/// The same, by whomever. The transaction is [`exclusive`](Ctx::exclusive), and the caller has made
/// sure that they still may.
///
/// # Errors
/// `NotFound`, `LastAdministrator`, `Unavailable`.
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
    let (note, by) = (EventDetails::for_user(id), by.user().id);
    tx.record(
        AuditEvent::UserDeleted,
        if by == id { note } else { note.by_actor(by) },
    )
    .await?;
    tx.commit().await
}

/// Ends all sessions of a user.
///
/// # Errors
/// `NotFound`, `Unavailable`.
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

/// Ends one session of a user.
///
/// # Errors
/// `NotFound` for everything that is no live session of theirs (SR-099); `Unavailable`.
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

/// Somebody who has just been invited, and the link to hand over where no mail can carry it.
pub struct Invited {
    pub user: User,
    pub link: Option<ResetLink>,
}

/// Makes an account that is approved, for somebody who chooses the password: they get a link by
/// mail, or the administrator hands one over. That the address is theirs is proven by the mail or
/// not at all.
///
/// # Errors
/// `EmailTaken`, `Busy`, `Unavailable`; `NotLoggedIn`, `Forbidden` when the right has gone
/// meanwhile.
pub async fn invite(cx: &Ctx<'_>, admin: &Admin, email: Email) -> Result<Invited, AuthError> {
    let (by, hashed_password) = (admin.user().id, oidc::random_password_hash(cx.state).await?);
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

/// A link for a new password, to hand over (SR-143).
///
/// # Errors
/// `NotFound` when there is no such active user; `Unavailable`; `LoginTooOld` for oneself.
pub async fn create_reset_link(
    cx: &Ctx<'_>,
    admin: &Admin,
    id: Uuid,
) -> Result<ResetLink, AuthError> {
    require_recent_for_oneself(cx, admin, id)?;
    password_reset::create_reset_link(cx, id, Some(admin.user().id))
        .await?
        .ok_or(AuthError::NotFound)
}

/// The way over the users page into one's own account is no shorter than the other: a stolen cookie
/// keeps no account (SR-142).
fn require_recent_for_oneself(cx: &Ctx<'_>, admin: &Admin, id: Uuid) -> Result<(), AuthError> {
    if id == admin.user().id {
        admin.current().recent(cx.now()).map(drop)
    } else {
        Ok(())
    }
}

/// Whether the administrator still is one, and still logged in: hashing a password takes its time.
async fn ensure_still_admin(tx: &Tx<'_>, admin: &Admin) -> Result<(), AuthError> {
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
