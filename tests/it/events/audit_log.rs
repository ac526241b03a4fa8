//! The audit log page: search, escaping and pagination.

use axum::http::{Method, StatusCode};
use mediamanager_auth::{
    domain::AuditEvent,
    server::{
        db::{
            self,
            events::{AuditFilter, NewEvent},
        },
        flows::users::Role,
    },
};

use super::{NETWORK, everything, find, household, logged_in};
use crate::support::{Account, Browser, Household, Page, log::Log};

async fn search(admin: &mut Browser, kind: &str, user: &str, reference: &str) -> Page {
    let query = [("kind", kind), ("user", user), ("reference", reference)];
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query)
        .finish();
    admin.get(&format!("/users/events?{query}")).await
}

/// The events in the page's table.
fn listed(page: &Page) -> Vec<String> {
    assert_eq!(page.status, StatusCode::OK);
    let html = scraper::Html::parse_document(&page.body);
    let second = scraper::Selector::parse("tbody tr td:nth-child(2)").unwrap();
    html.select(&second)
        .map(|cell| cell.text().next().unwrap().to_owned())
        .collect()
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
