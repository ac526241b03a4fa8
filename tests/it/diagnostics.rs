//! The live look at everything that the program depends on.

use crate::support::{App, Household, PASSWORD, TestProvider, database::TestDatabase};
use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode},
    response::IntoResponse,
};
use mediamanager_auth::server::{
    db,
    diagnostics::{CheckResult, CheckStatus},
    flows::{diagnostics, users::Role},
    mailer::Mailer,
    web::middleware::client_ip,
};
use serde_json::json;

/// What is said of everything; whatever is not in order ends with what to change.
async fn look(app: &App) -> Vec<CheckResult> {
    let findings =
        diagnostics::run_checks(&app.state.config, &app.state.providers, &app.state.mailer).await;
    for finding in &findings {
        assert!(
            finding.status == CheckStatus::Ok || !finding.hint.is_empty(),
            "{finding}"
        );
    }
    findings
}

fn find<'a>(findings: &'a [CheckResult], what: &str) -> &'a CheckResult {
    findings
        .iter()
        .find(|finding| finding.check == what)
        .unwrap_or_else(|| panic!("nothing about {what}: {findings:?}"))
}

#[tokio::test]
async fn a_household_where_all_is_well_is_told_so() {
    let home = Household::new().await;
    let findings = look(&home.app).await;
    for what in [
        "database",
        "mail",
        "provider",
        "algorithms",
        "keys",
        "clock",
        "client",
        "redirect URI",
    ] {
        assert_eq!(
            find(&findings, what).status,
            CheckStatus::Ok,
            "{}",
            find(&findings, what)
        );
    }
    // Nobody listens at localhost:8000 in the tests, or somebody else does.
    assert_eq!(find(&findings, "frontend_url").status, CheckStatus::Warning);
    let database = find(&findings, "database");
    let version = database
        .message
        .split_once(' ')
        .filter(|(name, _)| ["SQLite", "PostgreSQL"].contains(name));
    assert!(
        version.is_some_and(|(_, version)| version.starts_with(|c: char| c.is_ascii_digit())),
        "{database}"
    );
    assert_eq!(
        home.app.count("SELECT count(*) FROM auth_used_token").await,
        0,
        "looking changes nothing"
    );
}

#[tokio::test]
async fn what_is_wrong_at_the_provider_is_told_with_the_setting_to_change() {
    for (knob, change, what, says, fix) in [
        (
            "metadata",
            json!({ "issuer": "https://other.example" }),
            "provider",
            "https://other.example",
            "configuration_endpoint =",
        ),
        (
            "metadata",
            json!({ "id_token_signing_alg_values_supported": ["HS256"] }),
            "provider",
            "HS256",
            "asymmetric signing key",
        ),
        (
            "metadata",
            json!({ "jwks_uri": "http://127.0.0.1:1/jwks" }),
            "keys",
            "cannot be read",
            "open that address",
        ),
        (
            "jwks",
            json!({ "keys": [] }),
            "keys",
            "no key",
            "asymmetric signing key",
        ),
        (
            "metadata",
            json!({ "token_endpoint": "http://127.0.0.1:1/token" }),
            "client",
            "gives no answer",
            "open that address",
        ),
        (
            "metadata",
            json!({ "issuer": format!("https://{}.example", "x".repeat(512)) }),
            "provider",
            "longer than 512 bytes",
            "shorter",
        ),
    ] {
        let home = Household::new().await;
        home.provider.twist(knob, move |value| {
            value
                .as_object_mut()
                .unwrap()
                .extend(change.as_object().unwrap().clone())
        });
        let findings = look(&home.app).await;
        let finding = find(&findings, what);
        assert!(
            finding.status == CheckStatus::Error
                && finding.message.contains(says)
                && finding.hint.contains(fix),
            "{finding}"
        );
    }
}

#[tokio::test]
async fn a_wrong_secret_or_redirect_uri_is_found_before_anybody_logs_in() {
    let home = Household::new().await;
    let settings = home.provider.settings();
    let wrong = App::with(&settings.replace("secret of the client", "another secret")).await;
    let findings = look(&wrong).await;
    let client = find(&findings, "client");
    assert!(
        client.status == CheckStatus::Error && client.hint.contains("client_secret_basic"),
        "{client}"
    );
    assert!(
        !client.to_string().contains("another secret"),
        "no secret in what is said"
    );
    let wrong = App::with(&settings.replace("name = 'Über ID 100%'", "name = 'Another'")).await;
    let findings = look(&wrong).await;
    let uri = find(&findings, "redirect URI");
    assert!(
        uri.status == CheckStatus::Error
            && uri.hint.ends_with("/api/v1/auth/cookie/Another/callback"),
        "{uri}"
    );
    let away = App::with(&settings.replace(home.provider.origin(), "http://127.0.0.1:1")).await;
    let findings = look(&away).await;
    assert!(
        find(&findings, "provider")
            .message
            .contains("cannot be read")
            && findings.iter().all(|finding| finding.check != "keys")
    );
}

#[tokio::test]
async fn a_provider_that_calls_a_made_up_code_malformed_is_not_called_wrong() {
    let home = Household::new().await;
    let malformed = || {
        (
            StatusCode::BAD_REQUEST,
            Json(json!({ "error": "invalid_request" })),
        )
            .into_response()
    };
    home.provider.replace("/token", malformed);
    is_told(
        find(&look(&home.app).await, "client"),
        CheckStatus::Warning,
        "only a login shows",
        "PKCE",
    );
}

#[tokio::test]
async fn a_redirect_uri_that_is_taken_like_any_other_is_not_called_fine() {
    let home = Household::new().await;
    home.provider
        .replace("/authorize", || "a page for everybody".into_response());
    is_told(
        find(&look(&home.app).await, "redirect URI"),
        CheckStatus::Warning,
        "only a login shows",
        "/callback",
    );
}

#[tokio::test]
async fn what_a_proxy_says_is_held_against_the_settings() {
    const FROM: (&str, &str) = ("x-forwarded-for", "203.0.113.7");
    let looked = async |trusted: &str, headers: &[(&'static str, &'static str)]| {
        let app = App::with(&format!(
            "misc.frontend_url = 'https://media.example.org'\nserver.trusted_proxies = [{trusted}]"
        ))
        .await;
        let headers = headers
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect();
        client_ip::check_proxy_headers(
            &app.state.config,
            Some("10.0.0.1".parse().unwrap()),
            &headers,
        )
    };
    is_told(
        &looked("", &[]).await,
        CheckStatus::Ok,
        "from 10.0.0.1, without a proxy",
        "",
    );
    is_told(
        &looked("", &[FROM]).await,
        CheckStatus::Warning,
        "10.0.0.1 forwards",
        "server.trusted_proxies",
    );
    is_told(
        &looked("'10.0.0.0/8'", &[]).await,
        CheckStatus::Warning,
        "does not say for whom",
        "X-Forwarded-For",
    );
    is_told(
        &looked("'10.0.0.0/8'", &[FROM]).await,
        CheckStatus::Ok,
        "from 203.0.113.7, through 10.0.0.1",
        "",
    );
    let right = [
        FROM,
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "Media.example.org"),
    ];
    is_told(
        &looked("'10.0.0.0/8'", &right).await,
        CheckStatus::Ok,
        "from 203.0.113.7",
        "",
    );
    for (wrong, says) in [
        (("x-forwarded-proto", "http"), "http://media.example.org"),
        (
            ("x-forwarded-host", "10.0.0.5:8000"),
            "https://10.0.0.5:8000",
        ),
    ] {
        is_told(
            &looked("'10.0.0.0/8'", &[FROM, wrong]).await,
            CheckStatus::Warning,
            says,
            "misc.frontend_url",
        );
    }
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_in_seconds() {
    let home = Household::new().await;
    for (seconds, standing) in [(-30, CheckStatus::Warning), (-100, CheckStatus::Error)] {
        home.app.pass(seconds);
        let findings = look(&home.app).await;
        let clock = find(&findings, "clock");
        assert!(
            clock.status == standing && clock.message.contains("seconds apart"),
            "{clock}"
        );
        home.app.pass(-seconds);
    }
}

#[tokio::test]
async fn administrators_look_in_the_browser() {
    let home = Household::new().await;
    home.app.user("ada@example.org", Role::Administrator).await;
    home.app.member("bob@example.org").await;
    let mut ada = home.app.browser();
    ada.log_in("ada@example.org", PASSWORD).await;
    let page = ada.get("/users/check").await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (StatusCode::OK, "System check")
    );
    assert!(
        page.body.contains("the provider knows")
            && page.body.contains("redirect URI")
            && page.body.contains("without a proxy"),
        "{}",
        page.body
    );
    let mut bob = home.app.browser();
    bob.log_in("bob@example.org", PASSWORD).await;
    assert_eq!(bob.get("/users/check").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_no_setting_mends_is_told_with_where_to_go_on() {
    let home = Household::new().await;
    let odd = || {
        Json(json!({ "access_token": "x", "token_type": "mac", "id_token": "x" })).into_response()
    };
    home.provider.replace("/token", odd);
    let findings = look(&home.app).await;
    is_told(
        find(&findings, "client"),
        CheckStatus::Error,
        "another kind than Bearer",
        "own log",
    );
}

#[tokio::test]
async fn a_database_that_is_not_as_it_should_be_is_told_with_what_to_do() {
    let app = App::new().await;
    let url = &app.database.url;
    app.sql("DELETE FROM auth_migration WHERE version = 'm0001_initial'")
        .await;
    is_told(
        &db::inspect(url).await,
        CheckStatus::Warning,
        "the next start takes 1 more",
        "make a backup",
    );
    app.sql("INSERT INTO auth_migration (version, applied_at) VALUES ('m9999_future', 0)")
        .await;
    is_told(
        &db::inspect(url).await,
        CheckStatus::Error,
        "newer version",
        "restore a backup",
    );
    // Not the same as a database without any steps, which the next start would take.
    app.sql("ALTER TABLE auth_migration RENAME COLUMN version TO something_else")
        .await;
    is_told(
        &db::inspect(url).await,
        CheckStatus::Error,
        "cannot read the schema's version",
        "rights",
    );
    let unused = TestDatabase::new().await;
    let says = if unused.is_postgres() {
        "0 steps of the schema"
    } else {
        "not there yet"
    };
    is_told(
        &db::inspect(&unused.url).await,
        CheckStatus::Warning,
        says,
        if unused.is_postgres() {
            "backup"
        } else {
            "server.database_url"
        },
    );
}

fn is_told(finding: &CheckResult, standing: CheckStatus, says: &str, fix: &str) {
    assert!(
        finding.status == standing && finding.message.contains(says) && finding.hint.contains(fix),
        "{finding}"
    );
}

#[tokio::test]
async fn a_database_that_takes_connections_and_never_answers_holds_nothing_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://nobody@{}/nothing", silent.local_addr().unwrap());
    let finding = tokio::time::timeout(std::time::Duration::from_secs(10), db::inspect(&url))
        .await
        .expect("an answer");
    is_told(&finding, CheckStatus::Error, "", "server.database_url");
}

#[tokio::test]
async fn a_mail_server_that_is_away_is_told_with_the_section_to_change() {
    let mut app = App::with("[notifications.smtp_config]\nsmtp_host = '127.0.0.1'\nsmtp_port = 1\nuse_tls = false\nfrom_email = 'media@example.org'").await;
    app.state.mailer = Mailer::new(&app.state.config).unwrap();
    let findings = look(&app).await;
    is_told(
        find(&findings, "mail"),
        CheckStatus::Error,
        "127.0.0.1:1",
        "[notifications.smtp_config]",
    );
    assert!(
        findings
            .iter()
            .any(|finding| finding.check == "configuration"),
        "mail without TLS is worth a line"
    );
}

#[tokio::test]
async fn the_cause_is_told_where_a_certificate_or_a_name_is_in_the_way() {
    let (provider, _) = TestProvider::start_with_https().await;
    // Longer than a name can be, so that no name server need be asked.
    let nobody = format!("https://{}.invalid", "x".repeat(64));
    let (untrusted, nowhere) = (
        provider.settings(),
        provider.settings().replace(provider.origin(), &nobody),
    );
    for (settings, cause) in [(&untrusted, "certificate"), (&nowhere, "dns")] {
        let findings = look(&App::with(settings).await).await;
        is_told(
            find(&findings, "provider"),
            CheckStatus::Error,
            cause,
            "ca_file",
        );
    }
    for (origin, cause) in [(provider.origin(), "certificate"), (&nobody, "dns")] {
        let findings = look(&App::with(&format!("misc.frontend_url = '{origin}'")).await).await;
        is_told(
            find(&findings, "frontend_url"),
            CheckStatus::Warning,
            cause,
            "misc.frontend_url",
        );
    }
}
