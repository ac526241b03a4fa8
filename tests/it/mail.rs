//! The text of the mails, and mail settings.

use axum::http::Method;
use mediamanager_auth::server::{
    clock,
    config::{self, Sources},
    flows::users::Role,
};

use crate::support::{App, Mail, PASSWORD, SMTP};

mod queue;

const NEW: &str = "copper lantern meadow 4";

const SETTINGS: &str = "auth.email_password_resets = true\nserver.app_name = 'Lovelace & Söhne'\n";

/// Both parts of a mail without values that change between runs; of the HTML, the text between the
/// tags of the body, one line each.
fn redacted(app: &App, mail: &Mail) -> String {
    let (_, body) = mail.html.split_once("<body").unwrap();
    let text = format!(
        "To: {}\nSubject: {}\n\n{}\n<body{}",
        mail.to,
        mail.subject,
        mail.text,
        body.replace("><", ">\n<")
    );
    let mut parts = text.split("token=");
    let before = parts.next().unwrap().to_owned();
    let is_in_token = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let text = parts.fold(before, |text, part| {
        format!("{text}token=…{}", part.trim_start_matches(is_in_token))
    });
    text.replace(&clock::format_human(app.state.clock.now()), "…")
}

#[tokio::test]
async fn every_mail_reads_as_it_should() {
    let app = App::with(&format!("{SETTINGS}{SMTP}")).await;
    app.user("boss@example.org", Role::Administrator).await;
    app.member("ada@example.org").await;
    let mut browser = app.browser();
    let page = browser.get("/login/signup").await;
    browser
        .submit(
            &page,
            "Create account",
            &[("email", "new@example.org"), ("password", PASSWORD)],
        )
        .await;
    browser
        .submit(
            &page,
            "Create account",
            &[("email", "ada@example.org"), ("password", PASSWORD)],
        )
        .await;
    let mails = app.mails().await;
    let proof = mails
        .iter()
        .find(|mail| mail.to == "new@example.org")
        .unwrap();
    let exists = mails
        .iter()
        .find(|mail| mail.to == "ada@example.org")
        .unwrap();
    insta::assert_snapshot!("email_verification", redacted(&app, proof));
    insta::assert_snapshot!("account_exists", redacted(&app, exists));

    browser.log_in("new@example.org", PASSWORD).await;
    let page = browser.get(&proof.link()).await;
    browser.submit(&page, "Confirm the address", &[]).await;
    insta::assert_snapshot!("pending_approval", redacted(&app, &app.mail().await));

    let mut browser = app.browser();
    let page = browser.get("/login/forgot-password").await;
    browser
        .submit(&page, "Send link", &[("email", "ada@example.org")])
        .await;
    let reset = app.mail().await;
    insta::assert_snapshot!("reset", redacted(&app, &reset));
    let page = browser.get(&reset.link()).await;
    browser
        .submit(
            &page,
            "Set password",
            &[("password", "copper lantern meadow 4")],
        )
        .await;
    let notice = app.mail().await;
    insta::assert_snapshot!("password_changed", redacted(&app, &notice));
    assert!(
        notice.html.contains("Lovelace &amp; Söhne")
            && notice.headers.contains("MIME-Version: 1.0"),
        "{}",
        notice.html
    );
}

#[tokio::test]
async fn every_mail_about_an_account_reads_as_it_should() {
    let app = App::with(&format!("{SETTINGS}{SMTP}")).await;
    app.user("boss@example.org", Role::Administrator).await;
    let ada = app.member("ada@example.org").await;
    let mut boss = app.browser();
    boss.log_in("boss@example.org", PASSWORD).await;
    let page = boss.get("/users/new").await;
    boss.submit(&page, "Create user", &[("email", "eve@example.org")])
        .await;
    insta::assert_snapshot!("invitation", redacted(&app, &app.mail().await));

    let mut browser = app.browser();
    browser.log_in("ada@example.org", PASSWORD).await;
    browser
        .post_form("/account/address", &[("email", "ada@new.example")])
        .await;
    let mail = app.mail().await;
    insta::assert_snapshot!("email_change", redacted(&app, &mail));
    let page = browser.get(&mail.link()).await;
    browser.submit(&page, "Use this address", &[]).await;
    insta::assert_snapshot!("email_changed", redacted(&app, &app.mail().await));
    browser
        .post_form("/account/address", &[("email", "boss@example.org")])
        .await;
    insta::assert_snapshot!("email_change_taken", redacted(&app, &app.mail().await));

    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    boss.call(
        Method::PATCH,
        &format!("/api/v1/users/{}", ada.id),
        &headers,
        &format!(r#"{{"password":"{NEW}"}}"#),
    )
    .await;
    insta::assert_snapshot!("password_set", redacted(&app, &app.mail().await));
}

#[test]
fn plain_mail_is_warned_about_and_a_missing_authority_refused() {
    let load = |toml: &str| {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        std::fs::write(
            file.path(),
            format!(
                "auth.token_secret = '{}'\nauth.admin_emails = []\n{toml}",
                crate::support::TOKEN_SECRET
            ),
        )
        .unwrap();
        config::load(&Sources {
            config_file: Some(file.path().to_owned()),
            environment: Vec::new(),
        })
    };
    let plain = load(&format!("{SMTP}use_tls = false")).unwrap();
    assert!(
        plain
            .warnings
            .iter()
            .any(|warning| warning.contains("use_tls is false")),
        "{:?}",
        plain.warnings
    );
    let missing = load("server.smtp_ca_file = '/nowhere.pem'").unwrap_err();
    assert!(
        missing[0]
            .to_string()
            .contains("server.smtp_ca_file cannot be read"),
        "{missing:?}"
    );
}
