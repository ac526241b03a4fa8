//! What is written down, and what is not (SR-180 to SR-182).

use crate::support::{Account, App, Browser, Household, PASSWORD, Page, SMTP, log::Log};
use axum::http::{Method, StatusCode};
use mediamanager_auth::{
    domain::{AuditEvent, User},
    server::{
        crypto::random,
        db::{
            self,
            events::{AuditFilter, AuditRow, NewEvent},
        },
        flows::{events, users::Role},
    },
};
use uuid::Uuid;

mod kinds;
mod secrets;

const NEW: &str = "copper lantern meadow 4";
const RESETS: &str = "auth.email_password_resets = true\n";
/// The address of the test's browser.
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

/// An administrator in a browser, and Bob.
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

async fn search(admin: &mut Browser, kind: &str, user: &str, reference: &str) -> Page {
    let query = [("kind", kind), ("user", user), ("reference", reference)];
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query)
        .finish();
    admin.get(&format!("/users/events?{query}")).await
}

/// What happened, by the page's table.
fn listed(page: &Page) -> Vec<String> {
    assert_eq!(page.status, StatusCode::OK);
    let html = scraper::Html::parse_document(&page.body);
    let second = scraper::Selector::parse("tbody tr td:nth-child(2)").unwrap();
    html.select(&second)
        .map(|cell| cell.text().next().unwrap().to_owned())
        .collect()
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
async fn an_administrator_finds_out_why_she_could_not_log_in_last_night() {
    let (app, mut ada, _, bob) = household("").await;
    let eve = app.member("eve@example.org").await;
    app.browser()
        .log_in("bob@example.org", "not his password")
        .await;
    app.browser()
        .log_in("eve@example.org", "not her password")
        .await;
    let told = app
        .browser()
        .post_form(
            "/login",
            &[("email", "bob@example.org"), ("password", "nor this")],
        )
        .await;
    let reference = told.header("x-correlation-id").unwrap().to_owned();
    ada.post_form(
        "/users/change",
        &[("id", &eve.id.to_string()), ("action", "delete")],
    )
    .await;
    let (made, failed, deleted) = (
        "An account was made",
        "A login failed",
        "The account was deleted",
    );
    for (kind, user, reference, found) in [
        ("", "bob@example.org", "", &[failed, failed, made][..]),
        ("", " BOB@Example.org ", "", &[failed, failed, made]),
        ("login_failed", "", "", &[failed, failed, failed]),
        ("login_failed", "bob@example.org", "", &[failed, failed]),
        ("", &bob.id.to_string(), "", &[failed, failed, made]),
        ("", "eve@example.org", "", &[]),
        ("", &eve.id.to_string(), "", &[deleted, failed, made]),
        ("", "", &reference, &[failed]),
        ("", "", &format!(" {reference} "), &[failed]),
        ("logged_in", "", &reference, &[]),
        ("", "nobody@example.org", "", &[]),
        ("", "' OR 1=1 --", "", &[]),
        ("", "", "%", &[]),
    ] {
        let page = search(&mut ada, kind, user, reference).await;
        assert_eq!(listed(&page), found, "{kind:?} {user:?} {reference:?}");
        assert_eq!(
            page.text("caption")
                .unwrap()
                .starts_with("Nothing matches."),
            found.is_empty()
        );
        assert_eq!(
            (
                page.attribute("#user", "value").as_deref(),
                page.attribute("#reference", "value").as_deref()
            ),
            (Some(user), Some(reference))
        );
    }
    assert_eq!(
        listed(&search(&mut ada, "nonsense", "", "").await).len(),
        everything(&app).await.len()
    );
    let page = search(&mut ada, "", &eve.id.to_string(), "").await;
    let who = page.text("tbody tr td:nth-child(3)").unwrap();
    assert!(
        who.starts_with(&eve.id.to_string()) && who.ends_with("by ada@example.org"),
        "whoever is gone has a number only: {who}"
    );
    let page = search(&mut ada, "", "bob@example.org", "").await;
    assert_eq!(
        (
            page.text("tbody tr td:nth-child(4)").as_deref(),
            page.text("tbody .reference")
        ),
        (Some(NETWORK), Some(reference))
    );
    let page = search(&mut ada, "", "\"><script>alert(1)</script>", "<b>").await;
    assert!(
        !page.body.contains("<script>alert(1)") && !page.body.contains("<b>"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn what_an_attacker_puts_into_an_event_stays_text_on_one_line() {
    let log = Log::begin();
    let (app, mut ada, ..) = household("").await;
    let headers = [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://<script>alert(1)</script>.example\t"),
        ("x-correlation-id", "not\ta number"),
    ];
    let page = app
        .browser()
        .call(Method::POST, "/login", &headers, "")
        .await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    let row = &find(
        &app,
        AuditFilter {
            kind: Some(AuditEvent::CsrfRejected),
            ..AuditFilter::default()
        },
    )
    .await[0];
    assert!(
        row.detail.contains("alert(1)")
            && row.request_id == page.header("x-correlation-id").unwrap()
    );
    assert!(
        row.request_id.len() == 32 && row.request_id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{}",
        row.request_id
    );
    let page = search(&mut ada, "csrf_rejected", "", "").await;
    assert!(
        page.text("tbody .hint")
            .unwrap()
            .contains("<script>alert(1)</script>.example")
            && !page.body.contains("<script>alert"),
        "{}",
        page.body
    );
    assert!(
        log.text()
            .lines()
            .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
        "one event is one line"
    );
}

#[tokio::test]
async fn the_fifty_first_event_is_on_the_second_page() {
    let (app, mut ada, _, bob) = household("").await;
    for number in 0..51 {
        let detail = format!("number {number}");
        let row = NewEvent {
            occurred_at: number,
            kind: AuditEvent::MailSent,
            user: Some(bob.id),
            actor: None,
            method: "",
            client_ip: "",
            request_id: "",
            detail: &detail,
        };
        db::events::insert(&app.state.db, row).await.unwrap();
    }
    let page = search(&mut ada, "mail_sent", "bob@example.org", "").await;
    assert_eq!(
        (listed(&page).len(), page.text("caption").as_deref()),
        (50, Some("51 events, the newest first"))
    );
    assert_eq!(page.text("tbody .hint").as_deref(), Some("number 50"));
    let page = ada
        .get(&page.attribute("a[rel=next]", "href").unwrap())
        .await;
    assert_eq!(
        (listed(&page).len(), page.text("tbody .hint").as_deref()),
        (1, Some("number 0")),
        "the search goes along"
    );
    for number in ["0", "-1", "x", "18446744073709551615"] {
        assert_eq!(
            ada.get(&format!("/users/events?page={number}"))
                .await
                .status,
            StatusCode::OK,
            "{number}"
        );
    }
    let page = ada.get(&format!("/users/{}", bob.id)).await;
    assert_eq!(
        listed(&page).len(),
        10,
        "the last ones on the page of the user"
    );
    assert_eq!(
        listed(
            &ada.get(
                &page
                    .attribute("a[href^='/users/events?user=']", "href")
                    .unwrap()
            )
            .await
        )
        .len(),
        50
    );
}

#[tokio::test]
async fn why_the_provider_let_nobody_in_is_told_with_the_setting_to_change() {
    let home = Household::new().await;
    home.app.user("ada@example.org", Role::Administrator).await;
    let eve = home.app.member("eve@example.org").await;
    home.app
        .sql("UPDATE \"user\" SET is_active = false WHERE email = 'eve@example.org'")
        .await;
    home.log_in(
        &mut home.app.browser(),
        &Account::confirmed("carol@example.org"),
    )
    .await;
    home.provider.twist("userinfo", |claims| {
        drop(claims.as_object_mut().unwrap().remove("email"))
    });
    let mut ada = logged_in(&home.app, "ada@example.org").await;
    let nameless = Account {
        email: serde_json::Value::Null,
        ..Account::confirmed("nobody@example.org")
    };
    for (account, user, words) in [
        (
            nameless,
            None,
            &[
                "email_missing; ",
                "gives no e-mail address",
                "allow the scope email for this client",
            ][..],
        ),
        (
            Account::confirmed("eve@example.org"),
            Some(eve.id),
            &[
                "login_not_allowed; ",
                "is disabled",
                "enable it in the list of users",
            ],
        ),
        (
            Account {
                subject: "another".into(),
                ..Account::unconfirmed("carol@example.org")
            },
            None,
            &[
                "login_not_allowed; ",
                "does not say email_verified: true",
                "policy.openid_connect.trust_unverified_email = true",
            ],
        ),
    ] {
        let page = home.come_back(&account).await;
        let reference = page.header("x-correlation-id").unwrap();
        assert!(
            page.text(".reference").unwrap().contains(reference),
            "the page says what to look for"
        );
        assert!(
            words[1..].iter().all(|words| !page.body.contains(words)),
            "and not more: {}",
            page.body
        );
        let page = search(&mut ada, "login_failed", "", reference).await;
        let hint = page.text("tbody .hint").unwrap();
        assert!(
            words.iter().all(|words| hint.contains(words)) && hint.starts_with("oidc; "),
            "{hint}"
        );
        let row = &find(
            &home.app,
            AuditFilter {
                request_id: Some(reference.to_owned()),
                ..AuditFilter::default()
            },
        )
        .await[0];
        assert!(user.is_none_or(|user| row.user_id == Some(user)), "{row:?}");
    }
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
        (60, 60, 40, 80)
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
        // The one page for which there is nothing to do: there are no others.
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
