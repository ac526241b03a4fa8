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
        flows::{
            Ctx,
            cleanup::{self, ClockGuard},
            default_password, mail, setup,
        },
        oidc::Provider,
        telemetry::{log, metrics},
        web::{assets::Site, middleware::request_limits, router::router},
    },
    text::en::error_message,
};

/// How long running requests may take to finish during shutdown (SR-192).
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the background jobs, and then the database, have at least to finish during shutdown.
const MIN_SHUTDOWN_TIME: Duration = Duration::from_secs(2);
/// How often expired rows are deleted.
const CLEANUP_INTERVAL: Duration = Duration::from_secs(10 * 60);
/// How often the program checks whether the provider's metadata is stale.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How often a failure to accept connections is logged. The server retries many times a second.
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
    let listen_error = |err: std::io::Error| {
        format!(
            "cannot listen on {address}: {err}; change server.host or server.port, or stop what uses it"
        )
    };
    let listener = open_listener(address).map_err(listen_error)?;
    listener.set_nonblocking(true).map_err(listen_error)?;
    // Every accepted connection inherits the option. The kernel then closes a connection whose
    // client does not read its response.
    #[cfg(target_os = "linux")]
    SockRef::from(&listener)
        .set_tcp_user_timeout(Some(request_limits::TCP_USER_TIMEOUT))
        .map_err(listen_error)?;
    let address = listener.local_addr().map_err(listen_error)?;

    let handle = Handle::new();
    // The handlers are installed before the program reports that it listens, because it may be
    // stopped right afterwards.
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
    let cleanup_state = state.clone();
    let cleanup = spawn_supervised(move || run_cleanup(cleanup_state.clone()));
    let mail_state = state.clone();
    let mail_worker = spawn_supervised(move || run_mail_worker(mail_state.clone()));
    for provider in state.providers.iter() {
        let (provider, stopping) = (provider.clone(), state.stopping.clone());
        spawn_supervised(move || run_provider_refresh(provider.clone(), stopping.clone()));
    }
    if let Some(address) = state.config.server.metrics_address {
        let address = metrics::serve(&state, address).await?;
        print(&format!(
            "Numbers for Prometheus at http://{address}/metrics"
        ));
    }
    print_startup_info(&state, address).await;
    // Not awaited, because it hashes once for each administrator, and logins are refused anyway.
    let default_password_state = state.clone();
    tokio::spawn(async move { default_password::warn_at_start(&default_password_state).await });

    let mut server = axum_server::from_tcp(listener)
        .map_err(listen_error)?
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
        .map_err(listen_error)?;
    // An interrupted mail would be sent twice, and a job could hold a connection while the database
    // closes. The deadline is within a service manager's timeout (SR-192).
    let deadline = stop
        .await
        .unwrap_or_else(|_| Instant::now())
        .max(Instant::now() + MIN_SHUTDOWN_TIME);
    let _ = timeout_at(deadline, async { tokio::join!(mail_worker, cleanup) }).await;
    if !matches!(
        timeout(
            MIN_SHUTDOWN_TIME,
            db::close(db, config.database_url.expose())
        )
        .await,
        Ok(Ok(()))
    ) {
        // No data is lost, because the next start recovers the write-ahead log.
        tracing::warn!(
            event = "database_close_failed",
            "the database could not be closed in order"
        );
    }
    Ok(())
}

/// Takes the socket of a service manager (systemd's `LISTEN_FDS`), or opens one.
fn open_listener(address: SocketAddr) -> io::Result<TcpListener> {
    match ListenFd::from_env().take_tcp_listener(0)? {
        Some(listener) => Ok(listener),
        None => TcpListener::bind(address),
    }
}

/// Logs that a connection cannot be accepted, at most once in [`LOG_INTERVAL`]. No other part of
/// the program notices such a connection.
fn log_accept_errors() -> impl Fn(Option<&SocketAddr>, &io::Error) + Send + Sync {
    let logged_at = Mutex::new(None::<Instant>);
    move |_, err| {
        let Ok(mut logged_at) = logged_at.lock() else {
            return;
        };
        if logged_at.is_none_or(|at| at.elapsed() >= LOG_INTERVAL) {
            *logged_at = Some(Instant::now());
            tracing::error!(event = "accept_failed", error = %err, "no connection can be accepted; raise the limit of open files, or look who holds them");
        }
    }
}

/// Prints the site's address, the redirect URI to register, and the setup link if there is no user.
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
        Err(error @ AuthError::UsersExistWithoutAdmin) => print(&error_message(error)),
        Err(error) => tracing::error!(
            event = "setup_link_failed",
            code = error.code(),
            "cannot tell whether the first administrator is set up"
        ),
    }
}

/// Waits for SIGTERM or SIGINT, then reports not ready, stops accepting connections and lets
/// running requests finish (SR-192). Returns the deadline of the requests.
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

/// Runs a job in the background and restarts it after a panic (SR-184).
fn spawn_supervised<F: Future<Output = ()> + Send + 'static>(
    job: impl Fn() -> F + Send + 'static,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        while tokio::spawn(job()).await.is_err() {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    })
}

/// An interval that moves later ticks after a slow round, so that missed ticks cause no burst.
fn ticker(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Sends queued mails when they are due.
async fn run_mail_worker(state: AppState) {
    if !mail::is_configured(&state) {
        return;
    }
    let mut ticks = ticker(mail::POLL_INTERVAL);
    loop {
        tokio::select! { _ = ticks.tick() => {}, () = state.stopping.cancelled() => return }
        // A database error was logged, and the next round tries again.
        let _ = mail::send_due(&state).await;
    }
}

/// Refreshes the provider's metadata, so that its button shows whether the provider is available
/// and recovers without a login attempt (SR-081).
async fn run_provider_refresh(provider: Provider, stopping: CancellationToken) {
    let mut ticks = ticker(POLL_INTERVAL);
    loop {
        tokio::select! { _ = ticks.tick() => {}, () = stopping.cancelled() => return }
        provider.refresh_if_stale().await;
    }
}

/// Deletes expired rows at intervals.
async fn run_cleanup(state: AppState) {
    let mut ticks = ticker(CLEANUP_INTERVAL);
    let (started_at, mut guard) = (Instant::now(), ClockGuard::default());
    loop {
        tokio::select! { _ = ticks.tick() => {}, () = state.stopping.cancelled() => return }
        state.hasher.release_unused_memory();
        let uptime = i64::try_from(started_at.elapsed().as_secs()).unwrap_or(i64::MAX);
        cleanup::run(&state, &mut guard, uptime).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_job_that_panics_starts_again_and_one_that_ends_does_not() {
        let rounds = Arc::new(AtomicU32::new(0));
        let counted = rounds.clone();
        let job = spawn_supervised(move || {
            let counted = counted.clone();
            async move {
                let round = counted.fetch_add(1, Ordering::Relaxed);
                assert!(round >= 3, "the job of a test panics");
            }
        });
        job.await.unwrap();
        assert_eq!(rounds.load(Ordering::Relaxed), 4);
    }
}
