//! A provider that is away, wrong, or out to harm whoever asks it (SR-080 to SR-085).

use axum::{
    http::{Method, StatusCode, header},
    response::IntoResponse,
};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use crate::support::{
    Account, App, Household, PASSWORD, Page, TestProvider, app_with_provider, keys, log::Log,
    provider::MOVED,
};

fn ada() -> Account {
    Account::confirmed("ada@example.org")
}

/// The button says why it cannot be used, pressing it leads to a page that says so too, and
/// passwords work all the same.
async fn is_unusable(app: &App, code: &str) -> Page {
    let mut browser = app.browser();
    let answer = browser
        .call(Method::GET, "/login/oidc?return_to=%2Faccount%3Fx", &[], "")
        .await;
    assert_eq!(
        answer.location().as_deref(),
        Some("/login/provider?return_to=%2Faccount%3Fx"),
        "{}",
        answer.body
    );
    let page = browser
        .get("/login/provider?return_to=%2Faccount%3Fx")
        .await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        page.text(".reference")
            .unwrap()
            .ends_with(&format!("({code})")),
        "{:?}",
        page.text(".reference")
    );
    assert_eq!(
        page.attribute("a.button", "href").as_deref(),
        Some("/login/oidc?return_to=%2Faccount%3Fx")
    );
    let login = browser.get("/login").await;
    assert_eq!(
        login.attribute("a.button", "aria-disabled").as_deref(),
        Some("true")
    );
    assert_eq!(login.attribute("a.button", "href"), None);
    assert!(login.text("#provider-trouble").is_some());
    let json = browser
        .call(Method::GET, "/api/v1/auth/oauth/authorize", &[], "")
        .await;
    assert_eq!(
        (json.status, json.json()["detail"].as_str()),
        (
            StatusCode::SERVICE_UNAVAILABLE,
            Some(code.to_uppercase().as_str())
        )
    );
    app.member("somebody@example.org").await;
    assert_eq!(
        browser.log_in("somebody@example.org", PASSWORD).await.path,
        "/account",
        "passwords work all the same"
    );
    page
}

async fn metadata_is_refused(code: &str, wrong: impl FnOnce(&TestProvider)) -> String {
    let log = Log::begin();
    let home = Household::new().await;
    wrong(&home.provider);
    is_unusable(&home.app, code).await;
    home.provider.is_good_again();
    home.app.pass(60);
    home.provider.twist("claims", |claims| {
        claims["iat"] = (claims["iat"].as_i64().unwrap() + 60).into()
    });
    // What the program does every second by itself.
    home.app
        .state
        .providers
        .first()
        .unwrap()
        .refresh_if_stale()
        .await;
    assert_eq!(
        home.come_back(&ada()).await.status,
        StatusCode::SEE_OTHER,
        "it comes back by itself"
    );
    log.text()
}

macro_rules! each_unusable {
    ($($name:ident: $code:literal, |$provider:ident| $wrong:expr;)*) => {
        $(#[tokio::test]
        async fn $name() {
            metadata_is_refused($code, |$provider| $wrong).await;
        })*
    };
}

fn set(provider: &TestProvider, name: &'static str, value: Value) {
    provider.twist("metadata", move |metadata| metadata[name] = value.clone());
}

each_unusable! {
    // Config RP: rp-discovery-issuer-not-matching-config
    metadata_of_another_issuer: "provider_misconfigured", |p| set(p, "issuer", json!("https://evil.example"));
    metadata_without_an_issuer: "provider_misconfigured", |p| set(p, "issuer", json!(null));
    metadata_without_a_token_endpoint: "provider_misconfigured", |p| set(p, "token_endpoint", json!(null));
    metadata_without_keys: "provider_misconfigured", |p| set(p, "jwks_uri", json!(7));
    an_endpoint_on_a_public_host_without_encryption: "provider_misconfigured", |p| set(p, "token_endpoint", json!("http://evil.example/token"));
    an_endpoint_that_is_no_web_address: "provider_misconfigured", |p| set(p, "authorization_endpoint", json!("javascript:alert(1)"));
    an_endpoint_with_credentials: "provider_misconfigured", |p| set(p, "userinfo_endpoint", json!("http://a:b@127.0.0.1/"));
    only_algorithms_that_share_a_secret: "provider_misconfigured", |p| set(p, "id_token_signing_alg_values_supported", json!(["HS256", "none"]));
    metadata_with_a_member_twice: "provider_misconfigured", |p| p.replace("/.well-known/openid-configuration", || "{\"issuer\":\"a\",\"issuer\":\"b\"}".into_response());
    metadata_that_is_a_login_page: "provider_misconfigured", |p| p.replace("/.well-known/openid-configuration", || axum::response::Html("<h1>Log in</h1>").into_response());
    metadata_that_is_missing: "provider_unreachable", |p| p.replace("/.well-known/openid-configuration", || StatusCode::NOT_FOUND.into_response());
    metadata_without_end: "provider_unreachable", |p| p.replace("/.well-known/openid-configuration", || " ".repeat(1024 * 1024 + 1).into_response());
    metadata_that_is_compressed: "provider_unreachable", |p| p.replace("/.well-known/openid-configuration", || ([(header::CONTENT_ENCODING, "gzip")], "x").into_response());
    keys_that_are_broken: "provider_unreachable", |p| p.replace("/jwks", || "{}".into_response());
    algorithms_that_are_not_announced: "provider_misconfigured", |p| set(p, "id_token_signing_alg_values_supported", json!(null));
    keys_without_end: "provider_unreachable", |p| p.replace("/jwks", || format!("{{\"keys\":[]{}}}", " ".repeat(1024 * 1024)).into_response());
    keys_that_are_away: "provider_unreachable", |p| p.replace("/jwks", || StatusCode::BAD_GATEWAY.into_response());
}

#[tokio::test]
async fn metadata_and_keys_that_are_elsewhere_are_not_followed() {
    for path in ["/.well-known/openid-configuration", "/jwks"] {
        for status in [StatusCode::FOUND, StatusCode::PERMANENT_REDIRECT] {
            let home = Household::new().await;
            home.provider.knobs().moved = Some((path, status));
            is_unusable(&home.app, "provider_unreachable").await;
            assert_eq!(
                (
                    home.provider.times(path),
                    home.provider.times(&format!("{MOVED}{path}"))
                ),
                (1, 0),
                "{path} {status}"
            );
        }
    }
}

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
async fn an_issuer_that_changes_while_we_run_is_no_longer_used() {
    let home = Household::new().await;
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
    set(&home.provider, "issuer", json!("https://evil.example"));
    home.app.pass(61);
    home.app
        .state
        .providers
        .first()
        .unwrap()
        .refresh_if_stale()
        .await;
    is_unusable(&home.app, "provider_misconfigured").await;
    // With a slash it still belongs to the address, and what was signed for the old name does not
    // count.
    set(
        &home.provider,
        "issuer",
        json!(format!("{}/", home.provider.origin())),
    );
    home.app.pass(60);
    home.provider.twist("claims", |claims| {
        claims["iat"] = (claims["iat"].as_i64().unwrap() + 121).into()
    });
    home.app
        .state
        .providers
        .first()
        .unwrap()
        .refresh_if_stale()
        .await;
    assert!(
        home.come_back(&ada())
            .await
            .text(".reference")
            .unwrap()
            .contains("invalid_token")
    );
}

#[tokio::test]
async fn the_log_says_both_issuers_and_the_setting() {
    let log = metadata_is_refused("provider_misconfigured", |p| {
        set(p, "issuer", json!("https://login.example.org/"))
    })
    .await;
    assert!(
        log.contains("https://login.example.org/.well-known/openid-configuration")
            && log.contains("http://127.0.0.1:")
            && log.contains("configuration_endpoint"),
        "{log}"
    );
    let log = metadata_is_refused("provider_misconfigured", |p| {
        set(p, "id_token_signing_alg_values_supported", json!(["HS256"]))
    })
    .await;
    assert!(log.contains("choose an asymmetric signing key"), "{log}");
    let log = metadata_is_refused("provider_misconfigured", |p| {
        set(p, "id_token_signing_alg_values_supported", json!(null))
    })
    .await;
    assert!(
        log.contains("the discovery document has no id_token_signing_alg_values_supported"),
        "{log}"
    );
}

#[tokio::test]
async fn an_issuer_with_a_slash_is_used_as_it_is_published() {
    let home = Household::new().await;
    let with_slash = format!("{}/", home.provider.origin());
    set(&home.provider, "issuer", json!(with_slash));
    assert!(
        home.come_back(&ada())
            .await
            .text(".reference")
            .unwrap()
            .contains("invalid_token"),
        "the token has none"
    );
    home.provider.twist("claims", move |claims| {
        claims["iss"] = with_slash.clone().into()
    });
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_provider_that_is_away_at_the_start_is_no_reason_not_to_start() {
    let provider = TestProvider::start().await;
    // A port where nobody listens.
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

/// A household whose provider has a certificate authority of its own, which the program knows or
/// not.
async fn private(knows_authority: bool) -> (Household, tempfile::NamedTempFile) {
    let (provider, authority) = TestProvider::start_with_https().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), authority).unwrap();
    let trust = if knows_authority {
        format!(
            "policy.openid_connect.ca_file = '{}'\n",
            file.path().display()
        )
    } else {
        String::new()
    };
    let app = App::with(&format!("{trust}{}", provider.settings())).await;
    (Household { app, provider }, file)
}

#[tokio::test]
async fn a_private_certificate_authority_is_trusted_when_it_is_configured() {
    let (home, _file) = private(true).await;
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let log = Log::begin();
    let (home, _file) = private(false).await;
    is_unusable(&home.app, "provider_unreachable").await;
    assert_eq!(home.provider.asked(), Vec::<String>::new());
    assert!(
        log.text().contains("certificate") && log.text().contains("ca_file"),
        "{}",
        log.text()
    );
}

#[tokio::test]
async fn an_encrypted_provider_cannot_lead_us_to_plain_endpoints() {
    for endpoint in [
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "authorization_endpoint",
    ] {
        let (home, _file) = private(true).await;
        set(&home.provider, endpoint, json!("http://127.0.0.1:1/"));
        is_unusable(&home.app, "provider_misconfigured").await;
    }
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
                "SELECT count(*) FROM auth_rate_limit WHERE failures > 0 AND key NOT LIKE 'event:%'"
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
    // The program notices by itself, so nobody's visit is what tells it.
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
    // Somebody who comes back finds out sooner.
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
async fn rotated_keys_are_looked_up_once_and_strangers_cannot_make_us_look_again() {
    let home = Household::new().await;
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
    assert_eq!(home.provider.times("/jwks"), 1);
    let rotate = || {
        home.provider.twist("jwks", |jwks| {
            *jwks = json!({ "keys": [keys::jwk("rsa", &json!({ "kid": "of today" }))] })
        });
        home.provider
            .twist("header", |header| header["kid"] = "of today".into());
    };
    // OpenID Foundation, Config RP: rp-key-rotation-op-sign-key,
    // rp-key-rotation-op-sign-key-native. While somebody is on the way, at the worst moment.
    let mut browser = home.app.browser();
    let back = home
        .provider
        .answer(&app_with_provider::set_out(&mut browser).await, &ada());
    rotate();
    assert_eq!(
        app_with_provider::call_back(&mut browser, &back)
            .await
            .status,
        StatusCode::SEE_OTHER,
        "the new key is found"
    );
    assert_eq!(home.provider.times("/jwks"), 2);
    home.provider
        .twist("header", |header| header["kid"] = "invented".into());
    for _ in 0..5 {
        assert!(
            home.come_back(&ada())
                .await
                .text(".reference")
                .unwrap()
                .contains("invalid_token")
        );
    }
    assert_eq!(home.provider.times("/jwks"), 2, "not within the cool-down");
    home.app.pass(30);
    home.provider.twist("claims", |claims| {
        claims["iat"] = (claims["iat"].as_i64().unwrap() + 30).into()
    });
    home.come_back(&ada()).await;
    assert_eq!(home.provider.times("/jwks"), 3);
    rotate();
    assert_eq!(
        home.come_back(&ada()).await.status,
        StatusCode::SEE_OTHER,
        "known keys go on working"
    );
}

#[tokio::test]
async fn rotated_keys_are_looked_up_also_after_the_clock_was_set_back() {
    let home = Household::new().await;
    let publish = |kid: &'static str| {
        home.provider.twist("jwks", move |jwks| {
            *jwks = json!({ "keys": [keys::jwk("rsa", &json!({ "kid": kid }))] })
        });
        home.provider
            .twist("header", move |header| header["kid"] = kid.into());
    };
    publish("of yesterday");
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
    publish("of today");
    assert_eq!(
        home.come_back(&ada()).await.status,
        StatusCode::SEE_OTHER,
        "looked up for its name"
    );
    home.app.pass(-3600);
    home.provider.twist("claims", |claims| {
        for name in ["iat", "exp"] {
            claims[name] = (claims[name].as_i64().unwrap() - 3600).into();
        }
    });
    assert_eq!(
        home.come_back(&ada()).await.status,
        StatusCode::SEE_OTHER,
        "everything is read anew"
    );
    publish("of tomorrow");
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn known_keys_go_on_working_while_the_keys_cannot_be_read() {
    let home = Household::new().await;
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
    home.provider
        .replace("/jwks", || StatusCode::BAD_GATEWAY.into_response());
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
    // Also when the metadata is read anew.
    home.app.pass(61);
    home.provider.twist("claims", |claims| {
        claims["iat"] = (claims["iat"].as_i64().unwrap() + 61).into()
    });
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
    home.provider
        .twist("header", |header| header["kid"] = "of today".into());
    assert!(
        home.come_back(&ada())
            .await
            .text(".reference")
            .unwrap()
            .contains("invalid_token")
    );
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
