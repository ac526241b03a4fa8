//! Shutdown during a login (SR-192).

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use super::{ADA, AT_LAST, killed};
use crate::{process::Serving, support::PASSWORD};

/// How long the test waits to see that nothing happens.
const SILENCE: Duration = Duration::from_millis(200);

/// A login request whose body is not complete yet.
fn begun_login(serving: &Serving) -> (BufReader<TcpStream>, String) {
    let form = format!(
        "username={}&password={}",
        ADA.replace('@', "%40"),
        PASSWORD.replace(' ', "+")
    );
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", serving.port)).unwrap());
    let kind = "Content-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue";
    let length = form.len();
    write!(stream.get_mut(), "POST /api/v1/auth/cookie/login HTTP/1.1\r\nHost: localhost\r\n{kind}\r\nContent-Length: {length}\r\n\r\n").unwrap();
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n");
    (stream, form)
}

/// A readiness probe of a load balancer, which has a short timeout.
fn is_ready(serving: &Serving) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", serving.port)) else {
        return false;
    };
    stream.set_read_timeout(Some(SILENCE)).unwrap();
    let mut answer = Vec::new();
    let _ =
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let _ = stream.read_to_end(&mut answer);
    answer.starts_with(b"HTTP/1.1 200")
}

#[tokio::test]
async fn whoever_is_logging_in_is_let_in_before_the_program_ends() {
    let (home, _database) = killed::home().await;
    home.create_user(&[ADA], PASSWORD);
    let serving = Serving::start(&home, "Listening");
    let (mut stream, form) = begun_login(&serving);
    assert!(is_ready(&serving));
    serving.ask_to_stop();
    let begun = Instant::now();
    while is_ready(&serving) {
        assert!(begun.elapsed() < AT_LAST, "it goes on taking new ones");
    }
    stream.get_mut().write_all(form.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.contains("HTTP/1.1 204") && answer.contains("set-cookie: fastapiusersauth="),
        "{answer}"
    );
    let (code, log) = serving.end();
    assert_eq!(code, Some(0), "{log}");
}

#[tokio::test]
async fn whoever_never_finishes_holds_up_the_end_for_ten_seconds() {
    let (home, _database) = killed::home().await;
    let serving = Serving::start(&home, "Listening");
    let (_stream, _form) = begun_login(&serving);
    let begun = Instant::now();
    serving.ask_to_stop();
    let (code, log) = serving.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(
        (10..13).contains(&begun.elapsed().as_secs()),
        "took {:?}",
        begun.elapsed()
    );
}
