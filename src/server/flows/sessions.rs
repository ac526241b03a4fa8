use uuid::Uuid;

use super::{
    Ctx, Tx,
    devices::{self, Device},
    events::EventDetails,
    login::{FirstFactor, VerifiedPassword},
    rate_limits,
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

/// The authenticated user of a request. Flows that require a login take this type, so they cannot
/// be called without one.
#[derive(Clone, Debug)]
pub struct CurrentUser {
    user: User,
    proof: Proof,
}

/// How the user was authenticated.
#[derive(Clone, Copy, Debug)]
pub enum Proof {
    /// A live session.
    Session { id: Uuid, logged_in_at: i64 },
}

/// A user with a recent login or a password check in this request. Flows that change an account
/// require it, so that an unlocked screen or a stolen cookie is not enough to take the account over
/// (SR-142). Created only by [`CurrentUser::recent`] and [`CurrentUser::with_password`].
#[derive(Clone, Debug)]
pub struct RecentLogin(CurrentUser);

/// A user who may manage other users. Created only by [`CurrentUser::admin`].
#[derive(Clone, Debug)]
pub struct Admin(CurrentUser);

/// How long a login counts as recent (SR-142).
const RECENT_LOGIN_SECONDS: i64 = 5 * 60;

/// A new session and its token for the client.
pub struct NewSession {
    pub token: String,
    /// In seconds.
    pub lifetime: u32,
    pub user: User,
    /// Makes the device known to the user.
    pub device: Device,
}

/// Starts a session in the transaction that verified the first factor. Called only by
/// [`login::complete`](super::login::complete).
///
/// # Errors
/// `TooManyAttempts` when the user has logged in too often from this client; `Internal` if signing
/// the token fails.
pub(super) async fn start_session(
    tx: &mut Tx<'_>,
    first_factor: FirstFactor,
) -> Result<NewSession, AuthError> {
    let FirstFactor {
        user,
        method,
        identity,
    } = first_factor;
    let Ctx { state, client } = tx.cx();
    let (id, lifetime) = (
        Uuid::from_bytes(random::bytes()),
        state.config.auth.session_lifetime,
    );
    let (token, claims) = state
        .tokens
        .sign_session(user.id, id, lifetime)
        .map_err(|_| AuthError::Internal)?;
    rate_limits::consume_login(tx, user.id).await?;
    let found = db::users::find_with_hash(tx.db(), user.id)
        .await?
        .ok_or(AuthError::Internal)?;
    let device = Device::new(tx.db(), &found, claims.iat).await?;
    let is_known_device = devices::presented(&tx.cx(), user.id)
        .is_some_and(|presented| presented.has_same_binding(&device));
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
        is_known_device,
        provider: identity.map(|identity| (identity.id, identity.provider_session)),
    };
    db::sessions::insert(tx.db(), row).await?;
    db::accounts::record_login(tx.db(), user.id, method != LoginMethod::Oidc, claims.iat).await?;
    Ok(NewSession {
        token,
        lifetime,
        user,
        device,
    })
}

/// Returns the user of a session token. The token must be authentic and unexpired, and its session
/// must be live, have begun when the token was issued, and belong to the same, active user (SR-091).
/// Cached for one second and until the next commit of this process, so that a revocation takes
/// effect immediately here and within a second in other processes (SR-097).
///
/// # Errors
/// `Unavailable` if the database fails: a failure must look neither like a valid session nor like a
/// missing one.
pub async fn resolve(state: &AppState, token: &str) -> Result<Option<CurrentUser>, AuthError> {
    let key = state.sessions.key(&state.clock);
    if let Some(cached) = state.sessions.find(token, key) {
        metrics::record_session_check("cached");
        return Ok(Some(cached));
    }
    let found = match state.tokens.check_session(token) {
        // Boxed to keep every request's future small: the cache answers most requests.
        Ok(claims) => Box::pin(db::sessions::find_live(
            &state.db,
            claims.jti,
            claims.sub,
            state.clock.now(),
        ))
        .await
        // The time of the login and not the clock, which may have been set back since.
        .map(|found| found.filter(|(session, _)| session.created_at == claims.iat)),
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
        state.sessions.insert(token, key, current);
    }
    Ok(current)
}

/// Revokes the session of a token durably, before the response (SR-096). An expired or forged token
/// is no error, because the user is logged out either way. Returns true if the session came from
/// the provider, where the user may still be logged in.
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

/// Ensures, in the transaction that makes a change, that the user's session has not been revoked
/// meanwhile, for example by the owner who has noticed a stolen session.
///
/// # Errors
/// `NotLoggedIn`.
pub async fn ensure_session_live(tx: &Tx<'_>, current: &CurrentUser) -> Result<(), AuthError> {
    if db::sessions::is_live(tx.db(), current.session(), tx.now()).await? {
        Ok(())
    } else {
        Err(AuthError::NotLoggedIn)
    }
}

/// The live sessions of a user, newest first.
pub async fn list_for_user(
    cx: &Ctx<'_>,
    user: Uuid,
) -> Result<Vec<db::sessions::Session>, AuthError> {
    db::sessions::list_for_user(&cx.state.db, user, cx.now()).await
}

/// Revokes one of the user's own sessions by its id, which is not its token (SR-099).
///
/// # Errors
/// `NotFound` unless the id belongs to a live session of the user.
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

/// Revokes all sessions of the user except the current one.
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

    /// The id of the session's row.
    pub fn session(&self) -> Uuid {
        let Proof::Session { id, .. } = self.proof;
        id
    }

    /// The time of the login in Unix seconds.
    pub fn since(&self) -> i64 {
        let Proof::Session { logged_in_at, .. } = self.proof;
        logged_in_at
    }

    /// The same user with a recent login.
    ///
    /// # Errors
    /// `ReauthenticationRequired`.
    pub fn recent(&self, now: i64) -> Result<RecentLogin, AuthError> {
        let Proof::Session { logged_in_at, .. } = self.proof;
        // A login in the future is not recent: the clock has been set back.
        let is_recent = (0..RECENT_LOGIN_SECONDS).contains(&now.saturating_sub(logged_in_at));
        if is_recent {
            Ok(RecentLogin(self.clone()))
        } else {
            Err(AuthError::ReauthenticationRequired)
        }
    }

    /// The same user after a password check, which counts as a recent login.
    ///
    /// # Errors
    /// `BadCredentials` if the password belongs to another user.
    pub fn with_password(&self, verified: &VerifiedPassword) -> Result<RecentLogin, AuthError> {
        if verified.user.id == self.user.id {
            Ok(RecentLogin(self.clone()))
        } else {
            Err(AuthError::BadCredentials)
        }
    }

    /// The same user as an administrator, which requires an active and approved superuser. The only
    /// place that decides this.
    ///
    /// # Errors
    /// `Forbidden` for all other users.
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
