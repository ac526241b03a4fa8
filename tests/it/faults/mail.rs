//! An unreachable mail server affects only the queue (see `tests/it/mail/queue.rs` for its
//! retries).

use mediamanager_auth::server::{
    flows::mail,
    mailer::{Mailer, SentMessages},
    web::router::router,
};
use serde_json::json;

use super::{ADA, NEW};
use crate::support::{App, PASSWORD};

const NOBODY_THERE: &str = "auth.email_password_resets = true\n[notifications.smtp_config]\nsmtp_host = '127.0.0.1'\nsmtp_port = 1\nuse_tls = false\nfrom_email = 'media@example.org'\n";

/// Responses of requests that queue mail: status, location, and the text of the page or the body.
async fn answers(app: &App) -> Vec<(u16, Option<String>, String)> {
    app.member(ADA).await;
    let mut browser = app.browser();
    let json = [("content-type", "application/json")];
    let (new, ada) = (
        json!({ "email": "newer@example.org", "password": PASSWORD }).to_string(),
        json!({ "email": ADA }).to_string(),
    );
    let register = browser
        .call(
            axum::http::Method::POST,
            "/api/v1/auth/register",
            &json,
            &new,
        )
        .await;
    assert_eq!(register.json()["email"], "newer@example.org");
    let answers = [
        browser
            .post_form("/login/signup", &[("email", NEW), ("password", PASSWORD)])
            .await,
        browser
            .post_form("/login/signup", &[("email", ADA), ("password", PASSWORD)])
            .await,
        browser
            .post_form("/login/forgot-password", &[("email", ADA)])
            .await,
        browser
            .call(
                axum::http::Method::POST,
                "/api/v1/auth/forgot-password",
                &json,
                &ada,
            )
            .await,
        browser
            .call(
                axum::http::Method::POST,
                "/api/v1/auth/request-verify-token",
                &json,
                &ada,
            )
            .await,
    ];
    answers
        .into_iter()
        .map(|page| (page.status.as_u16(), page.location(), page.body))
        .chain([(register.status.as_u16(), None, String::new())])
        .collect()
}

#[tokio::test]
async fn people_are_told_the_same_while_the_mail_server_is_away_and_get_their_mail_later() {
    let with_server = App::with(NOBODY_THERE).await;
    let expected = answers(&with_server).await;
    let recipients = |app: &App, mails: Vec<crate::support::Mail>| {
        let mut recipients: Vec<_> = mails
            .into_iter()
            .map(|mail| (mail.to, mail.subject))
            .collect();
        recipients.sort();
        assert!(!recipients.is_empty(), "{}", app.database.url);
        recipients
    };
    let expected_mails = recipients(&with_server, with_server.mails().await);

    let mut app = App::with(NOBODY_THERE).await;
    app.state.mailer = Mailer::new(&app.state.config).unwrap();
    app.router = router(app.state.clone());
    assert_eq!(answers(&app).await, expected);
    mail::send_due(&app.state).await.unwrap();
    assert_eq!(
        app.count("SELECT count(*) FROM auth_outbox WHERE attempts = 1")
            .await,
        i64::try_from(expected_mails.len()).unwrap(),
        "tried in vain"
    );
    assert_eq!(
        app.browser().log_in(NEW, PASSWORD).await.path,
        "/login/verify",
        "the account is there"
    );
    app.state.mailer = Mailer::Memory(SentMessages::default());
    app.pass(60);
    assert_eq!(
        recipients(&app, app.mails().await),
        expected_mails,
        "none is lost, none is sent twice"
    );
    assert!(app.mails().await.is_empty());
}
