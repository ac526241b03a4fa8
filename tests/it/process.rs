//! The program as an operator runs it: its own process, its own output, real sockets and signals.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Output, Stdio},
};

use tempfile::TempDir;

use crate::support::PASSWORD;

pub const TOKEN_SECRET: &str = "process-secret-0123456789-abcdefghij";

/// A directory with a configuration, and the program run in it.
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

    /// What every configuration must have, and these lines.
    pub fn with(toml: &str) -> Self {
        Self::new(&format!(
            "auth.token_secret = '{TOKEN_SECRET}'\nauth.admin_emails = []\n{toml}"
        ))
    }

    pub fn command(&self) -> Command {
        self.run(env!("CARGO_BIN_EXE_mediamanager-auth"))
    }

    /// Another program in its place.
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
        // The program may refuse before it reads.
        let _ = child
            .stdin
            .take()
            .unwrap()
            .write_all(format!("{password}\n").as_bytes());
        child.wait_with_output().unwrap()
    }
}

/// A program that ends with the test, also with one that fails: it would keep what it has
/// inherited.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A serving program; what it printed before it was ready, and where it listens.
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

    /// Sends bytes and reads the answer until the program closes.
    pub fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        // A program that refuses early may close while we still write.
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

    /// Takes it away as a power cut does.
    pub fn kill(self) {
        drop(self);
    }

    pub fn pid(&self) -> String {
        self.child.0.id().to_string()
    }

    /// Reads what it logs until there is this, and leaves the rest to [`Self::stop`].
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

    /// Asks it to stop; its exit code, and what it has logged since.
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

    /// Waits for its end; its exit code, and all it logged.
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
fn a_first_start_prints_the_address_and_the_setup_link_and_stops_cleanly() {
    let home = Home::standard();
    let serving = Serving::start(&home, "/setup?token=");
    assert!(
        serving
            .greeting
            .contains("http://localhost:8000/setup?token="),
        "{}",
        serving.greeting
    );
    assert!(serving.get("/readyz", "").starts_with("HTTP/1.1 200"));
    let (code, _) = serving.stop();
    assert_eq!(code, Some(0));

    let made = home.create_user(&["--admin", "ada@example.org"], PASSWORD);
    assert_eq!(
        (made.status.code(), text(&made.stdout).as_str()),
        (Some(0), "ada@example.org is now an administrator.\n")
    );
    let serving = Serving::start(&home, "Listening");
    assert!(
        serving
            .get("/setup", "Accept: text/html\r\n")
            .starts_with("HTTP/1.1 409"),
        "no link is worth anything any more"
    );
    assert_eq!(serving.stop().0, Some(0));
}

/// As systemd does it: the socket is there before the program, so that nobody is turned away while
/// it starts anew.
#[test]
fn a_socket_that_is_open_already_is_served() {
    let home = Home::standard();
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let mut command = Command::new("sh");
    // The process that listens must be the one that LISTEN_PID names.
    command
        .args([
            "-c",
            "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\"",
        ])
        .arg(env!("CARGO_BIN_EXE_mediamanager-auth"));
    command
        .current_dir(home.0.path())
        .env_remove("CONFIG_FILE")
        .env_remove("CONFIG_DIR");
    command
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(socket)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let serving = Serving::of(command, "Listening");
    assert_eq!(serving.port, port);
    assert!(serving.get("/livez", "").starts_with("HTTP/1.1 200"));
    assert_eq!(serving.stop().0, Some(0));
}

#[test]
fn a_start_says_how_to_go_on_when_somebody_was_faster_than_the_operator() {
    let home = Home::standard();
    assert!(
        home.create_user(&["--pending", "eve@example.org"], PASSWORD)
            .status
            .success()
    );
    let serving = Serving::start(&home, "user create --admin EMAIL");
    assert!(
        serving.greeting.contains("nobody is an administrator")
            && serving.greeting.contains("user promote EMAIL"),
        "{}",
        serving.greeting
    );
    assert!(
        !serving.greeting.contains("/setup"),
        "no link that is worth nothing: {}",
        serving.greeting
    );
    serving.stop();
}

#[test]
fn the_shell_refuses_what_the_pages_refuse() {
    let home = Home::standard();
    for (arguments, password, reason) in [
        (&["not an address"][..], PASSWORD, "Enter an e-mail address"),
        (&["ada@example.org"], "short", "Use at least 12 characters."),
        (&["ada@example.org"], "passwordpassword", "easy to guess"),
        (
            &["--admin", "--pending", "ada@example.org"],
            PASSWORD,
            "cannot be used with",
        ),
    ] {
        let refused = home.create_user(arguments, password);
        assert!(
            !refused.status.success() && text(&refused.stderr).contains(reason),
            "{}",
            text(&refused.stderr)
        );
    }
    assert!(
        home.create_user(&["ada@example.org"], PASSWORD)
            .status
            .success()
    );
    let again = home.create_user(&["ADA@example.org"], PASSWORD);
    assert!(
        text(&again.stderr).contains("There is an account with this e-mail address already."),
        "{}",
        text(&again.stderr)
    );
}

#[test]
fn the_operator_approves_who_waits() {
    let home = Home::standard();
    assert!(
        home.create_user(&["--pending", "ada@example.org"], PASSWORD)
            .status
            .success()
    );
    let approve = |email| {
        home.command()
            .args(["user", "approve", email])
            .output()
            .unwrap()
    };
    assert_eq!(
        text(&approve("Ada@Example.org").stdout),
        "ada@example.org is approved.\n"
    );
    assert_eq!(
        text(&approve("eve@example.org").stderr),
        "Nobody has the address eve@example.org.\n"
    );
    let serving = Serving::start(&home, "Listening");
    let answer = serving.post(
        "/login",
        &format!(
            "email=ada%40example.org&password={}",
            PASSWORD.replace(' ', "+")
        ),
    );
    assert!(answer.contains("location: /account"), "{answer}");
    serving.stop();
}

#[test]
fn nothing_secret_is_logged_at_any_level() {
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
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    let token = answer
        .split("fastapiusersauth=")
        .nth(1)
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    assert!(
        serving
            .get(
                "/account",
                &format!("Accept: text/html\r\nCookie: fastapiusersauth={token}\r\n")
            )
            .starts_with("HTTP/1.1 200")
    );
    serving.post(
        "/login",
        "email=ada%40example.org&password=another+wrong+secret",
    );
    serving.get("/setup?token=a-setup-token", "Accept: text/html\r\n");
    let (_, log) = serving.stop();
    assert!(
        log.contains("logged_in") && log.contains("login_failed"),
        "{log}"
    );
    for secret in [
        TOKEN_SECRET,
        PASSWORD,
        &token,
        "another wrong secret",
        "another+wrong",
        "a-setup-token",
        "argon2id$",
        "violet+kettle",
    ] {
        assert!(!log.contains(secret), "{secret} in the log");
    }
}

#[test]
fn no_password_of_the_database_is_logged_at_any_level() {
    // Takes connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let start = |user: &str, pgpass: &str| {
        let home = Home::with(&format!(
            "[server]\nlog_level = 'trace'\ndatabase_url = 'postgres://{user}@{address}/auth?sslpassword=a-database-password'"
        ));
        let file = home.0.path().join("pgpass");
        std::fs::write(&file, pgpass).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();
        text(
            &home
                .command()
                .env("PGPASSFILE", file)
                .output()
                .unwrap()
                .stderr,
        )
    };
    let logs = std::thread::scope(|scope| {
        let both = [
            ("ada:a-database-password", ""),
            ("ada", "a-database-password\n"),
        ]
        .map(|(user, pgpass)| scope.spawn(move || start(user, pgpass)));
        both.map(|log| log.join().unwrap())
    });
    for log in logs {
        assert!(
            log.contains("cannot open the database") && !log.contains("a-database-password"),
            "{log}"
        );
        assert!(
            !log.contains("ConnectOptions"),
            "the options have the whole URL: {log}"
        );
    }
}

#[test]
fn header_blocks_are_bounded() {
    let home = Home::standard();
    let serving = Serving::start(&home, "Listening");
    let many: String = (0..101).map(|n| format!("X-{n}: x\r\n")).collect();
    let answer = serving.get("/login", &many);
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    // The connection is closed with most of the block unread, so the 431 may not arrive; an answer
    // never does.
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
fn a_wrong_configuration_is_told_whole_and_nothing_starts() {
    let home = Home::new(
        "[auth]\ntoken_secret = 'tooshort-but-secret'\nsession_lifetme = 5\n[misc]\nfrontend_url = 'ftp://x'\n",
    );
    for subcommand in [&["check"][..], &["serve"], &[]] {
        let refused = home.command().args(subcommand).output().unwrap();
        let said = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(78), "{said}");
        for part in [
            "auth.token_secret",
            "session_lifetme",
            "session_lifetime",
            "auth.admin_emails",
            "misc.frontend_url",
            "4 problems",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!said.contains("tooshort-but-secret"), "{said}");
    }
}

/// The lines of a log, which is JSON because nobody watches it at a terminal; each of them has to
/// be.
fn lines(log: &str) -> Vec<serde_json::Value> {
    log.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|err| panic!("{err}: {line}")))
        .collect()
}

#[test]
fn a_start_that_fails_is_told_in_the_log_like_everything_else() {
    let home =
        Home::new("[auth]\ntoken_secret = 'tooshort'\nadmin_emails = []\nsession_lifetme = 5\n");
    let refused = lines(&text(&home.command().output().unwrap().stderr));
    let events: Vec<_> = refused
        .iter()
        .map(|line| {
            (
                line["level"].as_str().unwrap(),
                line["event"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        events,
        [
            ("ERROR", "configuration_error"),
            ("ERROR", "configuration_error"),
            ("ERROR", "startup_failed")
        ],
        "{refused:?}"
    );
    assert!(
        refused
            .iter()
            .all(|line| line["timestamp"].as_str().unwrap().ends_with('Z')),
        "{refused:?}"
    );
    assert!(
        refused[1]["message"]
            .as_str()
            .unwrap()
            .starts_with("config.toml:2:1: auth.token_secret is shorter"),
        "{refused:?}"
    );

    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for log_level in ["info", "off"] {
        let home = Home::with(&format!(
            "[server]\nport = {}\nlog_level = '{log_level}'",
            other.local_addr().unwrap().port()
        ));
        let refused = home.command().output().unwrap();
        let said = text(&refused.stderr);
        assert!(
            refused.status.code() == Some(1) && said.contains("cannot listen on"),
            "{said}"
        );
        // Without a log there is still a reason.
        assert!(
            log_level == "off"
                || lines(&said)
                    .iter()
                    .any(|line| line["event"] == "startup_failed"),
            "{said}"
        );
    }
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
fn a_start_that_waits_for_another_instance_says_so() {
    let home = Home::standard();
    std::fs::create_dir(home.0.path().join("data")).unwrap();
    let lock =
        std::fs::File::create(home.0.path().join("data/mediamanager-auth.migrating")).unwrap();
    lock.lock().unwrap();
    let mut child = Running(home.command().spawn().unwrap());
    let read_until = |output: &mut dyn BufRead, awaited: &str| {
        let mut said = String::new();
        while !said.contains(awaited) {
            assert_ne!(
                output.read_line(&mut said).unwrap(),
                0,
                "ended after: {said}"
            );
        }
    };
    read_until(
        &mut BufReader::new(child.0.stderr.as_mut().unwrap()),
        "waiting for another instance to migrate",
    );
    lock.unlock().unwrap();
    read_until(
        &mut BufReader::new(child.0.stdout.as_mut().unwrap()),
        "Listening",
    );
}

#[test]
fn two_programs_may_start_together_on_a_fresh_database() {
    let home = Home::standard();
    let mut both = [
        Running(home.command().spawn().unwrap()),
        Running(home.command().spawn().unwrap()),
    ];
    for Running(child) in &mut both {
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains("/setup?token=") {
            assert_ne!(
                output.read_line(&mut greeting).unwrap(),
                0,
                "ended after: {greeting}"
            );
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
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
