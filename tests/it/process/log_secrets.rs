//! Secrets stay out of the log at every level.

use super::{Home, Serving, TOKEN_SECRET, text};
use crate::support::PASSWORD;

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
    // A server that accepts connections and never answers.
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
