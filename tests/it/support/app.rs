use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use super::{Browser, Mail, database::TestDatabase};
use axum::Router;
use mediamanager_auth::{
    domain::{Email, Password, User},
    server::{
        AppState,
        clock::Clock,
        config::{self, Sources},
        crypto::password_hasher::{Argon2Params, Hasher},
        db,
        flows::{
            Ctx, mail, setup,
            users::{
                Role,
                cli::{self, NewCliUser},
            },
        },
        mailer::{Mailer, SentMessages},
        web::{assets::Site, router::router},
    },
};
use rust_embed::RustEmbed;
use sea_orm::{ConnectionTrait, Statement};

/// A password that all rules accept.
pub const PASSWORD: &str = "violet kettle harbour 9";
/// The key that signs sessions in the tests.
pub const TOKEN_SECRET: &str = "0123456789abcdef0123456789abcdef";
/// A low cost, because the tests check many passwords and not the duration.
pub const CHEAP: Argon2Params = Argon2Params {
    memory_kib: 64,
    passes: 1,
    lanes: 1,
};

/// Reads the site from disk, as every debug build does.
#[derive(RustEmbed)]
#[folder = "target/site"]
#[allow_missing = true]
struct BuiltSite;

/// The program with a database of its own and a clock that the test sets.
pub struct App {
    pub state: AppState,
    pub router: Router,
    pub database: TestDatabase,
    time: Arc<AtomicI64>,
}

impl App {
    pub async fn new() -> Self {
        Self::with("").await
    }

    /// The program with these lines added to its configuration.
    pub async fn with(toml: &str) -> Self {
        Self::on(TestDatabase::new().await, toml).await
    }

    pub async fn on(database: TestDatabase, toml: &str) -> Self {
        let time = Arc::new(AtomicI64::new(Clock::System.now()));
        let mut state = state(&database.url, toml, Clock::Manual(time.clone()))
            .await
            .unwrap();
        if state.config.smtp.is_some() {
            state.mailer = Mailer::Memory(SentMessages::default());
        }
        Self {
            router: router(state.clone()),
            state,
            database,
            time,
        }
    }

    /// A second instance on the same database, with the same clock.
    pub async fn another(&self, toml: &str) -> Router {
        router(
            state(&self.database.url, toml, Clock::Manual(self.time.clone()))
                .await
                .unwrap(),
        )
    }

    pub fn browser(&self) -> Browser {
        Browser::new(self.router.clone())
    }

    pub fn pass(&self, seconds: i64) {
        self.time.fetch_add(seconds, Ordering::Relaxed);
    }

    pub async fn user(&self, email: &str, role: Role) -> User {
        let email = Email::parse(email).unwrap();
        let new = NewCliUser {
            email,
            password: Password::new(PASSWORD.to_owned()),
            role,
        };
        cli::create_user(&Ctx::cli(&self.state), new).await.unwrap()
    }

    pub async fn member(&self, email: &str) -> User {
        self.user(email, Role::Member).await
    }

    /// The mails sent since the last call, after all due mails are sent.
    pub async fn mails(&self) -> Vec<Mail> {
        mail::send_due(&self.state).await.unwrap();
        let Mailer::Memory(outgone) = &self.state.mailer else {
            panic!("no mail settings")
        };
        outgone
            .lock()
            .unwrap()
            .drain(..)
            .map(|message| Mail::parse(&message.formatted()))
            .collect()
    }

    /// The only mail that was sent.
    pub async fn mail(&self) -> Mail {
        let mut mails = self.mails().await;
        assert_eq!(mails.len(), 1, "{mails:?}");
        mails.remove(0)
    }

    /// Changes the database through `db::commit`, so that the session cache is refreshed.
    pub async fn sql(&self, statement: &str) {
        let transaction = db::begin(&self.state.db).await.unwrap();
        transaction.execute_unprepared(statement).await.unwrap();
        db::commit(transaction).await.unwrap();
    }

    /// Changes the database as another program does: the session cache is not refreshed.
    pub async fn sql_elsewhere(&self, statement: &str) {
        self.state.db.execute_unprepared(statement).await.unwrap();
    }

    /// The same program with another hasher.
    pub fn with_hasher(&self, hasher: Hasher) -> Router {
        let mut state = self.state.clone();
        state.hasher = hasher;
        router(state)
    }

    /// The number in the query's result.
    pub async fn count(&self, query: &str) -> i64 {
        let statement = Statement::from_string(self.state.db.get_database_backend(), query);
        self.state
            .db
            .query_one_raw(statement)
            .await
            .unwrap()
            .unwrap()
            .try_get_by_index(0)
            .unwrap()
    }

    /// The path of the setup link that the program prints at startup.
    pub async fn setup_path(&self) -> Option<String> {
        let link = setup::setup_link(&Ctx::cli(&self.state)).await.ok()?;
        Some(
            link.strip_prefix(&self.state.config.origin())
                .unwrap()
                .to_owned(),
        )
    }
}

/// The configuration of `App::with`, as an operator writes it. `toml` may contain whole sections
/// except `[auth]`, `[misc]` and `[server]`, whose keys are written as `auth.key = value` at its
/// start.
pub async fn state(database_url: &str, toml: &str, clock: Clock) -> Result<AppState, String> {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    std::fs::write(file.path(), toml).unwrap();
    let environment = [
        ("MEDIAMANAGER_AUTH__TOKEN_SECRET", TOKEN_SECRET),
        ("MEDIAMANAGER_SERVER__DATABASE_URL", database_url),
    ];
    let mut environment: Vec<_> = environment
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if !toml.contains("admin_emails") {
        environment.push((
            "MEDIAMANAGER_AUTH__ADMIN_EMAILS".to_owned(),
            "[]".to_owned(),
        ));
    }
    let sources = Sources {
        config_file: Some(file.path().to_owned()),
        environment,
    };
    let config = config::load(&sources).map_err(|problems| {
        problems
            .iter()
            .map(|problem| format!("{problem}\n"))
            .collect::<String>()
    })?;
    Ok(AppState::new(config, CHEAP, clock)
        .await?
        .with_site(Site::embedded::<BuiltSite>()))
}
