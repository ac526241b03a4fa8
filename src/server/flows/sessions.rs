use uuid::Uuid;

use crate::{
    domain::{AuthError, Event, User},
    server::{
        AppState,
        db::{self, Transaction, sessions::NewSessionRow},
        flows::events::{self, Note},
        metrics, random,
    },
};

/// Who is asking, proven by a live session. Flows that need a person take this, so they cannot be called without one.
#[derive(Clone, Debug)]
pub struct CurrentUser {
    user: User,
    session: Uuid,
    since: i64,
}

/// Who is asking, proven to be an administrator. Made only by [`CurrentUser::as_admin`].
#[derive(Clone, Debug)]
pub struct Admin(CurrentUser);

/// How and from where somebody came in.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// An IPv4 address or an IPv6 /64, the key of throttles.
    pub network: String,
    /// The browser's own words, at most 255 characters.
    pub user_agent: String,
    /// The number of the request, under which the log has it.
    pub reference: String,
    /// The session whose cookie came with the request. It ends when a new one begins, so that nothing set before a login
    /// survives it (SR-094).
    pub presented: Option<Uuid>,
}

impl Origin {
    /// What the operator does at the machine itself.
    #[must_use]
    pub fn shell() -> Self {
        Self { network: SHELL.to_owned(), ..Self::default() }
    }
}

/// How somebody proved who they are.
#[derive(Clone, Debug)]
pub enum Way {
    Password,
    Setup,
    /// An account at the provider, and the provider's own session if it has named one.
    Provider {
        identity: Uuid,
        session: Option<String>,
    },
}

const PROVIDER: &str = "oidc";
/// The word for what the operator does at the machine itself.
pub const SHELL: &str = "shell";
/// How young a login must be to count as the person being there, in seconds (SR-142).
const FRESH: i64 = 5 * 60;

impl Way {
    /// The word in the database and in the log.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Setup => "setup",
            Self::Provider { .. } => PROVIDER,
        }
    }
}

/// A new session: what the browser gets to keep.
pub struct Started {
    pub token: String,
    /// Seconds.
    pub lifetime: u32,
    pub user: User,
}

/// Begins a session, inside the transaction that proved who it is for.
///
/// # Errors
/// `Unavailable`, `Internal`.
pub async fn start(state: &AppState, transaction: &Transaction, user: User, way: Way, origin: Origin) -> Result<Started, AuthError> {
    let (id, lifetime) = (Uuid::from_bytes(random::bytes()), state.config.auth.session_lifetime);
    let (token, claims) = state.tokens.session(user.id, id, lifetime).map_err(|_| AuthError::Internal)?;
    if let Some(presented) = origin.presented {
        db::sessions::revoke(transaction, presented, claims.iat).await?;
    }
    let (method, has_password) = (way.name(), !matches!(way, Way::Provider { .. }));
    events::record(state, transaction, Event::LoggedIn, &origin, Note::of(user.id).method(method)).await?;
    let provider = if let Way::Provider { identity, session } = way { Some((identity, session)) } else { None };
    let Origin { network, user_agent, .. } = origin;
    let row = NewSessionRow { id, user: user.id, created_at: claims.iat, expires_at: claims.exp, method, client_ip: network, user_agent, provider };
    db::sessions::insert(transaction, row).await?;
    db::accounts::record_login(transaction, user.id, has_password, claims.iat).await?;
    Ok(Started { token, lifetime, user })
}

/// Who presents this token: a genuine, unexpired one that names a live session of that very, active user (SR-091). Asked of the
/// database once a second and after every change, so that ending a session takes effect at once here, and within a second everywhere (SR-097).
///
/// # Errors
/// `Unavailable`: never "nobody" when the database could not be asked, and never somebody.
pub async fn resolve(state: &AppState, token: &str) -> Result<Option<CurrentUser>, AuthError> {
    let moment = state.sessions.moment(&state.clock);
    if let Some(known) = state.sessions.find(token, moment) {
        metrics::session_checked("remembered");
        return Ok(Some(known));
    }
    let found = match state.tokens.check_session(token) {
        // In a box, because it happens once a second, and the room for it would be kept in every request.
        Ok(claims) => Box::pin(db::sessions::find_live(&state.db, claims.jti, claims.sub, state.clock.now())).await,
        Err(_) => Ok(None),
    };
    metrics::session_checked(match &found {
        Ok(Some(_)) => "live",
        Ok(None) => "worthless",
        Err(_) => "unknown",
    });
    let current = found?.map(|(session, user)| CurrentUser { user, session: session.id, since: session.created_at });
    if let Some(current) = &current {
        state.sessions.keep(token, moment, current);
    }
    Ok(current)
}

/// Ends the session a token names, durably, before anything is answered (SR-096). A dead or forged token ends nothing and
/// is no error: the person wanted to be logged out and is. True when the session had come from the provider, where the person
/// may still be logged in.
///
/// # Errors
/// `Unavailable`.
pub async fn end(state: &AppState, token: &str, origin: &Origin) -> Result<bool, AuthError> {
    let Ok(claims) = state.tokens.check_session(token) else { return Ok(false) };
    let transaction = db::begin(&state.db).await?;
    let was_live = db::sessions::revoke(&transaction, claims.jti, state.clock.now()).await?;
    if was_live {
        events::record(state, &transaction, Event::LoggedOut, origin, Note::of(claims.sub)).await?;
    }
    let method = db::sessions::find_method(&transaction, claims.jti).await?;
    db::commit(transaction).await?;
    Ok(method.as_deref() == Some(PROVIDER))
}

/// Makes sure, inside the transaction that changes something for somebody, that their session has not been ended meanwhile: by its owner
/// elsewhere, who has noticed a thief.
///
/// # Errors
/// `NotLoggedIn`, `Unavailable`.
pub async fn still_live(state: &AppState, transaction: &Transaction, current: &CurrentUser) -> Result<(), AuthError> {
    if db::sessions::is_live(transaction, current.session(), state.clock.now()).await? { Ok(()) } else { Err(AuthError::NotLoggedIn) }
}

/// The live sessions of a user, the newest first.
///
/// # Errors
/// `Unavailable`.
pub async fn of(state: &AppState, user: Uuid) -> Result<Vec<db::sessions::Session>, AuthError> {
    db::sessions::list_for_user(&state.db, user, state.clock.now()).await
}

/// Ends one of the person's own sessions, by an id that is not its token (SR-099).
///
/// # Errors
/// `NotFound` for every id that is no live session of theirs; `Unavailable`.
pub async fn end_one(state: &AppState, current: &CurrentUser, session: Uuid, origin: &Origin) -> Result<(), AuthError> {
    let transaction = db::begin(&state.db).await?;
    if !db::sessions::revoke_for_user(&transaction, current.user().id, session, state.clock.now()).await? {
        return Err(AuthError::NotFound);
    }
    events::record(state, &transaction, Event::SessionsEnded, origin, Note::of(current.user().id)).await?;
    db::commit(transaction).await
}

/// Ends all of the person's sessions but the one that asks.
///
/// # Errors
/// `Unavailable`.
pub async fn end_others(state: &AppState, current: &CurrentUser, origin: &Origin) -> Result<(), AuthError> {
    let transaction = db::begin(&state.db).await?;
    let ended = db::sessions::revoke_all_except(&transaction, current.user().id, current.session(), state.clock.now()).await?;
    if ended > 0 {
        events::record(state, &transaction, Event::SessionsEnded, origin, Note::of(current.user().id)).await?;
    }
    db::commit(transaction).await
}

impl CurrentUser {
    #[must_use]
    pub fn user(&self) -> &User {
        &self.user
    }

    /// The session's row.
    #[must_use]
    pub fn session(&self) -> Uuid {
        self.session
    }

    /// When the person logged in, Unix seconds.
    #[must_use]
    pub fn since(&self) -> i64 {
        self.since
    }

    /// Makes sure that the person is there, and not merely their cookie: what changes the account itself needs a young login (SR-142).
    ///
    /// # Errors
    /// `LoginTooOld`.
    pub fn require_fresh(&self, now: i64) -> Result<(), AuthError> {
        // A login from the future is none: the clock has been set back.
        if (0..FRESH).contains(&now.saturating_sub(self.since)) { Ok(()) } else { Err(AuthError::LoginTooOld) }
    }

    /// The same person as an administrator.
    ///
    /// # Errors
    /// `Forbidden` for everybody else.
    pub fn as_admin(&self) -> Result<Admin, AuthError> {
        if self.user.is_superuser { Ok(Admin(self.clone())) } else { Err(AuthError::Forbidden) }
    }
}

impl Admin {
    /// Who is asking.
    #[must_use]
    pub fn current(&self) -> &CurrentUser {
        &self.0
    }

    #[must_use]
    pub fn user(&self) -> &User {
        self.0.user()
    }
}
