//! Every action of users and administrators writes one row, in the same transaction and with the
//! request id of the response.

use axum::http::Method;
use mediamanager_auth::{
    domain::AuditEvent,
    server::{
        crypto::random,
        db::{self, events::AuditFilter},
    },
};
use uuid::Uuid;

use super::{NETWORK, RESETS, find};
use crate::support::{Account, App, Household, PASSWORD, Page, SMTP, log::Log};

mod account;
mod administration;
mod oidc;

/// Kind, affected user, actor, method, and detail.
type Written<'a> = (&'a str, Option<Uuid>, Option<Uuid>, &'a str, &'a str);

/// Asserts that a response has written exactly these rows.
async fn is_written(app: &App, answer: &Page, expected: &[Written<'_>]) {
    let reference = answer.header("x-correlation-id").unwrap().to_owned();
    let mut rows = find(
        app,
        AuditFilter {
            request_id: Some(reference.clone()),
            ..AuditFilter::default()
        },
    )
    .await;
    rows.reverse();
    let written: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.kind.as_str(),
                row.user_id,
                row.actor_id,
                row.method.as_str(),
                row.detail.as_str(),
            )
        })
        .collect();
    assert_eq!(
        written, expected,
        "{} {}: {}",
        answer.path, answer.status, answer.body
    );
    assert!(
        rows.iter().all(|row| row.client_ip == NETWORK
            && row.occurred_at == app.state.clock.now()
            && row.request_id == reference),
        "{rows:?}"
    );
}

async fn id_of(app: &App, email: &str) -> Uuid {
    db::users::find_by_email(
        &app.state.db,
        &mediamanager_auth::domain::Email::parse(email).unwrap(),
    )
    .await
    .unwrap()
    .unwrap()
    .user
    .id
}

#[tokio::test]
async fn what_the_program_does_by_itself_leaves_one_row() {
    let home = Household::with(&format!("{RESETS}{SMTP}")).await;
    let app = &home.app;
    let eve = app.member("eve@example.org").await;
    for _ in 0..4 {
        app.browser()
            .post_form("/login/forgot-password", &[("email", "eve@example.org")])
            .await;
    }
    assert_eq!(app.mails().await.len(), 3);
    let withheld = find(
        app,
        AuditFilter {
            kind: Some(AuditEvent::MailRateLimited),
            ..AuditFilter::default()
        },
    )
    .await;
    assert_eq!(
        (
            withheld.len(),
            withheld[0].user_id,
            withheld[0].method.as_str(),
            withheld[0].client_ip.as_str()
        ),
        (1, Some(eve.id), "reset", NETWORK)
    );
    // The address is unverified, so the credentials are revoked when its owner logs in with the
    // provider.
    app.sql("UPDATE auth_user_account SET email_verified_at = NULL")
        .await;
    let eves = Account::confirmed("eve@example.org");
    let page = home.come_back(&eves).await;
    let id = Some(eve.id);
    is_written(
        app,
        &page,
        &[
            ("unverified_credentials_revoked", id, None, "oidc", ""),
            ("identity_linked", id, None, "oidc", ""),
            ("logged_in", id, None, "oidc", ""),
        ],
    )
    .await;
    let page = home
        .come_back(&Account {
            email: "eve@new.example".into(),
            ..Account {
                email_verified: false.into(),
                ..eves
            }
        })
        .await;
    let why = "the provider does not say email_verified: true for its address";
    is_written(
        app,
        &page,
        &[
            ("email_sync_skipped", id, None, "oidc", why),
            ("logged_in", id, None, "oidc", ""),
        ],
    )
    .await;
}

/// Another's number would make an event look like part of their request.
#[tokio::test]
async fn a_number_that_a_client_brings_names_no_event() {
    let log = Log::begin();
    let app = App::new().await;
    app.member("ada@example.org").await;
    let number = random::uuid().to_string();
    let headers = [
        ("x-correlation-id", number.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "same-origin"),
    ];
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("username", "ada@example.org")
        .append_pair("password", PASSWORD)
        .finish();
    let page = app
        .browser()
        .call(Method::POST, "/api/v1/auth/cookie/login", &headers, &body)
        .await;
    assert_eq!(
        page.header("x-correlation-id"),
        Some(number.as_str()),
        "the caller finds its own number again"
    );
    let simple = number.replace('-', "");
    let named =
        format!("SELECT count(*) FROM auth_event WHERE request_id IN ('{number}', '{simple}')");
    assert_eq!(app.count(&named).await, 0);
    let text = log.text();
    let line = text.lines().find(|line| line.contains("\"logged_in\""));
    let line: serde_json::Value = serde_json::from_str(line.unwrap()).unwrap();
    assert_eq!(
        line["span"]["correlation_id"],
        number.as_str(),
        "the log has both numbers"
    );
    let ours = line["span"]["request_id"].as_str().unwrap();
    assert_eq!(
        app.count(&format!(
            "SELECT count(*) FROM auth_event WHERE request_id = '{ours}'"
        ))
        .await,
        1
    );
}
