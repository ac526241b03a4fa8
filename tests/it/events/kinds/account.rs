//! Events of users who act on their own account.

use mediamanager_auth::{domain::AuditEvent, server::db::events::AuditFilter};

use super::{id_of, is_written};
use crate::{
    events::{NEW, RESETS, find, logged_in, post_from_another_site},
    support::{App, PASSWORD, SMTP},
};

fn token_of(link: &str) -> String {
    link.split("token=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn everything_that_people_do_leaves_one_row() {
    let app = App::with(&format!("{RESETS}{SMTP}")).await;
    let mut browser = app.browser();
    let setup = token_of(&app.setup_path().await.unwrap());
    let page = browser
        .post_form(
            "/setup",
            &[
                ("token", &setup),
                ("email", "boss@example.org"),
                ("password", PASSWORD),
            ],
        )
        .await;
    let boss = id_of(&app, "boss@example.org").await;
    is_written(
        &app,
        &page,
        &[
            ("setup_done", Some(boss), None, "", ""),
            ("logged_in", Some(boss), None, "setup", ""),
        ],
    )
    .await;

    let mut ada = app.browser();
    let page = ada
        .post_form(
            "/login/signup",
            &[("email", "ada@example.org"), ("password", PASSWORD)],
        )
        .await;
    let id = Some(id_of(&app, "ada@example.org").await);
    is_written(&app, &page, &[("signed_up", id, None, "", "")]).await;
    let page = app
        .browser()
        .post_form(
            "/login/signup",
            &[("email", "ada@example.org"), ("password", PASSWORD)],
        )
        .await;
    is_written(
        &app,
        &page,
        &[("signup_duplicate_email", None, None, "", "")],
    )
    .await;
    let proof = app
        .mails()
        .await
        .iter()
        .find(|mail| mail.text.contains("/account/confirm"))
        .unwrap()
        .link();
    let page = ada
        .post_form(
            "/login",
            &[("email", "ada@example.org"), ("password", "wrong")],
        )
        .await;
    is_written(&app, &page, &[("login_failed", id, None, "password", "")]).await;
    let page = ada
        .post_form(
            "/login",
            &[("email", "ada@example.org"), ("password", PASSWORD)],
        )
        .await;
    is_written(&app, &page, &[("logged_in", id, None, "password", "")]).await;
    ada.get(&proof).await;
    let page = ada.post_form("/account/confirm", &[]).await;
    is_written(&app, &page, &[("email_verified", id, None, "", "")]).await;
    app.mails().await;

    let page = ada
        .post_form("/account/log-in-again", &[("password", "wrong")])
        .await;
    is_written(&app, &page, &[("login_failed", id, None, "password", "")]).await;
    let page = ada
        .post_form("/account/log-in-again", &[("password", PASSWORD)])
        .await;
    is_written(&app, &page, &[("logged_in", id, None, "password", "")]).await;
    logged_in(&app, "ada@example.org").await;
    let page = ada.post_form("/account", &[("session", "others")]).await;
    is_written(&app, &page, &[("sessions_ended", id, None, "", "")]).await;
    let page = ada.post_form("/account", &[("session", "others")]).await;
    is_written(&app, &page, &[]).await;
    logged_in(&app, "ada@example.org").await;
    let page = ada.get("/account").await;
    let page = ada
        .submit_only(&page, "End the session of an unknown program", &[])
        .await;
    is_written(&app, &page, &[("sessions_ended", id, None, "", "")]).await;
    let page = ada
        .post_form("/account/address", &[("email", "new@example.org")])
        .await;
    is_written(&app, &page, &[("email_change_requested", id, None, "", "")]).await;
    let link = app.mail().await.link();
    ada.get(&link).await;
    let page = ada
        .post_form("/account/new-address", &[("address", "new@example.org")])
        .await;
    is_written(&app, &page, &[("email_changed", id, None, "", "")]).await;
    let page = ada
        .post_form("/account/password", &[("password", NEW)])
        .await;
    is_written(&app, &page, &[("password_changed", id, None, "", "")]).await;
    let page = ada
        .post_form("/account/password", &[("password", "short")])
        .await;
    is_written(&app, &page, &[]).await;
    app.mails().await;
    let page = ada
        .post_form("/login/forgot-password", &[("email", "new@example.org")])
        .await;
    is_written(&app, &page, &[("reset_requested", None, None, "", "")]).await;
    let mut elsewhere = app.browser();
    let form = elsewhere.get(&app.mail().await.link()).await;
    let page = elsewhere
        .submit_only(&form, "Set password", &[("password", PASSWORD)])
        .await;
    is_written(&app, &page, &[("password_reset", id, None, "", "")]).await;
    elsewhere.log_in("new@example.org", PASSWORD).await;
    let page = elsewhere.get("/users").await;
    is_written(&app, &page, &[("access_denied", id, None, "", "")]).await;
    let page = elsewhere.post_form("/logout", &[]).await;
    is_written(&app, &page, &[("logged_out", id, None, "", "")]).await;
    elsewhere.log_in("new@example.org", PASSWORD).await;
    let page = elsewhere.post_form("/account/delete", &[]).await;
    is_written(&app, &page, &[("user_deleted", id, None, "", "")]).await;
    let page = post_from_another_site(&app).await;
    is_written(
        &app,
        &page,
        &[(
            "csrf_rejected",
            None,
            None,
            "",
            "from \"https://evil.example\" instead of \"http://localhost:8000\"",
        )],
    )
    .await;
    let mut sent: Vec<_> = find(
        &app,
        AuditFilter {
            kind: Some(AuditEvent::MailSent),
            ..AuditFilter::default()
        },
    )
    .await
    .into_iter()
    .map(|row| row.method)
    .collect();
    // Mails that are due in the same second are sent in any order.
    sent.sort();
    assert_eq!(
        sent,
        [
            "account_exists",
            "email_change",
            "email_changed",
            "email_verification",
            "password_changed",
            "pending_approval",
            "reset"
        ],
        "and one for each mail"
    );
}
