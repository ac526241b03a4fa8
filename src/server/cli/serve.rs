use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Mutex,
    time::Duration,
};

use axum_server::Handle;
use listenfd::ListenFd;
use socket2::SockRef;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::JoinHandle,
    time::{Instant, Interval, MissedTickBehavior, interval, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::print;
use crate::{
    domain::AuthError,
    server::{
        AppState,
        clock::Clock,
        config::Config,
        crypto::password_hasher::Argon2Params,
        db,
        flows::{Ctx, events, mail, setup},
        oidc::Provider,
        telemetry::{log, metrics},
        web::{assets::Site, middleware::request_limits, router::router},
    },
    text::en::error_message,
};

/// How long running requests may take to finish after a stop was asked for (SR-192).
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long whatever comes after them may take at least.
const MIN_SHUTDOWN_TIME: Duration = Duration::from_secs(2);
/// How often what is over is forgotten.
const CLEANUP_INTERVAL: Duration = Duration::from_secs(10 * 60);
/// How often it is looked whether it is time to ask the provider again.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How often it is said that there is no room for another connection: it is tried many times a
/// second.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// `serve`: answers requests until SIGTERM or SIGINT.
pub(super) async fn run(config: Config, site: Site) -> Result<(), String> {
    log::start(config.server.log_format, &config.server.log_level);
    std::panic::set_hook(Box::new(
        |panic| tracing::error!(event = "panic", panic = ?panic.to_string(), "a fault of the program"),
    ));
    for warning in &config.warnings {
        tracing::warn!(event = "configuration_warning", "{warning}");
    }
    let address = SocketAddr::new(config.server.host, config.server.port);
    let state = AppState::new(config, Argon2Params::STANDARD, Clock::System)
        .await?
        .with_site(site);
    if state.assets.css.is_empty() {
        tracing::error!(
            event = "assets_missing",
            "the program was built without its site, so pages have no looks; `make build` builds both"
        );
    }
    let fault = |err: std::io::Error| {
        format!(
            "cannot listen on {address}: {err}; change server.host or server.port, or stop what uses it"
        )
    };
    let listener = listener(address).map_err(fault)?;
    listener.set_nonblocking(true).map_err(fault)?;
    // Every connection inherits it: whoever does not read their answer is let go by the kernel.
    #[cfg(target_os = "linux")]
    SockRef::from(&listener)
        .set_tcp_user_timeout(Some(request_limits::TCP_USER_TIMEOUT))
        .map_err(fault)?;
    let address = listener.local_addr().map_err(fault)?;

    let handle = Handle::new();
    // Listened for from here on: whoever is told that the program is ready may stop it the moment
    // after.
    let signals = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    );
    let (Ok(terminate), Ok(interrupt)) = signals else {
        return Err("cannot listen for the signals that ask to stop".to_owned());
    };
    let stop = tokio::spawn(stop_on_signal(
        terminate,
        interrupt,
        state.clone(),
        handle.clone(),
    ));
    let house = state.clone();
    let house = spawn_supervised(move || run_cleanup(house.clone()));
    let carrier = state.clone();
    let carrier = spawn_supervised(move || run_mail_worker(carrier.clone()));
    for provider in state.providers.iter().cloned() {
        let stopping = state.stopping.clone();
        spawn_supervised(move || run_provider_refresh(provider.clone(), stopping.clone()));
    }
    if let Some(wanted) = state.config.server.metrics_address {
        let address = metrics::serve(&state, wanted).await?;
        print(&format!(
            "Numbers for Prometheus at http://{address}/metrics"
        ));
    }
    print_startup_info(&state, address).await;

    let mut server = axum_server::from_tcp(listener)
        .map_err(fault)?
        .handle(handle)
        .accept_error_handler(log_accept_errors())
        .http1_only();
    server
        .http_builder()
        .http1()
        .max_buf_size(request_limits::MAX_HEADER_BYTES)
        .header_read_timeout(request_limits::HEADER_TIMEOUT);
    let (db, config) = (state.db.clone(), state.config.clone());
    server
        .serve(router(state).into_make_service_with_connect_info::<SocketAddr>())
        .await
        .map_err(fault)?;
    // A mail that is being handed over may finish, or it goes out twice; and nobody should hold the
    // database when it closes. All within the time that a service manager gives (SR-192).
    let deadline = stop
        .await
        .unwrap_or_else(|_| Instant::now())
        .max(Instant::now() + MIN_SHUTDOWN_TIME);
    let _ = timeout_at(deadline, async { tokio::join!(carrier, house) }).await;
    if !matches!(
        timeout(
            MIN_SHUTDOWN_TIME,
            db::close(db, config.database_url.expose())
        )
        .await,
        Ok(Ok(()))
    ) {
        // Nothing is lost: the next start finds everything in the write-ahead log.
        tracing::warn!(
            event = "database_close_failed",
            "the database could not be closed in order"
        );
    }
    Ok(())
}

/// The socket that a service manager has opened for us (systemd's `LISTEN_FDS`), or one of our own.
fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    match ListenFd::from_env().take_tcp_listener(0)? {
        Some(listener) => Ok(listener),
        None => TcpListener::bind(address),
    }
}

/// Says, now and then, that there is no room for another connection. Who waits in front of the door
/// is seen by nobody else.
fn log_accept_errors() -> impl Fn(Option<&SocketAddr>, &io::Error) + Send + Sync {
    let said = Mutex::new(None::<Instant>);
    move |_, err| {
        let Ok(mut said) = said.lock() else { return };
        if said.is_none_or(|at| at.elapsed() >= LOG_INTERVAL) {
            *said = Some(Instant::now());
            tracing::error!(event = "accept_failed", error = %err, "no connection can be accepted; raise the limit of open files, or look who holds them");
        }
    }
}

/// The last lines of the start: where to go, what to paste into the provider, and how to make the
/// first administrator.
async fn print_startup_info(state: &AppState, address: SocketAddr) {
    print(&format!(
        "Listening on http://{address}, for people at {}",
        state.config.link("/")
    ));
    for provider in &state.config.auth.providers {
        print(&format!(
            "Redirect URI to register at {}: {}",
            provider.name, provider.redirect_uri
        ));
    }
    match setup::setup_link(&Ctx::cli(state)).await {
        Ok(link) => print(&format!(
            "Nobody has an account yet. Set up the first administrator here, once:\n{link}"
        )),
        Err(AuthError::AlreadySetUp) => {}
        Err(overtaken @ AuthError::UsersExistWithoutAdmin) => print(&error_message(overtaken)),
        Err(error) => tracing::error!(
            event = "setup_link_failed",
            code = error.code(),
            "cannot tell whether the first administrator is set up"
        ),
    }
}

/// Readiness turns false, no new connections, running requests finish (SR-192). Returns until when.
async fn stop_on_signal(
    mut terminate: Signal,
    mut interrupt: Signal,
    state: AppState,
    handle: Handle<SocketAddr>,
) -> Instant {
    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    tracing::info!(event = "shutdown_started", "asked to stop");
    state.stopping.cancel();
    handle.graceful_shutdown(Some(SHUTDOWN_TIMEOUT));
    Instant::now() + SHUTDOWN_TIMEOUT
}

/// Runs a job in the background, and again should it panic (SR-184).
fn spawn_supervised<F: Future<Output = ()> + Send + 'static>(
    job: impl Fn() -> F + Send + 'static,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        while tokio::spawn(job()).await.is_err() {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    })
}

/// The rounds of a job. After one that has taken long there is one, and not all that were missed.
fn ticker(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Sends mail as it becomes due.
async fn run_mail_worker(state: AppState) {
    if !mail::is_configured(&state) {
        return;
    }
    let mut ticks = ticker(mail::POLL_INTERVAL);
    loop {
        tokio::select! { _ = ticks.tick() => {}, () = state.stopping.cancelled() => return }
        // A failure of the database has been logged, and the next round tries again.
        let _ = mail::send_due(&state).await;
    }
}

/// Keeps an eye on the provider, so that its button is honest and comes back by itself (SR-081).
async fn run_provider_refresh(provider: Provider, stopping: CancellationToken) {
    let mut ticks = ticker(POLL_INTERVAL);
    loop {
        tokio::select! { _ = ticks.tick() => {}, () = stopping.cancelled() => return }
        provider.refresh_if_stale().await;
    }
}

/// Forgets sessions and throttles that are long over, so that the tables stay small (SR-100,
/// SR-173).
async fn run_cleanup(state: AppState) {
    let mut ticks = ticker(CLEANUP_INTERVAL);
    loop {
        tokio::select! { _ = ticks.tick() => {}, () = state.stopping.cancelled() => return }
        let now = state.clock.now();
        // A failure has been logged, and the next round tries again.
        let _ = db::sessions::purge(&state.db, now).await;
        let _ = db::rate_limits::purge(&state.db, now).await;
        let _ = db::used_tokens::purge(&state.db, now).await;
        let _ = events::purge(&state).await;
    }
}
