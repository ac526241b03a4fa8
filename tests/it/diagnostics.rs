//! The diagnostics of everything that the program depends on.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use mediamanager_auth::server::{
    diagnostics::{CheckResult, CheckStatus},
    flows::{diagnostics, users::Role},
    mailer::Mailer,
    web::middleware::client_ip,
};

use crate::support::{App, Household, PASSWORD, TestProvider};

mod database;
mod oidc;

/// The results of all checks. Asserts that every warning and error has a hint.
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
    // The address localhost:8000 is closed in the tests, or belongs to another program.
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
    is_told(
        &looked("'10.0.0.0/8'", &[("x-forwarded-for", "203.0.113.7:5678")]).await,
        CheckStatus::Ok,
        "from 203.0.113.7, through 10.0.0.1",
        "",
    );
    for hop in ["unknown", "client.lan", "203.0.113.7;5678"] {
        is_told(
            &looked("'10.0.0.0/8'", &[("x-forwarded-for", hop)]).await,
            CheckStatus::Warning,
            "cannot be read",
            "X-Forwarded-For",
        );
    }
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

fn is_told(finding: &CheckResult, standing: CheckStatus, says: &str, fix: &str) {
    assert!(
        finding.status == standing && finding.message.contains(says) && finding.hint.contains(fix),
        "{finding}"
    );
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
    // Longer than a DNS name may be, so that the test asks no name server.
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
