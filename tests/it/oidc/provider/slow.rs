//! A provider that answers slowly, or not at all (SR-083, SR-084). The limits are real seconds.

use axum::http::StatusCode;
use tokio::{
    net::{TcpSocket, TcpStream},
    time::{Duration, Instant},
};

use super::ada;
use crate::support::{App, Household, TestProvider, app_with_provider, log::Log};

/// The log of a login during which this path answers badly. Asserts that it ends in time with a
/// page.
async fn is_given_up(home: &Household) -> String {
    let log = Log::begin();
    let mut browser = home.app.browser();
    let away = app_with_provider::set_out(&mut browser).await;
    let back = home.provider.answer(&away, &ada());
    let started = Instant::now();
    let page = app_with_provider::call_back(&mut browser, &back).await;
    assert!(
        started.elapsed() < Duration::from_secs(12),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        home.app
            .count(
                "SELECT count(*) FROM auth_rate_limit WHERE failures > 0 AND key NOT LIKE 'event:%'"
            )
            .await,
        0,
        "and is nobody's failure"
    );
    log.text()
}

#[tokio::test]
async fn an_answer_that_drips_is_given_up_and_its_endpoint_named() {
    let home = Household::new().await;
    home.provider.knobs().drips = Some("/token");
    let log = is_given_up(&home).await;
    assert!(
        log.contains("the token endpoint") && log.contains("within 10 seconds"),
        "{log}"
    );
}

#[tokio::test]
async fn a_userinfo_that_hangs_after_a_quick_token_is_given_up_and_named() {
    let home = Household::new().await;
    home.provider.twist("claims", |claims| {
        drop(claims.as_object_mut().unwrap().remove("email"))
    });
    home.provider.knobs().hangs = Some("/userinfo");
    let log = is_given_up(&home).await;
    assert!(
        log.contains("the userinfo endpoint") && log.contains("within 10 seconds"),
        "{log}"
    );
    assert_eq!(home.provider.times("/token"), 1);
}

#[tokio::test]
async fn a_connection_that_nobody_accepts_is_given_up_after_five_seconds() {
    // The queue of this socket is full, so the kernel drops further connections.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await
    {
        queue.push(stream);
    }
    let settings = TestProvider::start().await;
    let origin = settings.origin().to_owned();
    let settings = settings
        .settings()
        .replace(&origin, &format!("http://{address}"));
    let app = App::with(&settings).await;
    let started = Instant::now();
    let provider = app.state.providers.first().unwrap();
    let failure = provider.current_metadata().await.unwrap_err();
    assert!(
        failure.reason.contains("no connection within 5 seconds"),
        "{failure:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(7));
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off_at_every_endpoint() {
    for path in ["/token", "/userinfo"] {
        let home = Household::new().await;
        home.provider.twist("claims", |claims| {
            drop(claims.as_object_mut().unwrap().remove("email"))
        });
        home.provider.replace(path, || {
            axum::response::IntoResponse::into_response(" ".repeat(1024 * 1024 + 1))
        });
        let log = Log::begin();
        let page = home.come_back(&ada()).await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(log.text().contains("larger than 1 MiB"), "{path}");
    }
}
