//! The program in a process of its own, and a limit on the size of the database's files.

use std::{
    os::unix::{fs::MetadataExt, process::CommandExt},
    process::{Command, Stdio},
};

use axum::{Router, body::Bytes, extract::Request, http::HeaderMap, response::IntoResponse};

use crate::{
    process::{Home, Serving},
    support::App,
};

/// Above PostgreSQL's WAL segments (16 MiB), which the limit must not touch: without them the server
/// stops altogether.
const MIN_LIMIT: i64 = 17 << 20;

/// The program, started so that the kernel can limit its files.
pub struct Server {
    serving: Serving,
    client: reqwest::Client,
}

impl Server {
    pub fn start(home: &Home) -> Self {
        let mut command = home.run("sh");
        // SIGXFSZ would end the process; a full disk sends no signal. The log of all that fails is
        // longer than a pipe.
        command
            .args([
                "-c",
                "trap '' XFSZ; exec \"$0\"",
                env!("CARGO_BIN_EXE_mediamanager-auth"),
            ])
            .stderr(Stdio::null());
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        Self {
            serving: Serving::of(command, "Listening"),
            client: client.build().unwrap(),
        }
    }

    /// Passes the requests of a browser on.
    pub fn router(&self) -> Router {
        let (client, port) = (self.client.clone(), self.serving.port);
        Router::new().fallback(async move |request: Request| {
            let (parts, body) = request.into_parts();
            let body: Bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let answer = client
                .request(
                    parts.method,
                    format!("http://127.0.0.1:{port}{}", parts.uri),
                )
                .headers(parts.headers)
                .body(body)
                .send()
                .await
                .unwrap();
            let (status, headers): (_, HeaderMap) = (answer.status(), answer.headers().clone());
            (status, headers, answer.bytes().await.unwrap()).into_response()
        })
    }

    /// Kills the process, as a power cut does.
    pub fn kill(self) {
        self.serving.kill();
    }
}

/// The disk of the database.
pub enum Disk {
    /// The program itself writes the files.
    Sqlite,
    /// The server's processes do: one whose files are all smaller than a table of ours is not
    /// disturbed. The limit is the size of that table, which has no free space.
    Postgres { server: u32, bytes: i64 },
}

impl Disk {
    /// `None` for a PostgreSQL on another machine, or of a user who is none of ours.
    pub async fn new(app: &App) -> Option<Self> {
        if !app.database.is_postgres() {
            return Some(Self::Sqlite);
        }
        let backend = app.count("SELECT pg_backend_pid()::bigint").await;
        let stat = std::fs::read_to_string(format!("/proc/{backend}/stat")).ok()?;
        let (_, after) = stat.rsplit_once(") ")?;
        stat.contains("(postgres)").then_some(())?;
        let server: u32 = after.split(' ').nth(1)?.parse().ok()?;
        prlimit(&server.to_string(), "unlimited").then_some(())?;
        // Every change writes an event, so a table of events that cannot grow refuses them all.
        app.sql_elsewhere("ALTER TABLE auth_event SET (autovacuum_enabled = false)")
            .await;
        let size = "SELECT pg_relation_size('auth_event')";
        while app.count(size).await < MIN_LIMIT {
            app.sql_elsewhere(
                "INSERT INTO auth_event (occurred_at, kind, method, client_ip, request_id, detail)
                 SELECT extract(epoch FROM now())::bigint, 'padding', '', '-', '', repeat('x', 500) FROM generate_series(1, 10000)",
            )
            .await;
        }
        // A row goes only where most of a page is free, which is nowhere now.
        app.sql_elsewhere("ALTER TABLE auth_event SET (fillfactor = 10)")
            .await;
        let bytes = app.count(size).await;
        Some(Self::Postgres { server, bytes })
    }

    /// Lets no file grow any more.
    pub fn fill(&self, server: &Server) {
        match self {
            Self::Sqlite => limit(&server.serving.pid(), "4096"),
            Self::Postgres { bytes, .. } => self.limit_server(&bytes.to_string()),
        }
    }

    pub fn make_room(&self, server: &Server) {
        match self {
            Self::Sqlite => limit(&server.serving.pid(), "unlimited"),
            Self::Postgres { .. } => self.limit_server("unlimited"),
        }
    }

    /// Limits PostgreSQL's processes, the first of which passes its limit on to new ones.
    fn limit_server(&self, bytes: &str) {
        let Self::Postgres { server, .. } = self else {
            return;
        };
        let is_limited = prlimit(&server.to_string(), bytes);
        assert!(is_limited || std::thread::panicking(), "{server}");
        let children = format!("/proc/{server}/task/{server}/children");
        for child in std::fs::read_to_string(children).unwrap().split(' ') {
            // One of another test may have ended meanwhile.
            if !child.is_empty() && std::fs::exists(format!("/proc/{child}")).unwrap() {
                let _ = prlimit(child, bytes);
            }
        }
    }
}

impl Drop for Disk {
    /// Another test's database is on the same server.
    fn drop(&mut self) {
        if let Self::Postgres { .. } = self {
            self.limit_server("unlimited");
        }
    }
}

fn limit(pid: &str, bytes: &str) {
    assert!(prlimit(pid, bytes), "cannot limit the files of {pid}");
}

/// As the process's own user, because another one needs a capability that root may lack.
fn prlimit(pid: &str, bytes: &str) -> bool {
    let Ok(process) = std::fs::metadata(format!("/proc/{pid}")) else {
        return false;
    };
    let status = Command::new("prlimit")
        .args(["--pid", pid, &format!("--fsize={bytes}:")])
        .current_dir("/")
        .uid(process.uid())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}
