//! The audit log: its events, and data that it must not contain (SR-180 to SR-182).

use axum::http::{Method, StatusCode};
use mediamanager_auth::{
    domain::{AuditEvent, User},
    server::{
        db::{
            self,
            events::{AuditFilter, AuditRow},
        },
        flows::{events, users::Role},
    },
};

use crate::support::{App, Browser, Household, PASSWORD, Page, log::Log};

mod audit_log;
mod growth;
mod kinds;
mod secrets;

const NEW: &str = "copper lantern meadow 4";
const RESETS: &str = "auth.email_password_resets = true\n";
/// The client IP address of the test's browser.
const NETWORK: &str = "203.0.113.7";

async fn find(app: &App, filter: AuditFilter) -> Vec<AuditRow> {
    db::events::find_page(&app.state.db, &filter, 0, 100_000)
        .await
        .unwrap()
        .0
}

async fn everything(app: &App) -> Vec<AuditRow> {
    find(app, AuditFilter::default()).await
}

/// A signed-in administrator, and Bob.
async fn household(toml: &str) -> (App, Browser, User, User) {
    let app = App::with(toml).await;
    let ada = app.user("ada@example.org", Role::Administrator).await;
    let bob = app.member("bob@example.org").await;
    let browser = logged_in(&app, "ada@example.org").await;
    (app, browser, ada, bob)
}

async fn logged_in(app: &App, email: &str) -> Browser {
    let mut browser = app.browser();
    assert!(browser.log_in(email, PASSWORD).await.status.is_success());
    browser
}

async fn post_from_another_site(app: &App) -> Page {
    let headers = [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    app.browser()
        .call(Method::POST, "/login", &headers, "email=a&password=b")
        .await
}

#[tokio::test]
async fn old_events_are_forgotten_after_the_days_that_the_operator_wants() {
    let app = App::with("policy.audit_retention_days = 2").await;
    app.member("ada@example.org").await;
    app.browser().log_in("ada@example.org", PASSWORD).await;
    app.pass(1);
    app.browser().log_in("ada@example.org", PASSWORD).await;
    app.pass(2 * 86_400 - 1);
    assert_eq!(events::purge(&app.state).await, Ok(0));
    app.pass(1);
    assert_eq!(events::purge(&app.state).await, Ok(2));
    assert_eq!(everything(&app).await.len(), 1);
    app.pass(1);
    assert_eq!(
        (
            events::purge(&app.state).await,
            everything(&app).await.len()
        ),
        (Ok(1), 0)
    );
}

#[tokio::test]
async fn a_flood_of_strangers_fills_the_log_and_not_the_table() {
    let log = Log::begin();
    let home = Household::new().await;
    home.app.member("eve@example.org").await;
    let mut eve = logged_in(&home.app, "eve@example.org").await;
    let count = async |kind: AuditEvent| {
        find(
            &home.app,
            AuditFilter {
                kind: Some(kind),
                ..AuditFilter::default()
            },
        )
        .await
        .len()
    };
    for number in 0..60 {
        post_from_another_site(&home.app).await;
        assert_eq!(eve.get("/users").await.status, StatusCode::FORBIDDEN);
        home.app
            .browser()
            .at("198.51.100.1")
            .get("/api/v1/auth/oauth/callback?code=x&state=y")
            .await;
        home.app
            .browser()
            .at("198.51.100.2")
            .post_form(
                "/login",
                &[
                    ("email", &format!("nobody{number}@example.org")),
                    ("password", "x"),
                ],
            )
            .await;
    }
    assert_eq!(
        (
            count(AuditEvent::CsrfRejected).await,
            count(AuditEvent::AccessDenied).await,
            count(AuditEvent::LoginThrottled).await
        ),
        (20, 20, 20)
    );
    assert_eq!(
        count(AuditEvent::LoginFailed).await,
        40,
        "twenty with a password, twenty from the provider"
    );
    let lines = |code: &str| {
        log.text()
            .lines()
            .filter(|line| line.contains(&format!("\"event\":\"{code}\"")))
            .count()
    };
    assert_eq!(
        (
            lines("csrf_rejected"),
            lines("access_denied"),
            lines("login_throttled"),
            lines("login_failed")
        ),
        (60, 60, 20, 80)
    );
    home.app.pass(600);
    post_from_another_site(&home.app).await;
    assert_eq!(
        count(AuditEvent::CsrfRejected).await,
        21,
        "later there is room again"
    );
}

#[tokio::test]
async fn what_cannot_be_written_down_does_not_happen() {
    let (app, mut ada, _, bob) = household("").await;
    let (mut his, id) = (logged_in(&app, "bob@example.org").await, bob.id.to_string());
    let sessions = "SELECT count(*) FROM auth_session WHERE ended_at IS NULL";
    let before = app.count(sessions).await;
    app.sql("ALTER TABLE auth_event RENAME TO auth_event_away")
        .await;
    for page in [
        app.browser()
            .post_form(
                "/login",
                &[("email", "bob@example.org"), ("password", PASSWORD)],
            )
            .await,
        his.post_form("/account/password", &[("password", NEW)])
            .await,
        his.post_form("/account/delete", &[]).await,
        his.post_form("/account", &[("session", "others")]).await,
        ada.post_form("/users/change", &[("id", &id), ("action", "disable")])
            .await,
        ada.post_form(
            "/users/change",
            &[("id", &id), ("action", "make-administrator")],
        )
        .await,
        ada.post_form("/users/change", &[("id", &id), ("action", "end-sessions")])
            .await,
        ada.post_form(
            "/users/change",
            &[("id", &id), ("action", "create-reset-link")],
        )
        .await,
        ada.post_form(
            "/users/address",
            &[("id", &id), ("email", "new@example.org")],
        )
        .await,
        ada.post_form("/users/new", &[("email", "eve@example.org")])
            .await,
        ada.post_form("/users/change", &[("id", &id), ("action", "delete")])
            .await,
    ] {
        // The page of the other sessions has no action here: no other session exists.
        let is_nothing = page.path == "/account" && page.status == StatusCode::SEE_OTHER;
        assert!(
            page.status == StatusCode::SERVICE_UNAVAILABLE || is_nothing,
            "{}: {}",
            page.path,
            page.status
        );
    }
    app.sql("ALTER TABLE auth_event_away RENAME TO auth_event")
        .await;
    assert_eq!(app.count(sessions).await, before);
    assert_eq!(
        app.count("SELECT count(*) FROM \"user\" WHERE is_active")
            .await,
        2
    );
    assert_eq!(
        app.count("SELECT count(*) FROM \"user\" WHERE is_superuser OR email = 'new@example.org'")
            .await,
        1
    );
    assert_eq!(
        app.browser().log_in("bob@example.org", PASSWORD).await.path,
        "/account"
    );
}
