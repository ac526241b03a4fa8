//! What administrators do to others. The last active one always remains: whatever could take them away runs alone and looks first (SR-144).

use uuid::Uuid;

use super::{New, Role, insert};
use crate::{
    domain::{AuthError, Email, Event, Password, User},
    server::{
        AppState,
        db::{self, Transaction},
        flows::{
            account,
            events::{self, Note},
            mail::{self, Kind},
            new_password::NewPassword,
            oidc,
            password_reset::{self, HandedOver},
            sessions::{self, Admin, CurrentUser, Origin, SHELL},
            throttle,
        },
    },
};

/// What shall be different about a user; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub email: Option<Email>,
    pub password: Option<String>,
    pub is_active: Option<bool>,
    pub is_superuser: Option<bool>,
    pub is_verified: Option<bool>,
    /// For administrators who change their own address or password: the present one, unless their login is young (SR-142).
    pub current_password: Option<Password>,
}

/// Changes a user, all of it or nothing.
///
/// # Errors
/// `NotFound`; `Forbidden` for approving oneself; `LastAdministrator`; `EmailTaken`; what is wrong with the password; `LoginTooOld` and
/// those of a login for one's own address and password; `Busy`, `Unavailable`.
pub async fn update(state: &AppState, admin: &Admin, id: Uuid, change: Change, origin: &Origin) -> Result<User, AuthError> {
    update_by(state, By::Admin(admin), id, change, origin).await
}

/// Who acts.
#[derive(Clone, Copy)]
pub(super) enum By<'a> {
    Admin(&'a Admin),
    /// The operator, at the machine itself.
    Shell,
}

impl By<'_> {
    /// The administrator, if it is this very user who acts.
    fn oneself(&self, id: Uuid) -> Option<&CurrentUser> {
        match self {
            Self::Admin(admin) if admin.user().id == id => Some(admin.current()),
            _ => None,
        }
    }

    /// The word for the columns that say who granted something.
    fn name(&self) -> String {
        match self {
            Self::Admin(admin) => admin.user().id.to_string(),
            Self::Shell => SHELL.to_owned(),
        }
    }
}

/// The same, by whomever.
///
/// # Errors
/// Those of [`update`].
pub(super) async fn update_by(state: &AppState, by: By<'_>, id: Uuid, change: Change, origin: &Origin) -> Result<User, AuthError> {
    let Change { email, password, is_active, is_superuser, is_verified, current_password } = change;
    let before = db::users::find(&state.db, id).await?.ok_or(AuthError::NotFound)?;
    if let Some(current) = by.oneself(id).filter(|_| email.is_some() || password.is_some()) {
        account::require_presence(state, current, current_password, origin).await?;
    }
    let hash = match password {
        Some(password) => {
            let address = email.as_ref().map_or(before.email.as_str(), Email::as_str);
            let password = NewPassword::parse(password, address, &state.config)?.into_password();
            Some(state.hasher.hash(state.hasher.admit().await?, password).await?)
        }
        None => None,
    };

    let transaction = db::begin(&state.db).await?;
    db::serialize(&transaction).await?;
    if let By::Admin(admin) = by {
        still_may(state, &transaction, admin).await?;
    }
    let before = db::users::find(&transaction, id).await?.ok_or(AuthError::NotFound)?;
    let mut after = User {
        is_active: is_active.unwrap_or(before.is_active),
        is_superuser: is_superuser.unwrap_or(before.is_superuser),
        is_verified: is_verified.unwrap_or(before.is_verified),
        ..before.clone()
    };
    if by.oneself(id).is_some() && after.is_verified && !before.is_verified {
        return Err(AuthError::Forbidden);
    }
    let acting = Acting { state, transaction: &transaction, by, origin };
    if is_administrator(&before) && !is_administrator(&after) {
        acting.keep_one_administrator(id).await?;
    }
    if let Some(email) = email.filter(|email| email.as_str() != before.email) {
        acting.set_address(&before, &email).await?;
        email.as_str().clone_into(&mut after.email);
    }
    acting.set_rights(&before, &after).await?;
    if let Some(hash) = hash {
        acting.set_password(&before, hash).await?;
    }
    db::commit(transaction).await?;
    Ok(after)
}

/// What one change of one administrator needs throughout.
#[derive(Clone, Copy)]
struct Acting<'a> {
    state: &'a AppState,
    transaction: &'a Transaction,
    by: By<'a>,
    origin: &'a Origin,
}

impl Acting<'_> {
    async fn keep_one_administrator(self, id: Uuid) -> Result<(), AuthError> {
        if db::users::has_other_administrator(self.transaction, id).await? { Ok(()) } else { Err(AuthError::LastAdministrator) }
    }

    async fn record(self, event: Event, user: Uuid, detail: &str) -> Result<(), AuthError> {
        let note = Note::of(user).detail(detail);
        let note = match self.by {
            By::Admin(admin) => note.by(admin.user().id),
            By::Shell => note.method(SHELL),
        };
        events::record(self.state, self.transaction, event, self.origin, note).await
    }

    /// The address is an administrator's word and nobody's proof.
    async fn set_address(self, before: &User, email: &Email) -> Result<(), AuthError> {
        if db::users::is_taken_by_another(self.transaction, email, before.id).await? {
            return Err(AuthError::EmailTaken);
        }
        db::users::set_email(self.transaction, before.id, email).await?;
        if !before.email.eq_ignore_ascii_case(email.as_str()) {
            let now = self.state.clock.now();
            db::accounts::clear_email_verified(self.transaction, before.id, now).await?;
            // They name the address that is gone, and would live again if it came back.
            mail::void_links(self.transaction, before, now).await?;
            mail::notify(self.state, self.transaction, Kind::AddressChanged, before, self.origin).await?;
        }
        self.record(Event::AddressChanged, before.id, "").await
    }

    async fn set_rights(self, before: &User, after: &User) -> Result<(), AuthError> {
        let (now, id, by) = (self.state.clock.now(), before.id, self.by.name());
        db::users::set_rights(self.transaction, before, after).await?;
        if before.is_verified != after.is_verified {
            db::accounts::set_approval(self.transaction, id, after.is_verified.then_some(&by), now).await?;
            self.record(if after.is_verified { Event::UserApproved } else { Event::ApprovalWithdrawn }, id, "").await?;
        }
        if before.is_superuser != after.is_superuser {
            db::accounts::set_admin_grant(self.transaction, id, after.is_superuser.then_some(&by), now).await?;
            self.record(Event::RoleChanged, id, if after.is_superuser { "administrator" } else { "member" }).await?;
        }
        if before.is_active != after.is_active {
            if !after.is_active {
                db::sessions::revoke_all(self.transaction, id, now).await?;
                mail::void_links(self.transaction, before, now).await?;
            }
            self.record(if after.is_active { Event::UserEnabled } else { Event::UserDisabled }, id, "").await?;
        }
        Ok(())
    }

    async fn set_password(self, before: &User, hash: String) -> Result<(), AuthError> {
        let (now, id) = (self.state.clock.now(), before.id);
        db::users::set_hash(self.transaction, id, hash).await?;
        db::accounts::clear_passwordless(self.transaction, id, now).await?;
        throttle::forget_account(self.transaction, &before.email).await?;
        mail::forget_links(self.transaction, before).await?;
        match self.by.oneself(id) {
            Some(current) => db::sessions::revoke_all_except(self.transaction, id, current.session(), now).await?,
            None => db::sessions::revoke_all(self.transaction, id, now).await?,
        };
        mail::notify(self.state, self.transaction, Kind::PasswordSet, before, self.origin).await?;
        self.record(Event::PasswordChanged, id, "").await
    }
}

/// Deletes a user and everything that belongs to them (SR-145).
///
/// # Errors
/// `NotFound`, `LastAdministrator`, `Unavailable`; `LoginTooOld` for oneself; `NotLoggedIn`, `Forbidden` when the right has gone meanwhile.
pub async fn delete(state: &AppState, admin: &Admin, id: Uuid, origin: &Origin) -> Result<(), AuthError> {
    require_fresh_for_oneself(state, admin, id)?;
    let transaction = db::begin(&state.db).await?;
    db::serialize(&transaction).await?;
    still_may(state, &transaction, admin).await?;
    remove(state, transaction, id, admin.current(), origin).await
}

/// The same, by whomever. The caller is [serialized](db::serialize) and has made sure that they still may.
///
/// # Errors
/// `NotFound`, `LastAdministrator`, `Unavailable`.
pub async fn remove(state: &AppState, transaction: Transaction, id: Uuid, by: &CurrentUser, origin: &Origin) -> Result<(), AuthError> {
    let user = db::users::find(&transaction, id).await?.ok_or(AuthError::NotFound)?;
    if is_administrator(&user) && !db::users::has_other_administrator(&transaction, id).await? {
        return Err(AuthError::LastAdministrator);
    }
    db::outbox::delete_for_user(&transaction, &user.email, id).await?;
    db::users::delete(&transaction, id).await?;
    let (note, by) = (Note::of(id), by.user().id);
    events::record(state, &transaction, Event::UserDeleted, origin, if by == id { note } else { note.by(by) }).await?;
    db::commit(transaction).await
}

/// Ends all sessions of a user.
///
/// # Errors
/// `NotFound`, `Unavailable`.
pub async fn end_sessions(state: &AppState, admin: &Admin, id: Uuid, origin: &Origin) -> Result<(), AuthError> {
    let transaction = db::begin(&state.db).await?;
    db::users::find(&transaction, id).await?.ok_or(AuthError::NotFound)?;
    db::sessions::revoke_all(&transaction, id, state.clock.now()).await?;
    events::record(state, &transaction, Event::SessionsEnded, origin, Note::of(id).by(admin.user().id).detail("all")).await?;
    db::commit(transaction).await
}

/// Ends one session of a user.
///
/// # Errors
/// `NotFound` for everything that is no live session of theirs (SR-099); `Unavailable`.
pub async fn end_session(state: &AppState, admin: &Admin, id: Uuid, session: Uuid, origin: &Origin) -> Result<(), AuthError> {
    let transaction = db::begin(&state.db).await?;
    if !db::sessions::revoke_for_user(&transaction, id, session, state.clock.now()).await? {
        return Err(AuthError::NotFound);
    }
    events::record(state, &transaction, Event::SessionsEnded, origin, Note::of(id).by(admin.user().id)).await?;
    db::commit(transaction).await
}

/// Somebody who has just been invited, and the link to hand over where no mail can carry it.
pub struct Invited {
    pub user: User,
    pub link: Option<HandedOver>,
}

/// Makes an account that is approved, for somebody who chooses the password: they get a link by mail, or the administrator hands one over.
/// That the address is theirs is proven by the mail or not at all.
///
/// # Errors
/// `EmailTaken`, `Busy`, `Unavailable`; `NotLoggedIn`, `Forbidden` when the right has gone meanwhile.
pub async fn create_invited(state: &AppState, admin: &Admin, email: Email, origin: &Origin) -> Result<Invited, AuthError> {
    let (by, hashed_password) = (admin.user().id, oidc::unknown_to_all(state).await?);
    let transaction = db::begin(&state.db).await?;
    db::serialize(&transaction).await?;
    still_may(state, &transaction, admin).await?;
    let new = New { email, hashed_password, role: Role::Member, email_is_proven: false, is_passwordless: true, by: by.to_string() };
    let user = insert(state, &transaction, new).await?;
    mail::notify(state, &transaction, Kind::FirstPassword, &user, origin).await?;
    events::record(state, &transaction, Event::UserCreated, origin, Note::of(user.id).by(by).detail(Role::Member.name())).await?;
    db::commit(transaction).await?;
    let link = if mail::is_on(state) { None } else { password_reset::hand_over(state, user.id, Some(by), origin).await? };
    Ok(Invited { user, link })
}

/// A link for a new password, to hand over (SR-143).
///
/// # Errors
/// `NotFound` when there is no such active user; `Unavailable`; `LoginTooOld` for oneself.
pub async fn hand_over_link(state: &AppState, admin: &Admin, id: Uuid, origin: &Origin) -> Result<HandedOver, AuthError> {
    require_fresh_for_oneself(state, admin, id)?;
    password_reset::hand_over(state, id, Some(admin.user().id), origin).await?.ok_or(AuthError::NotFound)
}

/// The way over the users page into one's own account is no shorter than the other: a stolen cookie keeps no account (SR-142).
fn require_fresh_for_oneself(state: &AppState, admin: &Admin, id: Uuid) -> Result<(), AuthError> {
    if id == admin.user().id { admin.current().require_fresh(state.clock.now()) } else { Ok(()) }
}

/// Somebody who can manage the others, on every page and route.
fn is_administrator(user: &User) -> bool {
    user.is_active && user.is_superuser && user.is_verified
}

/// Whether the administrator still is one, and still logged in: hashing a password takes its time.
async fn still_may(state: &AppState, transaction: &Transaction, admin: &Admin) -> Result<(), AuthError> {
    sessions::still_live(state, transaction, admin.current()).await?;
    let user = db::users::find(transaction, admin.user().id).await?.ok_or(AuthError::NotLoggedIn)?;
    // The contract's routes take an administrator without approval too, the pages do not: nothing that was there may have gone.
    let is_as_approved = user.is_verified || !admin.user().is_verified;
    if user.is_active && user.is_superuser && is_as_approved { Ok(()) } else { Err(AuthError::Forbidden) }
}
