use mediamanager_auth::server::crypto::random;
use sea_orm::{ConnectionTrait, Database, Statement};
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

    /// The tables, each with the text of all its rows.
    pub async fn dump(&self) -> Vec<(String, String)> {
        let db = Database::connect(&self.url).await.unwrap();
        let texts = async |query: &str| -> Vec<String> {
            let statement = Statement::from_string(db.get_database_backend(), query);
            let rows = db.query_all_raw(statement).await.unwrap();
            rows.iter()
                .map(|row| row.try_get_by_index(0).unwrap())
                .collect()
        };
        let tables = texts(if self.is_postgres() {
            "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'"
        } else {
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        });
        let mut dump = Vec::new();
        for table in tables.await {
            let row = if self.is_postgres() {
                "t::text".to_owned()
            } else {
                let columns =
                    format!("SELECT 'quote(\"' || name || '\")' FROM pragma_table_info('{table}')");
                texts(&columns).await.join(" || ' ' || ")
            };
            let rows = texts(&format!("SELECT {row} FROM \"{table}\" t")).await;
            dump.push((table, rows.join("\n")));
        }
        dump
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
