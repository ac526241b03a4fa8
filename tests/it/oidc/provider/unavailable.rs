//! A provider that is unreachable, slow, or answers with errors.

use axum::{
    http::{Method, StatusCode, header},
    response::IntoResponse,
};
use tokio::time::{Duration, Instant};

use super::{ada, is_unusable};
use crate::support::{App, Household, PASSWORD, TestProvider, app_with_provider, log::Log};

#[tokio::test]
async fn keys_that_hang_are_given_up() {
    let home = Household::new().await;
    home.provider.knobs().hangs = Some("/jwks");
    let started = Instant::now();
    is_unusable(&home.app, "provider_unreachable").await;
    assert!(
        started.elapsed() < Duration::from_secs(12),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_provider_that_is_away_at_the_start_is_no_reason_not_to_start() {
    let provider = TestProvider::start().await;
    // A port without a listener.
    let settings = provider
        .settings()
        .replace(provider.origin(), "http://127.0.0.1:1");
    let app = App::with(&settings).await;
    let page = is_unusable(&app, "provider_unreachable").await;
    assert_eq!(
        page.text(".lead").as_deref(),
        Some("Über ID 100% is not reachable at the moment.")
    );
}

#[tokio::test]
async fn a_provider_that_never_answers_is_given_up_and_disturbs_nobody() {
    let home = Household::new().await;
    home.app.member("eve@example.org").await;
    let mut browser = home.app.browser();
    let back = home
        .provider
        .answer(&app_with_provider::set_out(&mut browser).await, &ada());
    home.provider.knobs().hangs = Some("/token");
    let waiting = app_with_provider::call_back(&mut browser, &back);
    let others = async {
        let started = Instant::now();
        let page = home.app.browser().log_in("eve@example.org", PASSWORD).await;
        assert_eq!(page.path, "/account");
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{:?}",
            started.elapsed()
        );
    };
    let started = Instant::now();
    let (page, ()) = futures_util::future::join(waiting, others).await;
    assert!(
        started.elapsed() < Duration::from_secs(11),
        "SR-084: {:?}",
        started.elapsed()
    );
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        page.text(".reference")
            .unwrap()
            .contains("provider_unreachable")
    );
    assert_eq!(
        home.app
            .count(
                "SELECT count(*) FROM auth_rate_limit WHERE failures > 0 AND key NOT LIKE 'event:%' AND key NOT LIKE 'login:%'"
            )
            .await,
        0,
        "and is nobody's failure"
    );
}

#[tokio::test]
async fn a_provider_that_hangs_when_somebody_sets_out_is_given_up_and_says_so() {
    let log = Log::begin();
    let home = Household::new().await;
    home.provider.knobs().hangs = Some("/.well-known/openid-configuration");
    let started = Instant::now();
    let answer = home
        .app
        .browser()
        .call(Method::GET, "/login/oidc", &[], "")
        .await;
    assert!(
        started.elapsed() < Duration::from_secs(11),
        "SR-084: {:?}",
        started.elapsed()
    );
    assert_eq!(answer.location().as_deref(), Some("/login/provider"));
    assert!(
        log.text().contains("provider_unreachable"),
        "{}",
        log.text()
    );
    is_unusable(&home.app, "provider_unreachable").await;
}

#[tokio::test]
async fn a_page_with_a_number_has_a_line_with_it_in_the_log() {
    let home = Household::new().await;
    home.app.member("ada@example.org").await;
    let mut ada = home.app.browser();
    ada.log_in("ada@example.org", PASSWORD).await;
    let page = ada.get("/account/connect").await;
    ada.submit(&page, "Go to Über ID 100%", &[]).await;
    home.provider
        .replace("/.well-known/openid-configuration", || {
            StatusCode::BAD_GATEWAY.into_response()
        });
    home.app.pass(61);
    // The refresh notices by itself, without any page view.
    home.app
        .state
        .providers
        .first()
        .unwrap()
        .refresh_if_stale()
        .await;
    let paths = [
        "/account/connect/start",
        "/login/provider",
        "/api/v1/auth/oauth/authorize",
        "/api/v1/auth/cookie/%C3%9Cber%20ID%20100%25/authorize",
    ];
    for path in paths {
        let log = Log::begin();
        let answer = ada.call(Method::GET, path, &[], "").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        let reference = answer.header("x-correlation-id").unwrap();
        let has_both = |line: &str| {
            line.contains(reference)
                && line.contains("\"provider_error\"")
                && line.contains("502 Bad Gateway")
        };
        assert_eq!(
            log.text().lines().filter(|line| has_both(line)).count(),
            1,
            "{path}: {}",
            log.text()
        );
    }
}

#[tokio::test]
async fn reloading_the_page_of_an_unreachable_provider_does_not_flood_the_log() {
    let home = Household::new().await;
    home.provider
        .replace("/.well-known/openid-configuration", || {
            StatusCode::BAD_GATEWAY.into_response()
        });
    let mut browser = home.app.browser();
    browser.call(Method::GET, "/login/oidc", &[], "").await;
    let log = Log::begin();
    for attempt in 0..100 {
        let page = browser.call(Method::GET, "/login/provider", &[], "").await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
        let request_id = page.header("x-correlation-id").unwrap();
        let is_logged = log
            .text()
            .lines()
            .any(|line| line.contains(request_id) && line.contains("\"provider_error\""));
        assert_eq!(
            page.text(".reference").is_some(),
            is_logged,
            "{attempt}: a reference that is shown is found"
        );
    }
    let lines = |text: &str| text.matches("\"provider_error\"").count();
    assert_eq!(lines(&log.text()), 20);
    home.app.pass(60);
    let page = browser.call(Method::GET, "/login/provider", &[], "").await;
    assert!(page.text(".reference").is_some());
}

#[tokio::test]
async fn a_provider_dying_while_we_run_greys_its_button() {
    let greyed = async |home: &Household| {
        home.app
            .browser()
            .get("/login")
            .await
            .attribute("a.button", "aria-disabled")
            .is_some()
    };
    let home = Household::new().await;
    let provider = home.app.state.providers.first().cloned().unwrap();
    let dies = || {
        for path in ["/.well-known/openid-configuration", "/token"] {
            home.provider
                .replace(path, || StatusCode::BAD_GATEWAY.into_response());
        }
    };
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
    dies();
    provider.refresh_if_stale().await;
    assert!(
        !greyed(&home).await,
        "what was read a moment ago is believed"
    );
    home.app.pass(61);
    provider.refresh_if_stale().await;
    assert!(greyed(&home).await, "a minute later it is asked");
    home.provider.is_good_again();
    home.app.pass(1);
    provider.refresh_if_stale().await;
    assert!(!greyed(&home).await);
    // A callback notices the error sooner.
    home.provider.twist("claims", |claims| {
        claims["iat"] = (claims["iat"].as_i64().unwrap() + 62).into()
    });
    let mut browser = home.app.browser();
    let back = home
        .provider
        .answer(&app_with_provider::set_out(&mut browser).await, &ada());
    dies();
    assert!(
        app_with_provider::call_back(&mut browser, &back)
            .await
            .text(".reference")
            .unwrap()
            .contains("provider_unreachable")
    );
    provider.refresh_if_stale().await;
    assert!(greyed(&home).await, "it is asked at once");
}

#[tokio::test]
async fn what_goes_wrong_at_an_endpoint_is_a_page_with_a_way_on() {
    let home = Household::new().await;
    for (path, status) in [
        ("/token", StatusCode::INTERNAL_SERVER_ERROR),
        ("/token", StatusCode::OK),
        ("/userinfo", StatusCode::FORBIDDEN),
    ] {
        home.provider.is_good_again();
        home.provider.twist("claims", |claims| {
            drop(claims.as_object_mut().unwrap().remove("email"))
        });
        home.provider.replace(path, move || {
            (
                status,
                [(header::LOCATION, "http://127.0.0.1:1/")],
                "<html>",
            )
                .into_response()
        });
        let page = home.come_back(&ada()).await;
        assert!(
            [502, 503].contains(&page.status.as_u16()),
            "{path} {status}: {}",
            page.status
        );
        assert!(
            page.attribute("a.button", "href")
                .unwrap()
                .starts_with("/login/oidc")
        );
    }
    assert_eq!(home.app.count("SELECT count(*) FROM \"user\"").await, 0);
}

#[tokio::test]
async fn many_visitors_ask_once_and_a_provider_that_is_away_is_not_hammered() {
    let home = Household::new().await;
    let discovery = "/.well-known/openid-configuration";
    let all = (0..20).map(|_| {
        let mut browser = home.app.browser();
        async move {
            browser
                .call(Method::GET, "/login/oidc", &[], "")
                .await
                .status
        }
    });
    assert!(
        futures_util::future::join_all(all)
            .await
            .iter()
            .all(|status| *status == StatusCode::FOUND)
    );
    assert_eq!(home.provider.times(discovery), 1);
    home.provider
        .replace(discovery, || StatusCode::BAD_GATEWAY.into_response());
    home.app.pass(301);
    let provider = home.app.state.providers.first().cloned().unwrap();
    let mut pauses = Vec::new();
    for _ in 0..200 {
        let before = home.provider.times(discovery);
        provider.refresh_if_stale().await;
        pauses.push(home.provider.times(discovery) - before);
        home.app.pass(1);
    }
    let tries: usize = pauses.iter().sum();
    assert!(
        (8..=12).contains(&tries),
        "1, 2, 4 … 60 seconds apart: {tries}"
    );
    home.provider.is_good_again();
    home.app.pass(60);
    provider.refresh_if_stale().await;
    assert!(provider.last_error().is_none(), "it comes back by itself");
}

#[tokio::test]
async fn a_provider_that_is_switched_off_is_never_asked() {
    let provider = TestProvider::start().await;
    let app = App::with(
        &provider
            .settings()
            .replace("enabled = true", "enabled = false"),
    )
    .await;
    for path in [
        "/login",
        "/login/oidc",
        "/login/provider",
        "/api/v1/auth/oauth/authorize",
        "/api/v1/auth/oauth/callback?code=x&state=y",
        "/api/v1/auth/metadata",
    ] {
        app.browser().call(Method::GET, path, &[], "").await;
    }
    assert_eq!(provider.asked(), Vec::<String>::new());
}
