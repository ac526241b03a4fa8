//! Password reset, by mail and by an administrator (SR-040 to SR-049).

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::support::{App, Browser, PASSWORD, Page, SMTP, log::Log};

mod links;
mod requests;
mod token;

const NEW: &str = "copper lantern meadow 4";
const RESETS: &str = "auth.email_password_resets = true\n";

async fn app() -> App {
    App::with(&format!("{RESETS}{SMTP}")).await
}

async fn forget(app: &App, email: &str) -> Page {
    let mut browser = app.browser();
    let page = browser.get("/login/forgot-password").await;
    browser
        .submit(&page, "Send link", &[("email", email)])
        .await
}

/// The path of the link in Ada's mail.
async fn mailed(app: &App) -> String {
    forget(app, "ada@example.org").await;
    app.mail().await.link()
}

async fn set(browser: &mut Browser, link: &str, password: &str) -> Page {
    let page = browser.get(link).await;
    if page.status != StatusCode::OK {
        return page;
    }
    browser
        .submit(&page, "Set password", &[("password", password)])
        .await
}

fn json_headers() -> [(&'static str, &'static str); 2] {
    [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ]
}

async fn post(app: &App, path: &str, body: &serde_json::Value) -> Page {
    app.browser()
        .call(Method::POST, path, &json_headers(), &body.to_string())
        .await
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_and_everybody_else_is_out() {
    let app = app().await;
    app.member("ada@example.org").await;
    let mut elsewhere = app.browser();
    elsewhere.log_in("ada@example.org", PASSWORD).await;

    let page = forget(&app, " Ada@Example.org ").await;
    assert_eq!(page.path, "/login?notice=reset_requested");
    assert!(
        page.text("[role=status]")
            .unwrap()
            .contains("a mail with a link is on its way")
    );
    let mail = app.mail().await;
    assert_eq!(
        (mail.to.as_str(), mail.subject.as_str()),
        ("ada@example.org", "New password for MediaManager")
    );
    for header in [
        "Auto-Submitted: auto-generated",
        "Date: ",
        "Message-ID: <",
        "From: MediaManager <media@example.org>",
    ] {
        assert!(mail.headers.contains(header), "{header}: {}", mail.headers);
    }
    assert!(mail.html.contains(&mail.link()) && mail.html.contains("color-scheme"));

    let mut browser = app.browser();
    let page = browser.get(&mail.link()).await;
    assert_eq!(
        (page.path.as_str(), page.heading().as_str()),
        ("/login/reset-password", "Choose a new password")
    );
    assert_eq!(
        page.attribute("#email", "value").as_deref(),
        Some("ada@example.org"),
        "for the password manager"
    );
    assert_eq!(
        page.attribute("#email", "autocomplete").as_deref(),
        Some("username")
    );
    assert_eq!(
        page.attribute("#password", "autocomplete").as_deref(),
        Some("new-password")
    );
    let page = browser
        .submit(&page, "Set password", &[("password", NEW)])
        .await;
    assert_eq!(page.path, "/login?notice=password_reset");
    assert_eq!(
        browser.get("/account").await.path,
        "/login?return_to=%2Faccount",
        "nobody is logged in by it"
    );
    assert_eq!(
        elsewhere.get("/account").await.path,
        "/login?return_to=%2Faccount",
        "everybody is out"
    );

    let notice = app.mail().await;
    assert_eq!(notice.subject, "Your password for MediaManager was changed");
    assert!(
        notice.text.contains("203.0.113.7") && notice.text.contains(" UTC"),
        "{}",
        notice.text
    );
    assert_eq!(
        app.browser()
            .log_in("ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        app.browser().log_in("ada@example.org", NEW).await.path,
        "/account"
    );
}

#[tokio::test]
async fn where_resets_are_off_no_token_is_made_or_taken() {
    for toml in [SMTP.to_owned(), RESETS.to_owned()] {
        let app = App::with(&toml).await;
        app.member("ada@example.org").await;
        assert!(
            app.browser()
                .get("/login")
                .await
                .attribute("p.aside", "hidden")
                .is_some()
        );
        let answer = post(
            &app,
            "/api/v1/auth/forgot-password",
            &json!({ "email": "ada@example.org" }),
        )
        .await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (StatusCode::ACCEPTED, "null")
        );
        assert_eq!(app.count("SELECT count(*) FROM auth_outbox").await, 0);
        assert!(
            app.browser()
                .get("/login/forgot-password")
                .await
                .body
                .contains("Ask an administrator"),
            "{toml}"
        );
    }
    // A link from an instance with resets enabled, so that it is valid in every other respect.
    let app = app().await;
    app.member("ada@example.org").await;
    let link = mailed(&app).await;
    let mut off = Browser::new(app.another(SMTP).await);
    let body =
        json!({ "token": link.split("token=").nth(1).unwrap(), "password": NEW }).to_string();
    let answer = off
        .call(
            Method::POST,
            "/api/v1/auth/reset-password",
            &json_headers(),
            &body,
        )
        .await;
    assert_eq!(
        (answer.status, answer.json()["detail"].as_str()),
        (StatusCode::BAD_REQUEST, Some("RESET_PASSWORD_BAD_TOKEN"))
    );
    assert_eq!(off.get(&link).await.status, StatusCode::GONE);
    assert_eq!(
        set(&mut app.browser(), &link, NEW).await.path,
        "/login?notice=password_reset",
        "where resets are on it works"
    );
}

#[tokio::test]
async fn links_in_mediamanagers_old_mails_lead_here() {
    let app = app().await;
    app.member("ada@example.org").await;
    let link = mailed(&app).await;
    let page = app.browser().get(&format!("/web{link}")).await;
    assert_eq!(page.heading(), "Choose a new password");
}

#[tokio::test]
async fn nothing_of_a_link_is_stored_or_logged() {
    let log = Log::begin();
    let app = app().await;
    app.member("ada@example.org").await;
    let link = mailed(&app).await;
    let token = link.split("token=").nth(1).unwrap().to_owned();
    set(&mut app.browser(), &link, NEW).await;
    set(&mut app.browser(), &link, NEW).await;
    let log = log.text();
    for event in ["reset_requested", "mail_sent", "password_reset"] {
        assert!(log.contains(event), "{event}: {log}");
    }
    for secret in [token.as_str(), NEW, "ada@example.org"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    assert_eq!(
        app.count("SELECT count(*) FROM auth_outbox WHERE address <> 'ada@example.org'")
            .await,
        0
    );
}
