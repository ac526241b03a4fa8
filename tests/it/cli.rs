//! The command line.

use std::{
    io::{Read, Write},
    net::TcpListener,
};

use crate::{
    process::{Home, Running, Serving, TOKEN_SECRET, text},
    support::PASSWORD,
};

mod import;

fn run(home: &Home, arguments: &[&str]) -> (i32, String) {
    let output = home.command().args(arguments).output().unwrap();
    (
        output.status.code().unwrap(),
        format!("{}{}", text(&output.stdout), text(&output.stderr)),
    )
}

#[test]
fn the_operator_manages_people_from_the_shell() {
    let home = Home::standard();
    for (flags, email) in [
        (&["--admin"][..], "ada@example.org"),
        (&[], "bob@example.org"),
        (&["--pending"], "eve@example.org"),
    ] {
        let arguments: Vec<&str> = flags.iter().copied().chain([email]).collect();
        assert!(home.create_user(&arguments, PASSWORD).status.success());
    }
    let list = |arguments: &[&str]| {
        let output = home
            .command()
            .args(["user", "list"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    assert_eq!(
        list(&[]),
        "ada@example.org\tactive\tadministrator\tnever\nbob@example.org\tactive\tmember\tnever\neve@example.org\tpending\tmember\tnever\n"
    );
    assert_eq!(
        list(&["--pending"]),
        "eve@example.org\tpending\tmember\tnever\n"
    );
    assert_eq!(list(&["--admins", "BOB"]), "");
    for (arguments, said) in [
        (
            &["user", "approve", "Eve@example.org"][..],
            "eve@example.org is approved.\n",
        ),
        (
            &["user", "disable", "bob@example.org"],
            "bob@example.org is disabled.\n",
        ),
        (
            &["user", "logout", "eve@example.org"],
            "eve@example.org is logged out everywhere (0 sessions).\n",
        ),
        (
            &["user", "promote", "eve@example.org"],
            "eve@example.org is now an administrator.\n",
        ),
        (
            &["user", "demote", "ada@example.org"],
            "ada@example.org is now a member.\n",
        ),
    ] {
        let (code, output) = run(&home, arguments);
        assert!(
            code == 0 && output.contains(said),
            "{arguments:?}: {output}"
        );
    }
    assert_eq!(
        list(&["--disabled"]),
        "bob@example.org\tdisabled\tmember\tnever\n"
    );
    assert_eq!(
        list(&["--admins"]),
        "eve@example.org\tactive\tadministrator\tnever\n"
    );
    for (arguments, said) in [
        (
            &["user", "disable", "eve@example.org"][..],
            "This is the last active administrator.",
        ),
        (
            &["user", "demote", "eve@example.org"],
            "This is the last active administrator.",
        ),
        (
            &["user", "enable", "nobody@example.org"],
            "Nobody has the address nobody@example.org.",
        ),
        (&["user", "logout", "no address"], "Enter an e-mail address"),
    ] {
        let (code, output) = run(&home, arguments);
        assert!(
            code == 1 && output.contains(said),
            "{arguments:?}: {output}"
        );
    }
    assert!(
        run(&home, &["user", "enable", "bob@example.org"])
            .1
            .contains("bob@example.org is enabled.")
    );
    let serving = Serving::start(&home, "Listening");
    let form = format!(
        "email=bob%40example.org&password={}",
        PASSWORD.replace(' ', "+")
    );
    assert!(serving.post("/login", &form).starts_with("HTTP/1.1 303"));
    assert!(
        run(&home, &["user", "logout", "bob@example.org"])
            .1
            .contains("(1 session)"),
        "also while the program runs"
    );
    serving.stop();
}

#[test]
fn a_container_asks_the_program_how_it_is() {
    let home = Home::standard();
    let health = |port: u16| {
        home.command()
            .arg("healthcheck")
            .env("MEDIAMANAGER_SERVER__PORT", port.to_string())
            .output()
            .unwrap()
    };
    let serving = Serving::start(&home, "Listening");
    let (port, fine) = (serving.port, health(serving.port));
    assert_eq!(
        (fine.status.code(), text(&fine.stderr).as_str()),
        (Some(0), "")
    );
    serving.stop();
    let gone = health(port);
    assert!(
        gone.status.code() == Some(1)
            && text(&gone.stderr).contains("nobody answers at http://127.0.0.1:"),
        "{}",
        text(&gone.stderr)
    );
}

#[test]
fn a_container_behind_every_address_learns_that_the_program_is_not_ready() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let home = Home::new(&format!(
        "auth.token_secret = '{TOKEN_SECRET}'\nauth.admin_emails = []\n[server]\nhost = '0.0.0.0'\nport = {port}\n"
    ));
    for (status, code) in [("503 Service Unavailable", 1), ("200 OK", 0)] {
        let mut asked = Running(home.command().arg("healthcheck").spawn().unwrap());
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let length = stream.read(&mut request).unwrap();
        assert!(request[..length].starts_with(b"GET /readyz "));
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut said = String::new();
        asked
            .0
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert_eq!(
            (
                asked.0.wait().unwrap().code(),
                said.contains("is not ready (503")
            ),
            (Some(code), code == 1),
            "{said}"
        );
    }
}

#[test]
fn a_look_that_finds_something_wrong_fails_and_says_what_to_change() {
    let nobody = "[notifications.smtp_config]\nsmtp_host = '127.0.0.1'\nsmtp_port = 1\nuse_tls = false\nfrom_email = 'media@example.org'";
    let home = Home::new(&format!(
        "auth.token_secret = '{TOKEN_SECRET}'\nauth.admin_emails = []\nmisc.frontend_url = 'http://127.0.0.1:1'\n{nobody}\n"
    ));
    let look = |arguments: &[&str]| {
        home.command()
            .arg("check")
            .args(arguments)
            .output()
            .unwrap()
    };
    let (live, offline) = (look(&[]), look(&["--offline"]));
    let (said, complained) = (text(&live.stdout), text(&live.stderr));
    assert_eq!(live.status.code(), Some(1), "{said}{complained}");
    assert!(
        complained.contains("1 thing wrong") && said.contains("FAIL mail: 127.0.0.1:1"),
        "{said}{complained}"
    );
    let unfinished = |line: &&str| {
        (line.starts_with("FAIL") || line.starts_with("warn")) && !line.contains(" -> ")
    };
    assert_eq!(said.lines().find(unfinished), None);
    let said = text(&offline.stdout);
    assert_eq!(
        (offline.status.code(), text(&offline.stderr).as_str()),
        (Some(0), ""),
        "{said}"
    );
    assert!(
        said.contains("The configuration is fine")
            && !said.contains("FAIL")
            && !said.contains("database"),
        "nobody was asked: {said}"
    );
}

#[test]
fn a_shell_gets_its_completions_without_any_configuration() {
    let empty = Home::new("");
    for shell in ["bash", "zsh", "fish"] {
        let (code, said) = run(&empty, &["completions", shell]);
        assert!(code == 0 && said.contains("reset-link"), "{shell}: {said}");
    }
}
