//! Events contain no typed text, no credentials, and no address if the operator disables addresses.

use axum::http::Method;
use mediamanager_auth::{
    domain::AuditEvent,
    server::{
        db::{self, events::AuditFilter},
        flows::users::Role,
    },
};

use super::{NEW, RESETS, everything, find, logged_in};
use crate::support::{
    Account, App, Household, PASSWORD, SMTP, TOKEN_SECRET, app_with_provider::set_out, log::Log,
    provider::CLIENT_SECRET,
};

async fn in_the_table(app: &App) -> String {
    format!("{:#?}", everything(app).await)
}

#[tokio::test]
async fn nothing_of_a_failed_login_is_written_down_but_that_it_failed() {
    let log = Log::begin();
    let app = App::new().await;
    let ada = app.member("ada@example.org").await;
    // Some users type their password into the email field.
    let tries = [
        ("ada@example.org", "secret-one"),
        ("nobody@example.org", "secret-two"),
        ("my-secret-three", "x"),
        ("secret.four@example.org", ""),
    ];
    for (email, password) in tries {
        for path in ["/login", "/api/v1/auth/cookie/login"] {
            app.browser()
                .post_form(
                    path,
                    &[
                        ("email", email),
                        ("username", email),
                        ("password", password),
                    ],
                )
                .await;
        }
    }
    let failed = find(
        &app,
        AuditFilter {
            kind: Some(AuditEvent::LoginFailed),
            ..AuditFilter::default()
        },
    )
    .await;
    let users: Vec<_> = failed.iter().rev().take(4).map(|row| row.user_id).collect();
    assert_eq!(
        users,
        [Some(ada.id), Some(ada.id), None, None],
        "known and unknown"
    );
    let table = in_the_table(&app).await;
    for typed in ["ada@", "nobody@", "secret"] {
        assert!(!table.contains(typed), "{typed}: {table}");
        assert!(!log.text().contains(typed), "{typed}: {}", log.text());
    }
}

#[tokio::test]
async fn no_event_holds_a_secret_after_a_run_through_everything() {
    let log = Log::begin();
    let home = Household::with(&format!("{RESETS}{SMTP}")).await;
    let app = &home.app;
    let mut secrets = vec![
        PASSWORD.to_owned(),
        NEW.to_owned(),
        TOKEN_SECRET.to_owned(),
        CLIENT_SECRET.to_owned(),
        "access token of".to_owned(),
    ];
    app.user("boss@example.org", Role::Administrator).await;
    let ada = app.member("ada@example.org").await;
    let (mut boss, mut browser) = (
        logged_in(app, "boss@example.org").await,
        logged_in(app, "ada@example.org").await,
    );
    secrets.extend(
        [&boss, &browser].map(|browser| browser.cookie("fastapiusersauth").unwrap().to_owned()),
    );
    // Links: password reset by mail and by an administrator, email change, invitation.
    app.browser()
        .post_form("/login/forgot-password", &[("email", "ada@example.org")])
        .await;
    browser
        .post_form("/account/address", &[("email", "new@example.org")])
        .await;
    boss.post_form("/users/new", &[("email", "invited@example.org")])
        .await;
    boss.post_form(
        "/users/change",
        &[("id", &ada.id.to_string()), ("action", "create-reset-link")],
    )
    .await;
    secrets.push(boss.cookie("one-time-link").unwrap().to_owned());
    let shown = boss.get("/users/link").await.text("pre.copy code").unwrap();
    let links: Vec<_> = app
        .mails()
        .await
        .iter()
        .map(|mail| mail.link())
        .chain([shown])
        .collect();
    assert_eq!(links.len(), 4);
    secrets.extend(links.iter().map(|link| {
        link.split("token=")
            .nth(1)
            .unwrap()
            .split('&')
            .next()
            .unwrap()
            .to_owned()
    }));
    for link in &links {
        let mut somebody = app.browser();
        let page = somebody
            .get(link.strip_prefix("http://localhost:8000").unwrap_or(link))
            .await;
        if page.heading() == "Choose a new password" {
            somebody
                .submit(&page, "Set password", &[("password", NEW)])
                .await;
        }
    }
    // Responses of the provider: valid, rejected, made up, and with secrets in the error message.
    for change in [
        ("", ""),
        ("code=", "code=x"),
        ("state=", "state=x"),
        ("code=", "error=access_denied&x="),
    ] {
        let mut somebody = app.browser();
        let back = home.provider.answer(
            &set_out(&mut somebody).await,
            &Account::confirmed("eve@example.org"),
        );
        let query = back.split_once('?').unwrap().1;
        let values: Vec<_> = form_urlencoded::parse(query.as_bytes())
            .map(|(_, value)| value.into_owned())
            .collect();
        secrets.extend(values);
        let name = somebody
            .cookie_names()
            .find(|name| name.starts_with("oidc-attempt-"))
            .unwrap()
            .to_owned();
        secrets.push(somebody.cookie(&name).unwrap().to_owned());
        somebody.get(&back.replacen(change.0, change.1, 1)).await;
    }
    let table = in_the_table(app).await;
    for kind in [
        "reset_requested",
        "password_reset",
        "reset_link_created",
        "email_change_requested",
        "user_created",
        "login_failed",
        "identity_linked",
        "mail_sent",
    ] {
        assert!(table.contains(kind), "{kind}: {table}");
    }
    for user in ["ada@example.org", "boss@example.org"] {
        let email = mediamanager_auth::domain::Email::parse(user).unwrap();
        secrets.push(
            db::users::find_by_email(&app.state.db, &email)
                .await
                .unwrap()
                .unwrap()
                .hashed_password,
        );
    }
    secrets.push("$argon2".to_owned());
    for secret in secrets {
        assert!(secret.len() > 6, "{secret:?} is no secret");
        assert!(!table.contains(&secret), "{secret}: {table}");
        assert!(!log.text().contains(&secret), "the log has {secret}");
    }
    assert!(!table.contains("@example.org"), "nor an address: {table}");
}

#[tokio::test]
async fn where_the_operator_wants_no_addresses_there_are_none() {
    let log = Log::begin();
    let app = App::with(&format!(
        "server.log_client_address = false\n{RESETS}{SMTP}"
    ))
    .await;
    app.user("boss@example.org", Role::Administrator).await;
    let mut boss = logged_in(&app, "boss@example.org").await;
    for address in ["203.0.113.7", "[2001:db8:5:6::9]"] {
        let mut browser = app.browser().at(address);
        browser.log_in("boss@example.org", "wrong").await;
        browser
            .post_form(
                "/login/signup",
                &[
                    ("email", &format!("eve{}@example.org", address.len())),
                    ("password", PASSWORD),
                ],
            )
            .await;
        browser
            .post_form("/login/forgot-password", &[("email", "boss@example.org")])
            .await;
        let headers = [
            ("sec-fetch-site", "cross-site"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        browser.call(Method::POST, "/login", &headers, "").await;
        for number in 0..25 {
            browser
                .post_form(
                    "/login",
                    &[
                        ("email", &format!("nobody{number}@example.org")),
                        ("password", "wrong"),
                    ],
                )
                .await;
        }
        browser.get("/login/oidc").await;
        browser.get("/nowhere").await;
    }
    app.mails().await;
    let rows = everything(&app).await;
    let kinds: std::collections::BTreeSet<_> = rows.iter().map(|row| row.kind.as_str()).collect();
    for kind in [
        "logged_in",
        "login_failed",
        "login_throttled",
        "signed_up",
        "reset_requested",
        "csrf_rejected",
        "mail_sent",
    ] {
        assert!(kinds.contains(kind), "{kind}: {kinds:?}");
    }
    assert!(
        rows.iter()
            .all(|row| row.client_ip == "-" || row.client_ip == "shell" && row.method == "shell"),
        "{rows:#?}"
    );
    assert!(!boss.get("/users/events").await.body.contains("203.0.113.7"));
    for address in ["203.0.113.7", "2001:db8"] {
        let lines: Vec<_> = log
            .text()
            .lines()
            .filter(|line| line.contains(address))
            .map(str::to_owned)
            .collect();
        assert!(lines.is_empty(), "{lines:?}");
    }
}
