use uuid::Uuid;

use super::{
    Ctx, Tx,
    events::EventDetails,
    login::{FirstFactor, VerifiedPassword},
};
use crate::{
    domain::{AuditEvent, AuthError, LoginMethod, User},
    server::{
        AppState,
        crypto::random,
        db::{self, sessions::NewSessionRow},
        telemetry::metrics,
    },
};

pub mod cache;

/// The person who sent a request, proven. Flows that need a person take this, so they cannot be
/// called without one.
#[derive(Clone, Debug)]
pub struct CurrentUser {
    user: User,
    proof: Proof,
}

/// What proves it.
#[derive(Clone, Copy, Debug)]
pub enum Proof {
    /// A live session.
    Session { id: Uuid, logged_in_at: i64 },
}

/// A current user who has just logged in or typed their password. Flows that change an account
/// demand it: whoever finds an open screen, or a cookie, must not be able to keep the account
/// (SR-142). Made only by [`CurrentUser::recent`] and [`CurrentUser::with_password`].
#[derive(Clone, Debug)]
pub struct RecentLogin(CurrentUser);

/// A current user who may manage the others. Made only by [`CurrentUser::admin`].
#[derive(Clone, Debug)]
pub struct Admin(CurrentUser);

/// Seconds after a login in which it counts as recent (SR-142).
const RECENT_LOGIN_SECONDS: i64 = 5 * 60;

/// A new session: what the client gets to keep.
pub struct NewSession {
    pub token: String,
    /// Seconds.
    pub lifetime: u32,
    pub user: User,
}

/// Starts a session, inside the transaction that proved who it is for. Only
/// [`login::complete`](super::login::complete) calls it.
pub(super) async fn start_session(
    tx: &mut Tx<'_>,
    proven: FirstFactor,
) -> Result<NewSession, AuthError> {
    let FirstFactor {
        user,
        method,
        identity,
    } = proven;
    let Ctx { state, client } = tx.cx();
    let (id, lifetime) = (
        Uuid::from_bytes(random::bytes()),
        state.config.auth.session_lifetime,
    );
    let (token, claims) = state
        .tokens
        .sign_session(user.id, id, lifetime)
        .map_err(|_| AuthError::Internal)?;
    if let Some(presented) = client.presented_session {
        db::sessions::revoke(tx.db(), presented, claims.iat).await?;
    }
    tx.record(
        AuditEvent::LoggedIn,
        EventDetails::for_user(user.id).with_method(method.name()),
    )
    .await?;
    let row = NewSessionRow {
        id,
        user: user.id,
        created_at: claims.iat,
        expires_at: claims.exp,
        method: method.name(),
        client_ip: client.rate_limit_key.clone(),
        user_agent: client.user_agent.clone(),
        provider: identity.map(|identity| (identity.id, identity.provider_session)),
    };
    db::sessions::insert(tx.db(), row).await?;
    db::accounts::record_login(tx.db(), user.id, method != LoginMethod::Oidc, claims.iat).await?;
    Ok(NewSession {
        token,
        lifetime,
        user,
    })
}

/// Who presents this token: a genuine, unexpired one that names a live session of that very, active
/// user (SR-091). Asked of the database once a second and after every change, so that ending a
/// session takes effect at once here, and within a second everywhere (SR-097).
///
/// # Errors
/// `Unavailable`: never "nobody" when the database could not be asked, and never somebody.
pub async fn resolve(state: &AppState, token: &str) -> Result<Option<CurrentUser>, AuthError> {
    let moment = state.sessions.key(&state.clock);
    if let Some(known) = state.sessions.find(token, moment) {
        metrics::record_session_check("cached");
        return Ok(Some(known));
    }
    let found = match state.tokens.check_session(token) {
        // Boxed, because it happens once a second, and the room for it would be kept in every
        // request.
        Ok(claims) => {
            Box::pin(db::sessions::find_live(
                &state.db,
                claims.jti,
                claims.sub,
                state.clock.now(),
            ))
            .await
        }
        Err(_) => Ok(None),
    };
    metrics::record_session_check(match &found {
        Ok(Some(_)) => "valid",
        Ok(None) => "invalid",
        Err(_) => "error",
    });
    let current = found?.map(|(session, user)| CurrentUser {
        user,
        proof: Proof::Session {
            id: session.id,
            logged_in_at: session.created_at,
        },
    });
    if let Some(current) = &current {
        state.sessions.insert(token, moment, current);
    }
    Ok(current)
}

/// Ends the session a token names, durably, before anything is answered (SR-096). A dead or forged
/// token ends nothing and is no error: the person wanted to be logged out and is. True when the
/// session had come from the provider, where the person may still be logged in.
pub async fn revoke_by_token(cx: &Ctx<'_>, token: &str) -> Result<bool, AuthError> {
    let Ok(claims) = cx.state.tokens.check_session(token) else {
        return Ok(false);
    };
    let mut tx = cx.transaction().await?;
    if db::sessions::revoke(tx.db(), claims.jti, tx.now()).await? {
        tx.record(AuditEvent::LoggedOut, EventDetails::for_user(claims.sub))
            .await?;
    }
    let method = db::sessions::find_method(tx.db(), claims.jti).await?;
    tx.commit().await?;
    Ok(method.as_deref() == Some(LoginMethod::Oidc.name()))
}

/// Makes sure, inside the transaction that changes something for somebody, that their session has
/// not been revoked meanwhile: by its owner elsewhere, who has noticed a thief.
///
/// # Errors
/// `NotLoggedIn`, `Unavailable`.
pub async fn ensure_session_live(tx: &Tx<'_>, current: &CurrentUser) -> Result<(), AuthError> {
    if db::sessions::is_live(tx.db(), current.session(), tx.now()).await? {
        Ok(())
    } else {
        Err(AuthError::NotLoggedIn)
    }
}

/// The live sessions of a user, the newest first.
pub async fn list_for_user(
    cx: &Ctx<'_>,
    user: Uuid,
) -> Result<Vec<db::sessions::Session>, AuthError> {
    db::sessions::list_for_user(&cx.state.db, user, cx.now()).await
}

/// Ends one of the person's own sessions, by an id that is not its token (SR-099).
///
/// # Errors
/// `NotFound` for every id that is no live session of theirs; `Unavailable`.
pub async fn revoke_own(
    cx: &Ctx<'_>,
    current: &CurrentUser,
    session: Uuid,
) -> Result<(), AuthError> {
    let mut tx = cx.transaction().await?;
    if !db::sessions::revoke_for_user(tx.db(), current.user().id, session, tx.now()).await? {
        return Err(AuthError::NotFound);
    }
    tx.record(
        AuditEvent::SessionsEnded,
        EventDetails::for_user(current.user().id),
    )
    .await?;
    tx.commit().await
}

/// Ends all of the person's sessions but the one that asks.
pub async fn revoke_own_others(cx: &Ctx<'_>, current: &CurrentUser) -> Result<(), AuthError> {
    let mut tx = cx.transaction().await?;
    if db::sessions::revoke_all_except(tx.db(), current.user().id, current.session(), tx.now())
        .await?
        > 0
    {
        tx.record(
            AuditEvent::SessionsEnded,
            EventDetails::for_user(current.user().id),
        )
        .await?;
    }
    tx.commit().await
}

impl CurrentUser {
    pub fn user(&self) -> &User {
        &self.user
    }

    /// The session's row.
    pub fn session(&self) -> Uuid {
        let Proof::Session { id, .. } = self.proof;
        id
    }

    /// When the person logged in, Unix seconds.
    pub fn since(&self) -> i64 {
        let Proof::Session { logged_in_at, .. } = self.proof;
        logged_in_at
    }

    /// The same person with a recent login.
    ///
    /// # Errors
    /// `LoginTooOld`.
    pub fn recent(&self, now: i64) -> Result<RecentLogin, AuthError> {
        let Proof::Session { logged_in_at, .. } = self.proof;
        // A login from the future is not recent: the clock has been set back.
        let is_recent = (0..RECENT_LOGIN_SECONDS).contains(&now.saturating_sub(logged_in_at));
        if is_recent {
            Ok(RecentLogin(self.clone()))
        } else {
            Err(AuthError::ReauthenticationRequired)
        }
    }

    /// The same person after typing their password, which counts as a recent login.
    ///
    /// # Errors
    /// `BadCredentials` when the password is somebody else's.
    pub fn with_password(&self, verified: &VerifiedPassword) -> Result<RecentLogin, AuthError> {
        if verified.user.id == self.user.id {
            Ok(RecentLogin(self.clone()))
        } else {
            Err(AuthError::BadCredentials)
        }
    }

    /// The same person as an administrator: active, approved and superuser. The only place that
    /// decides it.
    ///
    /// # Errors
    /// `Forbidden` for everybody else.
    pub fn admin(&self) -> Result<Admin, AuthError> {
        if self.user.is_administrator() {
            Ok(Admin(self.clone()))
        } else {
            Err(AuthError::Forbidden)
        }
    }
}

impl RecentLogin {
    pub fn current(&self) -> &CurrentUser {
        &self.0
    }

    pub fn user(&self) -> &User {
        self.0.user()
    }
}

impl Admin {
    pub fn current(&self) -> &CurrentUser {
        &self.0
    }

    pub fn user(&self) -> &User {
        self.0.user()
    }
}
