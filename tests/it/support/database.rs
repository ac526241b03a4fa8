use mediamanager_auth::server::crypto::random;
use sea_orm::{ConnectionTrait, Database};
use tempfile::TempDir;

/// An empty database for one test.
pub struct TestDatabase {
    pub url: String,
    _directory: Option<TempDir>,
}

impl TestDatabase {
    pub async fn new() -> Self {
        match std::env::var("TEST_POSTGRES_URL") {
            Ok(server) => Self {
                url: postgres(&server).await,
                _directory: None,
            },
            Err(_) => {
                let directory = tempfile::tempdir().unwrap();
                let url = format!("sqlite://{}", directory.path().join("test.db").display());
                Self {
                    url,
                    _directory: Some(directory),
                }
            }
        }
    }

    /// The same database by another URL.
    pub fn at(self, url: &str) -> Self {
        Self {
            url: url.to_owned(),
            ..self
        }
    }

    pub fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }
}

/// A new database on the server, which is discarded after the run.
async fn postgres(server: &str) -> String {
    let name = format!("test_{}", random::uuid().simple());
    let admin = Database::connect(server).await.unwrap();
    admin
        .execute_unprepared(&format!("CREATE DATABASE {name}"))
        .await
        .unwrap();
    let (base, query) = server
        .split_once('?')
        .map_or((server, ""), |(base, query)| (base, query));
    let (server, _) = base.rsplit_once('/').unwrap();
    if query.is_empty() {
        format!("{server}/{name}")
    } else {
        format!("{server}/{name}?{query}")
    }
}
