//! Starting the server: the setup link, sockets, configuration errors, and concurrent starts.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use super::{Home, Running, Serving, text};
use crate::support::{PASSWORD, TestProvider};

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

/// Socket activation, as systemd does it: the socket is open before the program starts, so that no
/// connection is refused during a restart.
#[test]
fn a_socket_that_is_open_already_is_served() {
    let home = Home::standard();
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let mut command = Command::new("sh");
    // LISTEN_PID must name the process that listens.
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

/// The lines of a log. The format is JSON because stderr is no terminal, and every line must be
/// JSON.
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
        // The reason is printed even without a log.
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

/// Nobody visits a page: only the refresh in the background asks the provider.
#[test]
fn a_provider_that_comes_later_is_noticed_in_the_background() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|free| free.local_addr())
        .unwrap();
    let home = Home::with(&format!(
        "[server]\nport = 0\n[auth.openid_connect]\nenabled = true\nclient_id = 'a'\nclient_secret = 'b'\nname = 'Test'\n\
         configuration_endpoint = 'http://{address}/.well-known/openid-configuration'\n"
    ));
    let serving = Serving::start(&home, "Listening");
    let provider = runtime.block_on(TestProvider::start_at(&address.to_string()));
    let started = std::time::Instant::now();
    while provider.times("/jwks") == 0 {
        assert!(started.elapsed().as_secs() < 30, "{:?}", provider.asked());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let page = serving.get("/login", "Accept: text/html\r\n");
    assert!(page.contains("href=\"/login/oidc\""), "{page}");
    assert_eq!(serving.stop().0, Some(0));
}
