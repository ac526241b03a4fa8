//! The program in its own process, with real output, sockets and signals.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Output, Stdio},
};

use tempfile::TempDir;

use crate::support::PASSWORD;

mod log_secrets;
mod startup;
mod users;

pub const TOKEN_SECRET: &str = "process-secret-0123456789-abcdefghij";

/// A directory with a configuration, in which the program runs.
pub struct Home(TempDir);

impl Home {
    pub fn new(toml: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("config.toml"), toml).unwrap();
        Self(home)
    }

    pub fn standard() -> Self {
        Self::with("[server]\nport = 0\nlog_level = 'trace'")
    }

    /// The required configuration, and these lines.
    pub fn with(toml: &str) -> Self {
        Self::new(&format!(
            "auth.token_secret = '{TOKEN_SECRET}'\nauth.admin_emails = []\n{toml}"
        ))
    }

    pub fn command(&self) -> Command {
        self.run(env!("CARGO_BIN_EXE_mediamanager-auth"))
    }

    /// Uses another executable.
    pub fn run(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.0.path())
            .env_remove("CONFIG_FILE")
            .env_remove("CONFIG_DIR");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn create_user(&self, arguments: &[&str], password: &str) -> Output {
        let mut child = self
            .command()
            .args(["user", "create"])
            .args(arguments)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        // The program may exit before it reads the input.
        let _ = child
            .stdin
            .take()
            .unwrap()
            .write_all(format!("{password}\n").as_bytes());
        child.wait_with_output().unwrap()
    }
}

/// A child process that is killed when the test ends, also after a failure; otherwise it would keep
/// the inherited file descriptors open.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A serving program, its output before it was ready, and its address.
pub struct Serving {
    child: Running,
    pub greeting: String,
    pub port: u16,
}

impl Serving {
    pub fn start(home: &Home, last_line: &str) -> Self {
        Self::of(home.command(), last_line)
    }

    pub fn of(mut command: Command, last_line: &str) -> Self {
        let mut child = Running(command.spawn().unwrap());
        let mut output = BufReader::new(child.0.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains(last_line) {
            assert_ne!(
                output.read_line(&mut greeting).unwrap(),
                0,
                "ended after: {greeting}"
            );
        }
        let port = greeting
            .split("Listening on http://127.0.0.1:")
            .nth(1)
            .unwrap()
            .split(',')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        Self {
            child,
            greeting,
            port,
        }
    }

    /// Sends bytes and reads the response until the connection closes.
    pub fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        // A program that rejects early may close the connection during the write.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub fn get(&self, path: &str, headers: &str) -> String {
        self.raw(&format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"
        ))
    }

    pub fn post(&self, path: &str, body: &str) -> String {
        let length = body.len();
        let kind = "Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin\r\nAccept: text/html";
        self.raw(&format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{kind}\r\nContent-Length: {length}\r\n\r\n{body}"))
    }

    /// Kills the process, as a power cut does.
    pub fn kill(self) {
        drop(self);
    }

    pub fn pid(&self) -> String {
        self.child.0.id().to_string()
    }

    /// Reads the log until it contains this text, and leaves the rest to [`Self::stop`].
    pub fn await_log(&mut self, awaited: &str) {
        let mut log = Vec::new();
        let mut byte = [0];
        while !log.ends_with(awaited.as_bytes()) {
            assert_eq!(
                self.child
                    .0
                    .stderr
                    .as_mut()
                    .unwrap()
                    .read(&mut byte)
                    .unwrap(),
                1,
                "ended after: {}",
                text(&log)
            );
            log.push(byte[0]);
        }
    }

    /// Requests a shutdown; returns the exit code and the log since then.
    pub fn stop(self) -> (Option<i32>, String) {
        self.ask_to_stop();
        self.end()
    }

    pub fn ask_to_stop(&self) {
        assert!(
            Command::new("kill")
                .args(["-TERM", &self.pid()])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for the exit; returns the exit code and the whole log.
    pub fn end(mut self) -> (Option<i32>, String) {
        let mut log = String::new();
        self.child
            .0
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut log)
            .unwrap();
        (self.child.0.wait().unwrap().code(), log)
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn header_blocks_are_bounded() {
    let home = Home::standard();
    let serving = Serving::start(&home, "Listening");
    let many: String = (0..101).map(|n| format!("X-{n}: x\r\n")).collect();
    let answer = serving.get("/login", &many);
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    // The connection is closed with most of the header block unread, so the 431 may be lost; a
    // success must never arrive.
    let long = serving.get("/login", &format!("X-Long: {}\r\n", "x".repeat(40 * 1024)));
    assert!(
        long.is_empty() || long.starts_with("HTTP/1.1 431"),
        "{long}"
    );
    assert!(
        serving
            .get("/login", "Accept: text/html\r\n")
            .starts_with("HTTP/1.1 200")
    );
    serving.stop();
}

#[test]
fn the_database_is_for_its_owner_and_whole_in_one_file_after_a_stop() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::standard();
    assert!(
        home.create_user(&["ada@example.org"], PASSWORD)
            .status
            .success()
    );
    let (code, log) = Serving::start(&home, "Listening").stop();
    assert_eq!(code, Some(0), "{log}");
    let data = home.0.path().join("data");
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(&data), mode(&data.join("mediamanager-auth.db"))),
        (0o700, 0o600)
    );
    assert!(
        !data.join("mediamanager-auth.db-wal").exists(),
        "a copy of the one file would lose what stands in the other"
    );
}

#[test]
fn a_copied_cookie_stays_dead_when_the_program_is_killed_right_after_the_log_out() {
    let home = Home::standard();
    assert!(
        home.create_user(&["ada@example.org"], PASSWORD)
            .status
            .success()
    );
    let serving = Serving::start(&home, "Listening");
    let answer = serving.post(
        "/login",
        &format!(
            "email=ada%40example.org&password={}",
            PASSWORD.replace(' ', "+")
        ),
    );
    let cookie = format!(
        "Cookie: fastapiusersauth={}\r\n",
        answer
            .split("fastapiusersauth=")
            .nth(1)
            .unwrap()
            .split(';')
            .next()
            .unwrap()
    );
    assert!(
        serving
            .get("/api/v1/users/me", &cookie)
            .starts_with("HTTP/1.1 200")
    );
    let log_out = "POST /api/v1/auth/cookie/logout HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 0\r\n";
    assert!(
        serving
            .raw(&format!("{log_out}{cookie}\r\n"))
            .starts_with("HTTP/1.1 204")
    );
    serving.kill();
    let serving = Serving::start(&home, "Listening");
    assert!(
        serving
            .get("/api/v1/users/me", &cookie)
            .starts_with("HTTP/1.1 401")
    );
    assert!(
        serving
            .get("/account", &format!("Accept: text/html\r\n{cookie}"))
            .starts_with("HTTP/1.1 303")
    );
    serving.stop();
}
