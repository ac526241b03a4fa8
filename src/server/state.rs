use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
    thread,
};

use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use tokio_util::sync::CancellationToken;

use crate::{
    app::page_context::Assets,
    server::{
        clock::Clock,
        config::Config,
        crypto::{
            password_hasher::{Argon2Params, Hasher},
            tokens::Tokens,
        },
        db::{self, Database},
        flows::sessions::cache::SessionCache,
        mailer::Mailer,
        oidc::Providers,
        web::assets::Site,
    },
};

/// The shared state of all requests. One pointer, because every layer of the router clones it for
/// every request. State that changes is in the database, so that several instances can share it.
#[derive(Clone)]
pub struct AppState(Arc<AppStateInner>);

/// The content of an [`AppState`].
#[derive(Clone)]
pub struct AppStateInner {
    pub config: Arc<Config>,
    pub db: Database,
    pub sessions: Arc<SessionCache>,
    pub hasher: Hasher,
    pub tokens: Tokens,
    /// Empty unless `auth.openid_connect.enabled = true`. A disabled provider is never contacted
    /// (SR-082).
    pub providers: Providers,
    pub mailer: Mailer,
    pub clock: Clock,
    pub site: Site,
    /// The URLs of the files in `site`.
    pub assets: Arc<Assets>,
    pub leptos: LeptosOptions,
    /// Cancelled at the start of the shutdown, so that the readiness check fails first (SR-192).
    pub stopping: CancellationToken,
}

impl AppState {
    /// Opens the database and creates all clients.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn new(config: Config, cost: Argon2Params, clock: Clock) -> Result<Self, String> {
        let permits = config
            .policy
            .password_hash_concurrency
            .map_or_else(default_hash_concurrency, usize::from);
        Ok(Self(Arc::new(AppStateInner {
            db: db::open(config.database_url.expose()).await?,
            sessions: Arc::default(),
            hasher: Hasher::new(cost, permits)
                .map_err(|err| format!("cannot prepare password hashing: {err}"))?,
            tokens: Tokens::new(config.auth.token_secret.expose(), clock.clone())
                .map_err(|_| "the self-test of token signing failed".to_owned())?,
            mailer: Mailer::new(&config)?,
            providers: Providers::new(&config.auth.providers, &clock)?,
            site: Site::none(),
            assets: Arc::default(),
            leptos: LeptosOptions::builder()
                .output_name("mediamanager-auth")
                .build(),
            config: Arc::new(config),
            clock,
            stopping: CancellationToken::new(),
        })))
    }

    /// The same state with the static files of the pages.
    #[must_use]
    pub fn with_site(mut self, site: Site) -> Self {
        self.assets = Arc::new(site.assets());
        self.site = site;
        self
    }

    /// The client address for the log, or `-` if `server.log_client_address` is false.
    pub fn loggable<'a>(&self, client_ip: &'a str) -> &'a str {
        if self.config.server.log_client_address {
            client_ip
        } else {
            "-"
        }
    }
}

impl Deref for AppState {
    type Target = AppStateInner;

    fn deref(&self) -> &AppStateInner {
        &self.0
    }
}

/// For tests that replace a field. Other clones of the state keep theirs.
impl DerefMut for AppState {
    fn deref_mut(&mut self) -> &mut AppStateInner {
        Arc::make_mut(&mut self.0)
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}

/// The number of cores, at most four, because each computation uses 64 MiB (SR-170).
fn default_hash_concurrency() -> usize {
    thread::available_parallelism()
        .map_or(1, usize::from)
        .min(4)
}
