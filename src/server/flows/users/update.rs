//! Changes of a user by an administrator or on the command line.

use uuid::Uuid;

use super::permissions::{ensure_other_admin, ensure_still_admin};
use crate::{
    domain::{AuditEvent, AuthError, Email, GrantSource, Password, User},
    server::{
        crypto::password_policy::NewPassword,
        db,
        flows::{
            Ctx, Tx, account,
            events::EventDetails,
            mail::{self, MailKind},
            new_password, rate_limits,
            sessions::{Admin, CurrentUser},
        },
    },
};

/// Changes to a user; `None` leaves a value as it is.
#[derive(Clone, Debug, Default)]
pub struct UserUpdate {
    pub email: Option<Email>,
    pub password: Option<Password>,
    pub is_active: Option<bool>,
    pub is_superuser: Option<bool>,
    pub is_verified: Option<bool>,
    /// The administrator's own password, for changes that give control over the account without a
    /// recent login (SR-142).
    pub current_password: Option<Password>,
}

/// Changes a user, all of it or nothing.
///
/// # Errors
/// `NotFound`; `LastAdministrator`; `EmailTaken`; what is wrong with the password;
/// `ReauthenticationRequired` and those of a login for an address, a password and a promotion;
/// `NotLoggedIn`, `Forbidden` if the administrator has lost the session or the right meanwhile;
/// `Overloaded`.
pub async fn update_user(
    cx: &Ctx<'_>,
    admin: &Admin,
    id: Uuid,
    change: UserUpdate,
) -> Result<User, AuthError> {
    update_by(cx, Actor::Admin(admin), id, change).await
}

/// Who makes a change.
#[derive(Clone, Copy)]
pub(super) enum Actor<'a> {
    Admin(&'a Admin),
    /// The operator on the command line.
    Cli,
}

impl Actor<'_> {
    /// The current user, if administrators change their own account.
    fn as_self(&self, id: Uuid) -> Option<&CurrentUser> {
        match self {
            Self::Admin(admin) if admin.user().id == id => Some(admin.current()),
            _ => None,
        }
    }

    /// The value of the `granted_by` columns.
    fn name(&self) -> String {
        match self {
            Self::Admin(admin) => admin.user().id.to_string(),
            Self::Cli => GrantSource::Shell.name().to_owned(),
        }
    }
}

/// Changes a user on behalf of an administrator or the command line.
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
    let is_promoted = is_superuser == Some(true) && !before.is_superuser;
    if let Actor::Admin(admin) = by
        && (email.is_some() || password.is_some() || is_promoted)
    {
        // The same as `require_recent`, but the API may send the password instead.
        account::require_reauthentication(cx, admin.current(), current_password).await?;
    }
    let hash = match password {
        Some(password) => {
            let address = email.as_ref().map_or(before.email.as_str(), Email::as_str);
            let password = NewPassword::parse(password, address, &state.config)?;
            let slot = cx.acquire_hashing_slot().await?;
            Some(new_password::hash(cx, slot, password).await?)
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
    let mut editor = UserEditor { tx, by };
    if before.is_administrator() && !after.is_administrator() {
        ensure_other_admin(&editor.tx, id).await?;
    }
    if let Some(email) = email.filter(|email| email.as_str() != before.email) {
        editor.set_address(&before, &email).await?;
        email.as_str().clone_into(&mut after.email);
    }
    editor.set_rights(&before, &after).await?;
    if let Some(hash) = hash {
        editor.set_password(&before, hash).await?;
    }
    editor.tx.commit().await?;
    Ok(after)
}

/// A change of one user in progress.
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
        let details = EventDetails::for_user(user).with_detail(detail);
        let details = match self.by {
            Actor::Admin(admin) => details.by_actor(admin.user().id),
            Actor::Cli => details.with_method(GrantSource::Shell.name()),
        };
        self.tx.record(event, details).await
    }

    /// Sets the address and marks it as unverified, because an administrator's word does not verify
    /// it.
    async fn set_address(&mut self, before: &User, email: &Email) -> Result<(), AuthError> {
        if db::users::is_taken_by_another(self.tx.db(), email, before.id).await? {
            return Err(AuthError::EmailTaken);
        }
        db::users::set_email(self.tx.db(), before.id, email).await?;
        if !before.email.eq_ignore_ascii_case(email.as_str()) {
            db::accounts::clear_email_verified(self.tx.db(), before.id, self.tx.now()).await?;
            // Links are bound to the old address and would become valid again if it came back.
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
