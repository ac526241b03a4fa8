//! Changing the email address of the own account: it takes effect when the same user opens the link
//! in the new mailbox (SR-142).

use axum::http::{Method, StatusCode};
use mediamanager_auth::server::flows::users::Role;
use serde_json::json;

use super::{logged_in, may_log_in};
use crate::support::{App, Browser, PASSWORD, Page, SMTP};

mod links;

const OLD: &str = "ada@example.org";
const MOVED: &str = "ada@new.example";
const IS_PROVEN: &str =
    "SELECT count(*) FROM auth_user_account WHERE email_verified_at IS NOT NULL";

/// Ada, logged in, with mail configured.
async fn ada() -> (App, Browser) {
    let app = App::with(SMTP).await;
    app.member(OLD).await;
    let browser = logged_in(&app, OLD).await;
    (app, browser)
}

async fn ask(browser: &mut Browser, email: &str) -> Page {
    let page = browser.get("/account/address").await;
    browser
        .submit(&page, "Send link", &[("email", email)])
        .await
}

/// The path of the link in the mail to the new address.
async fn asked(app: &App, browser: &mut Browser, email: &str) -> String {
    assert_eq!(
        ask(browser, email).await.path,
        "/account?notice=email_change_sent"
    );
    let mail = app.mail().await;
    assert_eq!(mail.to, email);
    mail.link()
}

async fn open(browser: &mut Browser, link: &str) -> Page {
    let page = browser.get(link).await;
    assert_eq!(page.heading(), "Confirm your new address");
    browser.submit(&page, "Use this address", &[]).await
}

async fn address(browser: &mut Browser) -> String {
    browser.get("/api/v1/users/me").await.json()["email"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn somebody_moves_to_another_mailbox() {
    let (app, mut ada) = ada().await;
    let page = ask(&mut ada, " Ada@New.example ").await;
    assert!(
        page.text("[role=status]")
            .unwrap()
            .starts_with("We have sent a mail to the new address.")
    );
    let mail = app.mail().await;
    assert_eq!(
        (mail.to.as_str(), mail.subject.as_str()),
        (MOVED, "Your new address for MediaManager")
    );
    for method in [Method::HEAD, Method::GET, Method::OPTIONS] {
        ada.call(method, &mail.link(), &[], "").await;
    }
    assert_eq!(
        (address(&mut ada).await.as_str(), app.mails().await.len()),
        (OLD, 0),
        "programs that look through mail change nothing"
    );
    let page = open(&mut ada, &mail.link()).await;
    assert_eq!(page.path, "/account?notice=email_changed");
    assert_eq!(page.text("dl.facts dd").as_deref(), Some(MOVED));
    assert_eq!(
        (
            may_log_in(&app, OLD, PASSWORD).await,
            may_log_in(&app, MOVED, PASSWORD).await
        ),
        (false, true)
    );
    let notice = app.mail().await;
    assert_eq!(
        (notice.to.as_str(), notice.subject.as_str()),
        (OLD, "Your address for MediaManager was changed")
    );
    assert!(
        !notice.text.contains(MOVED),
        "where to, is nobody's business there: {}",
        notice.text
    );
    assert_eq!(
        app.count(IS_PROVEN).await,
        1,
        "the link has proven the new one"
    );
}

#[tokio::test]
async fn an_address_that_is_taken_meanwhile_stays_its_owners() {
    let (app, mut ada) = ada().await;
    let link = asked(&app, &mut ada, MOVED).await;
    app.member(MOVED).await;
    let page = open(&mut ada, &link).await;
    assert_eq!(
        (page.status, address(&mut ada).await.as_str()),
        (StatusCode::CONFLICT, OLD)
    );
    assert_eq!(
        app.mails().await.len(),
        0,
        "nothing has changed, so nobody is told"
    );
    // Only the owner of the mailbox reaches this page, so the message reveals nothing to others.
    assert!(
        page.text("main")
            .unwrap()
            .contains("There is an account with this e-mail address already."),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn whoever_asks_learns_nothing_about_an_address_and_its_owner_is_told() {
    let (app, mut ada) = ada().await;
    app.member("eve@example.org").await;
    app.member("gone@example.org").await;
    app.sql("UPDATE \"user\" SET is_active = false WHERE email = 'gone@example.org'")
        .await;
    let mut answers = Vec::new();
    for email in ["eve@example.org", "gone@example.org", "free@example.org"] {
        let page = ask(&mut ada, email).await;
        answers.push((page.status, page.path.clone(), page.text("main")));
    }
    assert!(
        answers.windows(2).all(|pair| pair[0] == pair[1]),
        "{answers:?}"
    );
    let mails = app.mails().await;
    let to = |email: &str| {
        mails
            .iter()
            .find(|mail| mail.to == email)
            .unwrap_or_else(|| panic!("{mails:?}"))
    };
    assert_eq!(
        to("free@example.org").subject,
        "Your new address for MediaManager"
    );
    let eves = to("eve@example.org");
    assert_eq!(eves.subject, "You have an account at MediaManager");
    assert!(
        !eves.text.contains("token=") && !eves.text.contains(OLD),
        "{}",
        eves.text
    );
    assert!(mails.iter().all(|mail| mail.to != OLD), "{mails:?}");
}

#[tokio::test]
async fn another_address_proves_approves_and_raises_nobody() {
    // An address of `admin_emails` may be requested and even taken by the reader of its mail; it
    // does not grant administration by itself.
    let app = App::with(&format!("auth.admin_emails = ['boss@example.org']\n{SMTP}")).await;
    app.user("eve@example.org", Role::Pending).await;
    app.sql("UPDATE auth_user_account SET email_verified_at = NULL")
        .await;
    let mut eve = logged_in(&app, "eve@example.org").await;
    let link = asked(&app, &mut eve, "boss@example.org").await;
    assert_eq!(open(&mut eve, &link).await.status, StatusCode::OK);
    let me = eve.get("/api/v1/users/me").await.json();
    assert_eq!(
        (&me["email"], &me["is_superuser"], &me["is_verified"]),
        (&json!("boss@example.org"), &json!(false), &json!(false))
    );
    assert_eq!(
        app.count(IS_PROVEN).await,
        0,
        "an account that a stranger may have made stays unproven"
    );
    assert_eq!(
        app.browser()
            .log_in("boss@example.org", PASSWORD)
            .await
            .path,
        "/login/verify",
        "also at the next login"
    );
    app.mails().await;

    app.member("bob@example.org").await;
    app.sql("UPDATE \"user\" SET email = 'former@example.org' WHERE email = 'boss@example.org'")
        .await;
    let mut bob = logged_in(&app, "bob@example.org").await;
    let link = asked(&app, &mut bob, "boss@example.org").await;
    open(&mut bob, &link).await;
    assert_eq!(
        bob.get("/api/v1/users/me").await.json()["is_superuser"],
        json!(false),
        "not by the change itself"
    );
    assert_eq!(bob.get("/users").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn without_mail_it_is_an_administrators_business() {
    let app = App::new().await;
    app.member(OLD).await;
    let mut ada = logged_in(&app, OLD).await;
    let page = ada.get("/account/address").await;
    assert!(
        page.text(".lead")
            .unwrap()
            .ends_with("Ask an administrator to change it.")
            && page.text("form[action='/account/address']").is_none()
    );
    let page = ada.post_form("/account/address", &[("email", MOVED)]).await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (StatusCode::FORBIDDEN, "Change e-mail")
    );
    assert_eq!(
        (
            app.count("SELECT count(*) FROM auth_outbox").await,
            address(&mut ada).await.as_str()
        ),
        (0, OLD)
    );
}

#[tokio::test]
async fn what_is_no_other_address_is_said_beside_the_field() {
    let (app, mut ada) = ada().await;
    for (email, reason) in [
        ("ADA@example.org", "account's address already"),
        ("nonsense", "Enter an e-mail address"),
        ("ad\u{430}@example.org", "Enter an e-mail"),
    ] {
        let page = ask(&mut ada, email).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{email}");
        assert!(
            page.text("#email-error").unwrap().contains(reason),
            "{email}: {}",
            page.body
        );
        assert_eq!(
            page.attribute("#email", "value").as_deref(),
            Some(email),
            "to be mended"
        );
    }
    assert_eq!(app.count("SELECT count(*) FROM auth_outbox").await, 0);
}

#[tokio::test]
async fn nobodys_mailbox_is_filled_by_somebody_with_an_account() {
    let (app, mut ada) = ada().await;
    for number in 0..6 {
        let page = ask(&mut ada, "victim@example.org").await;
        let expected = if number < 5 {
            StatusCode::OK
        } else {
            StatusCode::TOO_MANY_REQUESTS
        };
        assert_eq!(page.status, expected, "{number}");
    }
    assert_eq!(app.mails().await.len(), 3);
}
