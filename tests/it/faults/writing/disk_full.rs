//! A full disk: the kernel refuses to let SQLite's files grow.

use std::process::Command;

use serde_json::{Value, json};

use crate::{
    faults::{ADA, killed},
    process::{Home, Serving},
    support::{PASSWORD, database::TestDatabase},
};

/// The kernel refuses to let a file grow, as on a full disk.
#[tokio::test]
async fn a_disk_without_a_free_byte_is_survived() {
    let (home, database) = killed::home().await;
    if database.is_postgres() {
        return;
    }
    home.create_user(&[ADA], PASSWORD);
    let mut command = home.run("sh");
    // SIGXFSZ would end the process; a full disk sends no signal.
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

/// The program on SQLite with a limit on the size of its files, and Ada's session.
struct FullDisk {
    home: Home,
    serving: Serving,
    _database: TestDatabase,
}

impl FullDisk {
    /// `None` on PostgreSQL, whose files belong to another process.
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
        // SIGXFSZ would end the process; a full disk sends no signal.
        command.args([
            "-c",
            "trap '' XFSZ; exec \"$0\"",
            env!("CARGO_BIN_EXE_mediamanager-auth"),
        ]);
        Serving::of(command, "Listening")
    }

    /// Limits the file size so that no file can grow, or removes the limit.
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

    /// A request that reads, is rejected, and rolls back.
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

/// After SQLite rolls a transaction back by itself, the library still counts it as open. Every
/// later statement on the connection would belong to a transaction that never commits.
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
    // One request more than connections in the pool.
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
