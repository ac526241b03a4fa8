//! The mail queue: retries, giving up, links that were revoked, and its bound.

use axum::http::{Method, StatusCode};
use mediamanager_auth::{
    domain::Email,
    server::{
        db,
        flows::{Ctx, mail, password_reset, users::Role},
        mailer::{Mailer, SentMessages},
    },
};

use super::NEW;
use crate::support::{Account, App, Browser, Household, PASSWORD, SMTP};

/// A mail server without a listener.
const NOBODY: &str = "[notifications.smtp_config]\nsmtp_host = '127.0.0.1'\nsmtp_port = 1\nuse_tls = false\nfrom_email = 'media@example.org'\n";

/// A queued mail, and no mail server.
async fn with_mail_waiting() -> App {
    let mut app = App::with(&format!("auth.email_password_resets = true\n{NOBODY}")).await;
    app.member("ada@example.org").await;
    app.state.mailer = Mailer::new(&app.state.config).unwrap();
    app.browser()
        .post_form("/login/forgot-password", &[("email", "ada@example.org")])
        .await;
    app
}

async fn waiting(app: &App) -> i64 {
    app.count("SELECT count(*) FROM auth_outbox").await
}

#[tokio::test]
async fn a_mail_waits_for_a_server_that_is_away_and_is_sent_once_it_is_back() {
    let mut app = with_mail_waiting().await;
    assert_eq!(mail::send_due(&app.state).await, Ok(1));
    assert_eq!(mail::send_due(&app.state).await, Ok(0), "not at once again");
    app.pass(60);
    assert_eq!(mail::send_due(&app.state).await, Ok(1));
    assert_eq!(waiting(&app).await, 1);
    app.state.mailer = Mailer::Memory(SentMessages::default());
    app.pass(300);
    let mail = app.mail().await;
    assert_eq!(
        app.browser().get(&mail.link()).await.heading(),
        "Choose a new password",
        "the link is as old as the mail, not as the request"
    );
    assert_eq!(waiting(&app).await, 0);
}

#[tokio::test]
async fn after_five_attempts_a_mail_is_given_up() {
    let app = with_mail_waiting().await;
    for attempt in 1..=5 {
        assert_eq!(waiting(&app).await, 1, "{attempt}");
        assert_eq!(mail::send_due(&app.state).await, Ok(1));
        app.pass(3600);
    }
    assert_eq!(
        (waiting(&app).await, mail::send_due(&app.state).await),
        (0, Ok(0))
    );
}

#[tokio::test]
async fn a_mail_whose_attempts_never_end_is_given_up() {
    let mut app = with_mail_waiting().await;
    app.state.mailer = Mailer::Memory(SentMessages::default());
    for attempt in 1..=5 {
        // The mail is claimed and never finished, as after a panic or a power cut.
        assert_eq!(
            db::outbox::claim_next(&app.state.db, app.state.clock.now())
                .await
                .unwrap()
                .unwrap()
                .attempts,
            attempt
        );
        app.pass(120);
    }
    assert_eq!((app.mails().await.len(), waiting(&app).await), (0, 0));
    assert_eq!(
        app.count("SELECT count(*) FROM auth_event WHERE kind = 'mail_failed'")
            .await,
        1
    );
}

#[tokio::test]
async fn no_mail_waits_for_an_hour_that_the_clock_was_set_back() {
    for attempts in 0..3 {
        let mut app = with_mail_waiting().await;
        for _ in 0..attempts {
            assert_eq!(mail::send_due(&app.state).await, Ok(1));
            app.pass(300);
        }
        app.pass(-3600);
        assert_eq!(
            mail::send_due(&app.state).await,
            Ok(1),
            "at once, after {attempts} attempts"
        );
        assert_eq!(
            mail::send_due(&app.state).await,
            Ok(0),
            "and not once a second from here on"
        );
        app.state.mailer = Mailer::Memory(SentMessages::default());
        app.pass(900);
        assert_eq!((app.mails().await.len(), waiting(&app).await), (1, 0));
    }
}

#[tokio::test]
async fn a_link_that_nobody_waits_for_any_more_is_not_sent() {
    let mut app = with_mail_waiting().await;
    app.state.mailer = Mailer::Memory(SentMessages::default());
    app.pass(6 * 3600 + 1);
    assert_eq!((app.mails().await.len(), waiting(&app).await), (0, 0));
}

/// Revokes all links of Ada while link mails are in the queue.
async fn make_void(home: &Household, ada: &mut Browser, how: &str) {
    let app = &home.app;
    let mut boss = app.browser();
    boss.log_in("boss@example.org", PASSWORD).await;
    let id = ada.get("/api/v1/users/me").await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    let mut patch = async |body: &str| {
        let answer = boss
            .call(
                Method::PATCH,
                &format!("/api/v1/users/{id}"),
                &headers,
                body,
            )
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    };
    match how {
        "a reset" => {
            let ada = Email::parse("ada@example.org").unwrap();
            let link = password_reset::create_reset_link_by_email(&Ctx::cli(&app.state), &ada)
                .await
                .unwrap()
                .unwrap()
                .link;
            let mut browser = app.browser();
            let page = browser
                .get(link.strip_prefix("http://localhost:8000").unwrap())
                .await;
            assert_eq!(
                browser
                    .submit(&page, "Set password", &[("password", NEW)])
                    .await
                    .path,
                "/login?notice=password_reset"
            );
        }
        "the owner's login at the provider" => {
            app.sql("UPDATE auth_user_account SET email_verified_at = NULL")
                .await;
            assert_eq!(
                home.log_in(&mut app.browser(), &Account::confirmed("ada@example.org"))
                    .await
                    .path,
                "/account"
            );
        }
        "another password" => {
            let page = ada.get("/account/password").await;
            assert_eq!(
                ada.submit(&page, "Change password", &[("password", NEW)])
                    .await
                    .path,
                "/account?notice=password_changed"
            );
        }
        "an administrator's password" => patch(&format!(r#"{{"password":"{NEW}"}}"#)).await,
        "an administrator's address" => patch(r#"{"email":"ada@third.example"}"#).await,
        "disabled and enabled again" => {
            patch(r#"{"is_active":false}"#).await;
            patch(r#"{"is_active":true}"#).await;
        }
        _ => panic!("{how}"),
    }
}

#[tokio::test]
async fn a_link_that_waits_for_the_mail_server_does_not_outlive_what_voids_all_links() {
    for how in [
        "a reset",
        "the owner's login at the provider",
        "another password",
        "an administrator's password",
        "an administrator's address",
        "disabled and enabled again",
    ] {
        let mut home =
            Household::with(&format!("auth.email_password_resets = true\n{NOBODY}")).await;
        home.app.state.mailer = Mailer::new(&home.app.state.config).unwrap();
        home.app.user("boss@example.org", Role::Administrator).await;
        home.app.member("ada@example.org").await;
        let mut ada = home.app.browser();
        ada.log_in("ada@example.org", PASSWORD).await;
        for (path, email) in [
            ("/login/forgot-password", "ada@example.org"),
            ("/account/address", "ada@new.example"),
            ("/login/forgot-password", "boss@example.org"),
        ] {
            assert_eq!(
                ada.post_form(path, &[("email", email)]).await.status,
                StatusCode::SEE_OTHER,
                "{path}"
            );
        }
        assert_eq!(
            (
                mail::send_due(&home.app.state).await,
                waiting(&home.app).await
            ),
            (Ok(3), 3),
            "the server is away"
        );
        make_void(&home, &mut ada, how).await;
        home.app.state.mailer = Mailer::Memory(SentMessages::default());
        home.app.pass(60);
        let links: Vec<_> = home
            .app
            .mails()
            .await
            .into_iter()
            .filter(|mail| mail.text.contains("token="))
            .map(|mail| mail.to)
            .collect();
        assert_eq!(links, ["boss@example.org"], "{how}: and nobody else's link");
    }
}

#[tokio::test]
async fn a_mail_of_an_instance_that_was_killed_while_sending_goes_out_all_the_same() {
    let app = App::with(&format!("auth.email_password_resets = true\n{SMTP}")).await;
    app.member("ada@example.org").await;
    app.browser()
        .post_form("/login/forgot-password", &[("email", "ada@example.org")])
        .await;
    drop(
        db::outbox::claim_next(&app.state.db, app.state.clock.now())
            .await
            .unwrap()
            .unwrap(),
    );
    assert_eq!(app.mails().await.len(), 0, "it may still be sending it");
    app.pass(121);
    assert_eq!((app.mails().await.len(), waiting(&app).await), (1, 0));
}

#[tokio::test]
async fn two_instances_send_a_mail_once() {
    let app = App::with(&format!("auth.email_password_resets = true\n{SMTP}")).await;
    app.member("ada@example.org").await;
    app.browser()
        .post_form("/login/forgot-password", &[("email", "ada@example.org")])
        .await;
    let all = (0..10).map(|_| mail::send_due(&app.state));
    let dealt_with: usize = futures_util::future::join_all(all)
        .await
        .into_iter()
        .map(Result::unwrap)
        .sum();
    assert_eq!((dealt_with, app.mails().await.len()), (1, 1));
}

#[tokio::test]
async fn the_queue_is_bounded() {
    let app = App::with(&format!("auth.email_password_resets = true\n{SMTP}")).await;
    let rows = if app.database.is_postgres() {
        "INSERT INTO auth_outbox (id, kind, address, client_ip, created_at, next_attempt_at, attempts) SELECT gen_random_uuid(), 'reset', 'x@y', 'z', 0, 0, 0 FROM generate_series(1, 1000)"
    } else {
        "INSERT INTO auth_outbox (id, kind, address, client_ip, created_at, next_attempt_at, attempts) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT randomblob(16), 'reset', 'x@y', 'z', 0, 0, 0 FROM n"
    };
    app.sql(rows).await;
    let page = app
        .browser()
        .post_form("/login/forgot-password", &[("email", "ada@example.org")])
        .await;
    assert_eq!(
        (page.status.as_u16(), waiting(&app).await),
        (303, 1000),
        "the answer stays the same"
    );
}
