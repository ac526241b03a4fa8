//! Measures single functions, each beside the minimal implementation of the same work (`bare`).
//! Part of `make bench`.
#![expect(clippy::unwrap_used, reason = "a failed setup ends the benchmark")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use argon2_rust::{Algorithm, Argon2, Params, Version, params::Memory};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, HeaderValue, Request, header::COOKIE},
    response::Html,
    routing::get,
};
use cookie::Cookie;
use criterion::{Criterion, criterion_group, criterion_main};
use jsonwebtoken::{DecodingKey, Validation, decode};
use leptos::prelude::*;
use mediamanager_auth::{
    domain::{Email, Password, ReturnTo},
    server::{
        AppState,
        clock::Clock,
        config::{self, Config, Sources},
        crypto::{
            password_hasher::{Argon2Params, Hasher},
            password_policy::NewPassword,
            tokens::Tokens,
        },
        web::{cookies, router::router},
    },
};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt;
use url::Url;
use uuid::Uuid;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const PASSWORD: &str = "violet kettle harbour 9";

criterion_group!(
    functions,
    session_token,
    session_cookie,
    email,
    return_to,
    password,
    password_strength,
    login_page
);
criterion_main!(functions);

/// `bare` is the library with validation rules that are built once.
fn session_token(criterion: &mut Criterion) {
    let tokens = Tokens::new(SECRET, Clock::System).unwrap();
    let (token, _) = tokens
        .sign_session(Uuid::max(), Uuid::max(), 86_400)
        .unwrap();
    let key = DecodingKey::from_secret(SECRET.as_bytes());
    let mut rules = Validation::default();
    rules.set_audience(&["fastapi-users:auth"]);
    let mut group = criterion.benchmark_group("session token");
    group.bench_function("ours", |bencher| {
        bencher.iter(|| tokens.check_session(black_box(&token)).unwrap())
    });
    group.bench_function("bare", |bencher| {
        bencher.iter(|| decode::<serde_json::Value>(black_box(&token), &key, &rules).unwrap())
    });
}

/// Reads the second of three cookies. `bare` is the library's splitting alone.
fn session_cookie(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let config = configuration(&directory);
    let line = format!(
        "theme=dark; {}={}; language=en",
        config.policy.cookie_name,
        "x".repeat(280)
    );
    let mut headers = HeaderMap::new();
    headers.insert(COOKIE, HeaderValue::from_str(&line).unwrap());
    let mut group = criterion.benchmark_group("session cookie");
    group.bench_function("ours", |bencher| {
        bencher.iter(|| cookies::presented_token(&config, black_box(&headers)).unwrap())
    });
    group.bench_function("bare", |bencher| {
        bencher.iter(|| {
            Cookie::split_parse(black_box(line.as_str()))
                .flatten()
                .count()
        })
    });
}

/// `bare` is trimming and lower-casing alone.
fn email(criterion: &mut Criterion) {
    let typed = " Ada.Lovelace+Films@Mail.Example.ORG ";
    let mut group = criterion.benchmark_group("e-mail address");
    group.bench_function("ours", |bencher| {
        bencher.iter(|| Email::parse(black_box(typed)).unwrap())
    });
    group.bench_function("bare", |bencher| {
        bencher.iter(|| black_box(typed).trim().to_ascii_lowercase())
    });
}

/// `bare` resolves the target like a browser.
fn return_to(criterion: &mut Criterion) {
    let target = "/web/dashboard/f%C3%BCr-alle?query=a%2Fb&page=2#results";
    let site = Url::parse("https://media.example.org/login").unwrap();
    let mut group = criterion.benchmark_group("return_to");
    group.bench_function("ours", |bencher| {
        bencher.iter(|| ReturnTo::parse(black_box(target)).unwrap())
    });
    group.bench_function("bare", |bencher| {
        bencher.iter(|| site.join(black_box(target)).unwrap())
    });
}

/// Verifies one Argon2id hash. `bare` is the fastest library of the registry, in memory of its own,
/// without the queue and the blocking pool.
fn password(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let cost = Argon2Params::STANDARD;
    let hasher = Hasher::new(cost, 1).unwrap();
    let params = Params::builder()
        .memory(Memory::kib(cost.memory_kib.into()))
        .passes(cost.passes)
        .lanes(cost.lanes)
        .threads(1)
        .build()
        .unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let salt = b"sixteen bytes of";
    let stored = argon2.hash_encoded(PASSWORD.as_bytes(), salt).unwrap();
    let tag = argon2.hash(PASSWORD.as_bytes(), salt).unwrap();
    let mut bare = argon2.hasher();
    let mut group = criterion.benchmark_group("password");
    group.sample_size(20);
    group.bench_function("ours", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                hasher
                    .verify(
                        hasher.acquire_slot("home").await.unwrap(),
                        Password::parse(PASSWORD.to_owned()).unwrap(),
                        Some(stored.clone()),
                    )
                    .await
                    .unwrap()
            })
        });
    });
    group.bench_function("bare", |bencher| {
        bencher.iter(|| {
            bare.verify(black_box(PASSWORD.as_bytes()), salt, &tag)
                .unwrap()
        });
    });
}

/// Estimates new passwords of 256 characters, the worst of which consists of all the characters that
/// zxcvbn reads as letters. Afterwards session checks run beside a flood of the worst, and
/// their 99th percentile must stay below 20 ms.
fn password_strength(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let config = configuration(&directory);
    let texts = [
        ("worst", "4@8({[<369!1|0$5+7%2".repeat(13)[..256].to_owned()),
        ("digits", "1357924680".repeat(26)[..256].to_owned()),
        ("one letter", "a".repeat(256)),
        (
            "words",
            "violet kettle harbour ".repeat(12)[..256].to_owned(),
        ),
    ];
    let parse = |text: &str| {
        NewPassword::parse(Password::new(text.to_owned()), "ada@example.org", &config).unwrap()
    };
    let mut group = criterion.benchmark_group("password strength");
    group.sample_size(20);
    for (name, text) in &texts {
        let password = parse(text);
        group.bench_function(*name, |bencher| {
            bencher.iter(|| black_box(&password).check_strength())
        });
    }
    group.finish();

    let hasher = Hasher::new(Argon2Params::STANDARD, 2).unwrap();
    let tokens = Tokens::new(SECRET, Clock::System).unwrap();
    let (token, _) = tokens
        .sign_session(Uuid::max(), Uuid::max(), 86_400)
        .unwrap();
    let worst = parse(&texts[0].1);
    let p99 = runtime.block_on(async {
        let load: Vec<_> = (0..8)
            .map(|n| {
                let (hasher, worst) = (hasher.clone(), worst.clone());
                tokio::spawn(async move {
                    let network = format!("198.51.100.{n}");
                    loop {
                        let slot = hasher.acquire_slot(&network).await.unwrap();
                        let _ = hasher.hash(slot, worst.clone()).await;
                    }
                })
            })
            .collect();
        let mut waits = Vec::new();
        for _ in 0..1000 {
            // Spread over seconds, so that the samples meet many estimates.
            tokio::time::sleep(Duration::from_millis(3)).await;
            let since = Instant::now();
            let (tokens, token) = (tokens.clone(), token.clone());
            let check = tokio::spawn(async move { tokens.check_session(&token).is_ok() });
            assert!(check.await.unwrap());
            waits.push(since.elapsed());
        }
        load.iter().for_each(tokio::task::JoinHandle::abort);
        waits.sort();
        waits[989]
    });
    assert!(
        p99 < Duration::from_millis(20),
        "estimates hold up the threads that answer requests: {p99:?}"
    );
}

/// `GET /login` through the whole router. `bare` is a page of one form through an empty router.
fn login_page(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let state = runtime
        .block_on(AppState::new(
            configuration(&directory),
            Argon2Params::STANDARD,
            Clock::System,
        ))
        .unwrap();
    let ours = router(state);
    let bare = Router::new().route(
        "/login",
        get(|| async { Html(view! { <Page/> }.to_html()) }),
    );
    let mut group = criterion.benchmark_group("GET /login");
    for (name, router) in [("ours", ours), ("bare", bare)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| runtime.block_on(get_login(router.clone())))
        });
    }
}

async fn get_login(router: Router) -> usize {
    let request = Request::get("/login")
        .header("host", "localhost:8000")
        .body(Body::empty())
        .unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert!(response.status().is_success(), "{}", response.status());
    to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap()
        .len()
}

#[component]
fn Page() -> impl IntoView {
    view! {
        <html lang="en">
            <head><title>"Log in"</title></head>
            <body>
                <form method="post" action="/login">
                    <label for="email">"E-mail"</label>
                    <input id="email" name="email" type="email" required/>
                    <label for="password">"Password"</label>
                    <input id="password" name="password" type="password" required/>
                    <button>"Log in"</button>
                </form>
            </body>
        </html>
    }
}

/// The default configuration, with a database in `directory`.
fn configuration(directory: &TempDir) -> Config {
    let file = directory.path().join("config.toml");
    std::fs::write(&file, "").unwrap();
    let database = format!("sqlite://{}", directory.path().join("auth.db").display());
    let environment = [
        ("AUTH__TOKEN_SECRET", SECRET),
        ("AUTH__ADMIN_EMAILS", "[]"),
        ("SERVER__DATABASE_URL", &database),
    ];
    let environment = environment
        .map(|(name, value)| (format!("MEDIAMANAGER_{name}"), value.to_owned()))
        .to_vec();
    config::load(&Sources {
        config_file: Some(file),
        environment,
    })
    .unwrap()
}
