//! The minimal programs that `make bench` compares the server with.
//!
//! `bare serve PORT FILE` answers every request with the recorded HTTP response in FILE; `bare page
//! PORT` renders a Leptos page of one form; `bare argon2 THREADS SECONDS` verifies passwords and
//! prints the number per second, with the fastest library of the registry.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a script reads the output of this terminal program"
)]

use std::{
    fs,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use argon2_rust::{Algorithm, Argon2, Params, Version, params::Memory};
use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue},
    response::Html,
    routing::get,
};
use leptos::prelude::*;
use mediamanager_auth::server::crypto::password_hasher::Argon2Params;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["serve", port, file] => read_response(file).and_then(|response| {
            serve(
                port,
                Router::new().fallback(move || async move { response }),
            )
        }),
        ["page", port] => serve(
            port,
            Router::new().fallback(get(|| async { Html(view! { <Page/> }.to_html()) })),
        ),
        ["argon2", threads, seconds] => verify_passwords(threads, seconds),
        _ => Err("usage: bare serve PORT FILE | page PORT | argon2 THREADS SECONDS".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(port: &str, router: Router) -> Outcome {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
            Ok(axum::serve(listener, router).await?)
        })
}

/// Reads the headers and the body of a recorded HTTP response.
fn read_response(file: &str) -> Result<(HeaderMap, Bytes), Box<dyn std::error::Error>> {
    let recorded = fs::read_to_string(file)?;
    let (head, body) = recorded
        .split_once("\r\n\r\n")
        .ok_or("no end of the header")?;
    let mut headers = HeaderMap::new();
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(": ").ok_or("no header field")?;
        // The HTTP library adds these two, as in the server.
        if !["date", "content-length"].contains(&name) {
            headers.append(HeaderName::try_from(name)?, HeaderValue::from_str(value)?);
        }
    }
    Ok((headers, Bytes::from(body.to_owned())))
}

#[component]
fn Page() -> impl IntoView {
    view! {
        <html lang="en">
            <head><meta charset="utf-8"/><title>"Log in"</title></head>
            <body>
                <main>
                    <h1>"Log in"</h1>
                    <form method="post" action="/login">
                        <label for="email">"E-mail"</label>
                        <input id="email" name="email" type="email" autocomplete="username" required/>
                        <label for="password">"Password"</label>
                        <input id="password" name="password" type="password" autocomplete="current-password" required/>
                        <button>"Log in"</button>
                    </form>
                </main>
            </body>
        </html>
    }
}

fn verify_passwords(threads: &str, seconds: &str) -> Outcome {
    let (threads, seconds): (usize, u64) = (threads.parse()?, seconds.parse()?);
    let cost = Argon2Params::STANDARD;
    let params = Params::builder()
        .memory(Memory::kib(cost.memory_kib.into()))
        .passes(cost.passes)
        .lanes(cost.lanes)
        .threads(1)
        .build()?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let (password, salt) = (b"violet kettle harbour 9", b"sixteen bytes of");
    let stored = argon2.hash(password, salt)?;
    let started = Instant::now();
    let deadline = started + Duration::from_secs(seconds);
    let count = || {
        let mut hasher = argon2.hasher();
        let mut done = 0_u32;
        while Instant::now() < deadline {
            done += u32::from(hasher.verify(password, salt, &stored).is_ok());
        }
        done
    };
    let done: u32 = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(count)).collect();
        running
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .sum()
    });
    println!("{:.2}", f64::from(done) / started.elapsed().as_secs_f64());
    Ok(())
}
