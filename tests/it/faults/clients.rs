//! Clients that open connections and send nothing.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::process::{Home, Serving};

/// Longer than every timeout of the server.
const LONG: Duration = Duration::from_secs(60);

fn connect(serving: &Serving) -> TcpStream {
    TcpStream::connect(("127.0.0.1", serving.port)).unwrap()
}

#[test]
fn a_client_that_never_ends_its_header_fields_is_let_go() {
    let home = Home::standard();
    let serving = Serving::start(&home, "Listening");
    let mut slow = connect(&serving);
    slow.set_read_timeout(Some(LONG)).unwrap();
    slow.write_all(b"GET /login HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        .unwrap();
    let begun = Instant::now();
    let mut answer = Vec::new();
    // The connection is reset or closed, whichever comes first.
    let end = slow.read_to_end(&mut answer).map_err(|err| err.kind());
    assert!(
        matches!(end, Ok(_) | Err(ErrorKind::ConnectionReset)),
        "{end:?}"
    );
    assert!(
        !answer.starts_with(b"HTTP/1.1 200") && begun.elapsed() > Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
    serving.stop();
}

#[test]
fn a_client_that_reads_no_answer_is_let_go() {
    let home = Home::standard();
    let serving = Serving::start(&home, "Listening");
    let mut deaf = connect(&serving);
    deaf.set_write_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let begun = Instant::now();
    let refused = loop {
        match deaf.write(b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n") {
            Ok(_) => {}
            Err(err) if matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                assert!(begun.elapsed() < LONG, "still there")
            }
            Err(err) => break err.kind(),
        }
    };
    assert!(
        matches!(
            refused,
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted
        ),
        "{refused:?}"
    );
    serving.stop();
}

#[test]
fn a_program_without_room_for_another_connection_says_so_and_recovers() {
    let home = Home::standard();
    let mut command = home.run("sh");
    // `timeout` ends a hanging program with SIGTERM, after which the log is still complete.
    command.args([
        "-c",
        "ulimit -n 100; exec timeout 60 \"$0\"",
        env!("CARGO_BIN_EXE_mediamanager-auth"),
    ]);
    let mut serving = Serving::of(command, "Listening");
    let crowd: Vec<TcpStream> = (0..150).map(|_| connect(&serving)).collect();
    serving.await_log("accept_failed");
    drop(crowd);
    assert!(serving.get("/readyz", "").starts_with("HTTP/1.1 200"));
    let (code, log) = serving.stop();
    assert!(
        code == Some(0) && !log.contains("accept_failed"),
        "it is tried many times a second, and said once: {log}"
    );
}
