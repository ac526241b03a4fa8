//! The Prometheus metrics.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use crate::{
    process::{Home, Serving},
    support::PASSWORD,
};

#[test]
fn what_happened_is_counted_on_a_port_of_its_own() {
    let home = Home::with("[server]\nmetrics_address = '127.0.0.1:0'\nport = 0");
    assert!(
        home.create_user(&["ada@example.org"], PASSWORD)
            .status
            .success()
    );
    let serving = Serving::start(&home, "Listening");
    let form = |password: &str| {
        format!(
            "username=ada%40example.org&password={}",
            password.replace(' ', "+")
        )
    };
    assert!(
        serving
            .post("/api/v1/auth/cookie/login", &form(PASSWORD))
            .starts_with("HTTP/1.1 204")
    );
    assert!(
        serving
            .post("/api/v1/auth/cookie/login", &form("wrong"))
            .starts_with("HTTP/1.1 400")
    );
    assert!(
        serving
            .get("/api/v1/users/me", "Authorization: Bearer nonsense\r\n")
            .starts_with("HTTP/1.1 401")
    );
    assert!(
        serving
            .get("/nobody/knows/this", "")
            .starts_with("HTTP/1.1 404")
    );
    assert!(
        serving
            .raw("BREW /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .starts_with("HTTP/1.1 40")
    );

    let numbers = numbers(&serving);
    for line in [
        r#"mediamanager_auth_logins_total{outcome="succeeded",method="password"} 1"#,
        r#"mediamanager_auth_logins_total{outcome="failed",method="password"} 1"#,
        r#"mediamanager_auth_events_total{event="logged_in"} 1"#,
        r#"mediamanager_auth_session_checks_total{outcome="invalid"} 1"#,
        "mediamanager_auth_password_hash_queue_length 0",
        "mediamanager_auth_hash_wait_seconds_count 2",
        "mediamanager_auth_mail_queue 0",
        r#"mediamanager_auth_http_request_seconds_count{method="POST",route="/api/v1/auth/cookie/login",status="204"} 1"#,
        r#"mediamanager_auth_http_request_seconds_count{method="GET",route="none",status="404"} 1"#,
        r#"mediamanager_auth_http_request_seconds_count{method="other",route="#,
    ] {
        assert!(numbers.contains(line), "{line}\n{numbers}");
    }
    assert!(
        !numbers.contains("ada@") && !numbers.contains("nobody/knows"),
        "nobody's name, and no path that a stranger made up"
    );
    assert!(
        serving.get("/metrics", "").starts_with("HTTP/1.1 404"),
        "not for visitors"
    );
    assert_eq!(serving.stop().0, Some(0));
}

#[test]
fn metrics_without_a_free_port_stop_the_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let home = Home::with(&format!(
        "[server]\nmetrics_address = '{}'\nport = 0",
        taken.local_addr().unwrap()
    ));
    let refused = home.command().output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && said.contains("change server.metrics_address"),
        "{said}"
    );
}

fn numbers(serving: &Serving) -> String {
    let address = serving
        .greeting
        .split("Prometheus at http://")
        .nth(1)
        .unwrap()
        .split('/')
        .next()
        .unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer
}
