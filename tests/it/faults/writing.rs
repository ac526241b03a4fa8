//! A database that can be read and takes nothing: locked by somebody else, read-only, or full. Who
//! is logged in stays so, and the program remains ready, because the services behind it ask it for
//! nothing else.

use std::process::Command;

use axum::http::StatusCode;
use futures_util::future::join_all;
use mediamanager_auth::server::web::router::router;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use serde_json::{Value, json};

use super::{ADA, Siege, killed};
use crate::{
    process::{Home, Serving},
    support::{Browser, PASSWORD, database::TestDatabase},
};

const TABLES: &str = "\"user\", auth_user_account, auth_session, auth_event";

/// Whatever changes something is told to come back; the rest is as ever.
async fn goes_without_writing(siege: &Siege) {
    let before = siege.rows().await;
    let (readers, is_ready, (), ()) = tokio::join!(
        join_all(siege.readers()),
        siege.is_ready(),
        siege.lives(),
        siege.refuses(siege.writers())
    );
    for (page, took) in readers {
        assert_eq!(page.status, StatusCode::OK, "{} after {took:?}", page.path);
    }
    assert!(is_ready);
    // More than there are connections: whoever has waited for one does not wait as long again for
    // the database.
    siege
        .refuses((0..3).flat_map(|_| siege.writers()).collect())
        .await;
    assert_eq!(siege.rows().await, before);
}

/// The program on a single connection, whose settings a test can change.
async fn on_one_connection(siege: &mut Siege) -> DatabaseConnection {
    let mut options = ConnectOptions::new(&siege.app.database.url);
    let only = Database::connect(options.max_connections(1).sqlx_logging(false).to_owned())
        .await
        .unwrap();
    siege.app.state.db = only.clone().into();
    siege.app.router = router(siege.app.state.clone());
    let ada = siege.ada.cookie("fastapiusersauth").unwrap().to_owned();
    siege.ada = Browser::new(siege.app.router.clone());
    siege.ada.set_cookie("fastapiusersauth", &ada);
    only
}

async fn say(db: &impl ConnectionTrait, words: &str) {
    db.execute_unprepared(words).await.unwrap();
}

#[tokio::test]
async fn a_database_that_somebody_else_is_writing_is_read() {
    let siege = Siege::new().await;
    let immediately = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let writing = siege
        .side_door
        .begin_with_options(immediately)
        .await
        .unwrap();
    if siege.app.database.is_postgres() {
        say(&writing, &format!("LOCK TABLE {TABLES} IN EXCLUSIVE MODE")).await;
    }
    goes_without_writing(&siege).await;
    writing.rollback().await.unwrap();
    siege.recovers().await;
}

#[tokio::test]
async fn a_database_that_is_being_rebuilt_is_not_waited_for() {
    let siege = Siege::new().await;
    if !siege.app.database.is_postgres() {
        return;
    }
    let before = siege.rows().await;
    let rebuilding = siege.side_door.begin().await.unwrap();
    say(
        &rebuilding,
        &format!("LOCK TABLE {TABLES} IN ACCESS EXCLUSIVE MODE"),
    )
    .await;
    let requests = siege
        .writers()
        .into_iter()
        .chain((0..10).flat_map(|_| siege.readers()))
        .collect();
    let ((), ()) = tokio::join!(siege.lives(), siege.refuses(requests));
    rebuilding.rollback().await.unwrap();
    assert_eq!(siege.rows().await, before);
    siege.recovers().await;
}

#[tokio::test]
async fn a_database_that_is_read_only_is_read() {
    let mut siege = Siege::new().await;
    if siege.app.database.is_postgres() {
        let name = siege
            .app
            .database
            .url
            .rsplit_once('/')
            .unwrap()
            .1
            .to_owned();
        // As when a standby has taken over: all connections break, and the new ones cannot write.
        let all_others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        say(
            &siege.side_door,
            &format!("ALTER DATABASE {name} SET default_transaction_read_only = on"),
        )
        .await;
        say(&siege.side_door, all_others).await;
        goes_without_writing(&siege).await;
        say(&siege.side_door, &format!("BEGIN READ WRITE; ALTER DATABASE {name} RESET default_transaction_read_only; COMMIT")).await;
        say(&siege.side_door, all_others).await;
    } else {
        let only = on_one_connection(&mut siege).await;
        say(&only, "PRAGMA query_only = 1").await;
        goes_without_writing(&siege).await;
        say(&only, "PRAGMA query_only = 0").await;
    }
    siege.recovers().await;
}

#[tokio::test]
async fn a_database_that_fills_up_loses_nothing_and_holds_nothing_by_halves() {
    let mut siege = Siege::new().await;
    if siege.app.database.is_postgres() {
        return;
    }
    let only = on_one_connection(&mut siege).await;
    // Not less than it has now. What fits into the pages that are there is still taken.
    say(&only, "PRAGMA max_page_count = 1").await;
    let (mut made, mut refused) = (0, 0);
    while refused < 20 {
        let form = [
            ("email", &*format!("number{}@example.org", made + refused)),
            ("password", PASSWORD),
        ];
        let page = siege.app.browser().post_form("/login/signup", &form).await;
        // A new account is logged in at once, which is a change of its own.
        let is_logged_in = page.header("set-cookie").is_some();
        assert!(
            page.status
                == if is_logged_in {
                    StatusCode::SEE_OTHER
                } else {
                    StatusCode::SERVICE_UNAVAILABLE
                },
            "{}",
            page.status
        );
        if is_logged_in {
            made += 1
        } else {
            refused += 1
        }
        assert!(made < 500, "there is no end to it");
        assert_eq!(
            siege.count("\"user\"").await,
            siege.count("auth_user_account").await
        );
        assert_eq!(siege.count("auth_session").await, made + 1);
        assert_eq!(
            siege.ada.get("/api/v1/users/me").await.status,
            StatusCode::OK
        );
    }
    say(&only, "PRAGMA max_page_count = 1000000").await;
    assert_eq!(
        siege
            .app
            .browser()
            .log_in("number0@example.org", PASSWORD)
            .await
            .path,
        "/login/verify"
    );
    assert_eq!(
        siege.ada.post_form("/logout", &[]).await.status,
        StatusCode::SEE_OTHER
    );
}

/// The kernel lets no file grow, as on a full disk.
#[tokio::test]
async fn a_disk_without_a_free_byte_is_survived() {
    let (home, database) = killed::home().await;
    if database.is_postgres() {
        return;
    }
    home.create_user(&[ADA], PASSWORD);
    let mut command = home.run("sh");
    // The signal that comes with such a write would end the program; a full disk sends none.
    command.args([
        "-c",
        "trap '' XFSZ; exec \"$0\"",
        env!("CARGO_BIN_EXE_mediamanager-auth"),
    ]);
    let serving = Serving::of(command, "Listening");
    let limit = |bytes: &str| {
        assert!(
            Command::new("prlimit")
                .args(["--pid", &serving.pid(), &format!("--fsize={bytes}:")])
                .status()
                .unwrap()
                .success()
        );
    };
    let form = format!(
        "email={}&password={}",
        ADA.replace('@', "%40"),
        PASSWORD.replace(' ', "+")
    );
    let log_in = || serving.post("/login", &form);
    let token = log_in()
        .split("fastapiusersauth=")
        .nth(1)
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let me = || {
        serving.get(
            "/api/v1/users/me",
            &format!("Cookie: fastapiusersauth={token}\r\n"),
        )
    };
    limit("0");
    for answer in [
        log_in(),
        serving.post("/login/signup", &form.replace("ada", "new")),
    ] {
        assert!(
            answer.starts_with("HTTP/1.1 503")
                && answer.contains("retry-after: ")
                && !answer.contains("set-cookie"),
            "{answer}"
        );
    }
    assert!(me().starts_with("HTTP/1.1 200"));
    limit("unlimited");
    assert!(log_in().starts_with("HTTP/1.1 303"));
    assert!(
        serving
            .post("/login/signup", &form.replace("ada", "new"))
            .starts_with("HTTP/1.1 303")
    );
    assert_eq!(serving.stop().0, Some(0));
}

/// Ada's program on SQLite, whose files a test can keep from growing.
struct FullDisk {
    home: Home,
    serving: Serving,
    _database: TestDatabase,
}

impl FullDisk {
    /// `None` on PostgreSQL, whose files are not the program's.
    async fn new() -> Option<Self> {
        let (home, database) = killed::home().await;
        if database.is_postgres() {
            return None;
        }
        home.create_user(&["--admin", ADA], PASSWORD);
        home.create_user(&["bob@example.org"], PASSWORD);
        let serving = Self::start(&home);
        Some(Self {
            home,
            serving,
            _database: database,
        })
    }

    fn start(home: &Home) -> Serving {
        let mut command = home.run("sh");
        // The signal that comes with such a write would end the program; a full disk sends none.
        command.args([
            "-c",
            "trap '' XFSZ; exec \"$0\"",
            env!("CARGO_BIN_EXE_mediamanager-auth"),
        ]);
        Serving::of(command, "Listening")
    }

    /// Takes the room for the next byte, or gives it back.
    fn fill(&self, is_full: bool) {
        let limit = if is_full {
            "--fsize=4096:"
        } else {
            "--fsize=unlimited:"
        };
        assert!(
            Command::new("prlimit")
                .args(["--pid", &self.serving.pid(), limit])
                .status()
                .unwrap()
                .success()
        );
    }

    fn api(&self, method: &str, path: &str, token: &str, body: &str) -> (u16, Value) {
        let kind = if body.starts_with('{') {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        };
        let headers = format!(
            "Authorization: Bearer {token}\r\nContent-Type: {kind}\r\nContent-Length: {}",
            body.len()
        );
        let answer = self.serving.raw(&format!("{method} /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n\r\n{body}"));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (
            head.split(' ').nth(1).unwrap().parse().unwrap(),
            serde_json::from_str(body).unwrap_or_default(),
        )
    }

    fn log_in(&self) -> Option<String> {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("username", ADA), ("password", PASSWORD)])
            .finish();
        self.api("POST", "/auth/jwt/login", "", &form).1["access_token"]
            .as_str()
            .map(ToOwned::to_owned)
    }

    fn log_out(&self, token: &str) -> u16 {
        self.api("POST", "/auth/jwt/logout", token, "").0
    }

    fn me(&self, token: &str) -> u16 {
        self.api("GET", "/users/me", token, "").0
    }

    fn register(&self, email: &str) -> u16 {
        self.api(
            "POST",
            "/auth/register",
            "",
            &json!({ "email": email, "password": PASSWORD }).to_string(),
        )
        .0
    }

    /// Looks, refuses, and rolls back.
    fn take_a_used_address(&self, token: &str, of: &str) -> u16 {
        self.api(
            "PATCH",
            &format!("/users/{of}"),
            token,
            &json!({ "email": ADA }).to_string(),
        )
        .0
    }

    fn restart(self) -> Self {
        let Self {
            home,
            serving,
            _database,
        } = self;
        serving.kill();
        Self {
            serving: Self::start(&home),
            home,
            _database,
        }
    }
}

/// A transaction that SQLite has rolled back by itself leaves its connection out of step with the
/// library, which would take all that follows on it for a part of a transaction that is never
/// committed.
#[tokio::test]
async fn nothing_that_was_acknowledged_after_a_full_disk_is_lost() {
    let Some(disk) = FullDisk::new().await else {
        return;
    };
    let tokens: Vec<String> = (0..6).map(|_| disk.log_in().unwrap()).collect();
    let [admin, early @ .., late] = &tokens[..] else {
        unreachable!()
    };
    let bob = disk
        .api("GET", "/users/all", admin, "")
        .1
        .as_array()
        .unwrap()
        .iter()
        .find(|user| user["email"] != ADA)
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();

    disk.fill(true);
    for token in early {
        assert_eq!(disk.log_out(token), 503);
    }
    for number in 0..8 {
        disk.take_a_used_address(admin, &bob);
        assert_eq!(disk.register(&format!("full{number}@example.org")), 503);
    }
    assert_eq!(disk.log_in(), None);
    assert_eq!(disk.me(admin), 200, "reading goes on");

    disk.fill(false);
    // One for each connection of the pool, and one more.
    for number in 0..9 {
        assert_eq!(disk.take_a_used_address(admin, &bob), 400, "round {number}");
        assert_eq!(
            disk.register(&format!("room{number}@example.org")),
            201,
            "round {number}"
        );
        assert!(disk.log_in().is_some(), "round {number}");
    }
    for token in early {
        assert_eq!((disk.log_out(token), disk.me(token)), (204, 401));
    }
    assert_eq!(disk.log_out(late), 204);

    let disk = disk.restart();
    for token in early.iter().chain([late]) {
        assert_eq!(disk.me(token), 401, "logged out before the kill");
    }
    let (status, all) = disk.api("GET", "/users/all", &disk.log_in().unwrap(), "");
    assert_eq!(status, 200, "{all}");
    for number in 0..9 {
        let email = format!("room{number}@example.org");
        assert!(
            all.as_array()
                .unwrap()
                .iter()
                .any(|user| user["email"] == *email),
            "{email} was registered"
        );
    }
    assert!(!all.to_string().contains("full"), "{all}");
}
