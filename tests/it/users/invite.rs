//! Invitations and one-time links of administrators (SR-143).

use axum::http::StatusCode;
use mediamanager_auth::{
    domain::{AuthError, Email},
    server::flows::{Ctx, sessions, users},
};

use super::{act, fact, household, listed, logged_in, search};
use crate::support::{App, Browser, PASSWORD, Page, SMTP};

mod reset_link;

const NEW: &str = "copper lantern meadow 4";
const PROVEN: &str = "SELECT count(*) FROM auth_user_account WHERE email_verified_at IS NOT NULL";

async fn invite(admin: &mut Browser, email: &str) -> Page {
    let page = admin.get("/users/new").await;
    admin
        .submit(&page, "Create user", &[("email", email)])
        .await
}

/// Path and query of the link on a page.
fn shown(page: &Page) -> String {
    assert_eq!(
        (page.path.as_str(), page.heading().as_str()),
        ("/users/link", "One-time link")
    );
    page.text("pre.copy code")
        .unwrap()
        .strip_prefix("http://localhost:8000")
        .unwrap()
        .to_owned()
}

async fn choose(app: &App, link: &str, password: &str) -> Page {
    let mut browser = app.browser();
    let page = browser.get(link).await;
    if page.status != StatusCode::OK {
        return page;
    }
    browser
        .submit(&page, "Set password", &[("password", password)])
        .await
}

#[tokio::test]
async fn somebody_is_invited_without_any_mail() {
    let (app, mut ada, ..) = household("").await;
    assert!(
        ada.get("/users/new")
            .await
            .text(".lead")
            .unwrap()
            .contains("You get a link to hand over.")
    );
    let page = invite(&mut ada, " Eve@Example.org ").await;
    assert_eq!(
        page.text(".lead").unwrap(),
        "Whoever opens it chooses a password for eve@example.org. It works once, for 72 hours, and is shown only now."
    );
    let link = shown(&page);
    let again = ada.get("/users/link").await;
    assert_eq!(
        (again.status, again.body.contains("token=")),
        (StatusCode::NOT_FOUND, false),
        "and not when the page is loaded again"
    );
    let page = app.browser().log_in("eve@example.org", PASSWORD).await;
    assert_eq!(
        page.status,
        StatusCode::UNAUTHORIZED,
        "there is no password yet"
    );
    app.pass(72 * 3600 - 1);
    assert_eq!(
        choose(&app, &link, NEW).await.path,
        "/login?notice=password_reset"
    );
    assert_eq!(
        app.browser().log_in("eve@example.org", NEW).await.path,
        "/account",
        "approved"
    );
    assert_eq!(
        choose(&app, &link, PASSWORD).await.status,
        StatusCode::GONE,
        "once"
    );
    let mut ada = logged_in(&app, "ada@example.org").await;
    let page = search(&mut ada, "eve", "").await;
    let page = ada
        .get(&page.attribute("tbody th a", "href").unwrap())
        .await;
    assert!(
        fact(&page, "State").starts_with("Active, by ada@example.org, "),
        "{}",
        fact(&page, "State")
    );
    assert_eq!(
        (
            fact(&page, "Address proven").as_str(),
            fact(&page, "Role").as_str()
        ),
        ("No", "Member"),
        "whoever has the link proves no mailbox"
    );
}

#[tokio::test]
async fn an_invitation_ends_after_three_days() {
    let (app, mut ada, ..) = household("").await;
    let link = shown(&invite(&mut ada, "eve@example.org").await);
    app.pass(72 * 3600);
    assert_eq!(choose(&app, &link, NEW).await.status, StatusCode::GONE);
    // The administrator creates another link with the same lifetime, because the account has never
    // been used.
    let mut ada = logged_in(&app, "ada@example.org").await;
    let eve = mediamanager_auth::domain::Email::parse("eve@example.org").unwrap();
    let eve = mediamanager_auth::server::db::users::find_by_email(&app.state.db, &eve)
        .await
        .unwrap()
        .unwrap()
        .user;
    let page = act(&mut ada, &eve, "Make a link for a new password").await;
    assert!(page.text(".lead").unwrap().contains("for 72 hours"));
    assert_eq!(
        choose(&app, &shown(&page), NEW).await.path,
        "/login?notice=password_reset"
    );
}

#[tokio::test]
async fn somebody_is_invited_by_mail_and_the_mail_proves_the_mailbox() {
    let (app, mut ada, ..) = household(SMTP).await;
    assert!(
        ada.get("/users/new")
            .await
            .text(".lead")
            .unwrap()
            .contains("They get a mail")
    );
    let before = app.count(PROVEN).await;
    let page = invite(&mut ada, "eve@example.org").await;
    assert!(
        page.path.starts_with("/users/") && page.path.ends_with("?notice=account_created"),
        "{}",
        page.path
    );
    assert!(
        !page.body.contains("token="),
        "the link is for the mailbox alone"
    );
    let mail = app.mail().await;
    assert_eq!(
        (mail.to.as_str(), mail.subject.as_str()),
        ("eve@example.org", "Your account at MediaManager")
    );
    assert!(mail.text.contains("three days"), "{}", mail.text);
    app.pass(72 * 3600 - 1);
    // An invitation works although resets by mail are disabled.
    assert_eq!(
        choose(&app, &mail.link(), NEW).await.path,
        "/login?notice=password_reset"
    );
    assert_eq!(
        app.browser().log_in("eve@example.org", NEW).await.path,
        "/account"
    );
    assert_eq!(app.count(PROVEN).await, before + 1);
    assert_eq!(
        choose(&app, &mail.link(), PASSWORD).await.status,
        StatusCode::GONE
    );

    let mut ada = logged_in(&app, "ada@example.org").await;
    app.mails().await;
    invite(&mut ada, "late@example.org").await;
    let link = app.mail().await.link();
    app.pass(72 * 3600);
    assert_eq!(
        choose(&app, &link, NEW).await.status,
        StatusCode::GONE,
        "three days are over"
    );
}

#[tokio::test]
async fn an_invitation_to_somebody_who_was_deleted_or_disabled_is_not_sent() {
    for action in ["delete", "disable"] {
        let (app, mut ada, ..) = household(SMTP).await;
        let page = invite(&mut ada, "eve@example.org").await;
        let id = page.path.split(['/', '?']).nth(2).unwrap();
        assert_eq!(
            ada.post_form("/users/change", &[("id", id), ("action", action)])
                .await
                .status,
            StatusCode::SEE_OTHER
        );
        assert_eq!(app.mails().await.len(), 0, "{action}");
    }
}

#[tokio::test]
async fn an_address_with_an_account_is_refused_beside_the_field() {
    for toml in ["", SMTP] {
        let (app, mut ada, ..) = household(toml).await;
        for (email, status, reason) in [
            (
                "BOB@example.org",
                StatusCode::CONFLICT,
                "There is an account with this e-mail address already.",
            ),
            (
                "nonsense",
                StatusCode::UNPROCESSABLE_ENTITY,
                "Enter an e-mail address",
            ),
            (
                "",
                StatusCode::UNPROCESSABLE_ENTITY,
                "Enter an e-mail address",
            ),
        ] {
            let page = invite(&mut ada, email).await;
            assert_eq!(
                (page.status, page.heading().as_str()),
                (status, "Create a user"),
                "{email}"
            );
            assert!(
                page.text("#email-error").unwrap().contains(reason),
                "{email}: {}",
                page.body
            );
            assert_eq!(page.attribute("#email", "value").as_deref(), Some(email));
        }
        assert_eq!(
            listed(&ada.get("/users").await),
            ["ada@example.org", "bob@example.org"]
        );
        assert_eq!(app.count("SELECT count(*) FROM auth_outbox").await, 0);
        assert_eq!(
            app.browser().log_in("bob@example.org", PASSWORD).await.path,
            "/account",
            "his account is as it was"
        );
    }
}

#[tokio::test]
async fn of_ten_invitations_of_one_address_at_once_one_makes_the_account() {
    let (app, ada, ..) = household("").await;
    let all = (0..10).map(|_| {
        let mut browser = ada.clone();
        async move {
            browser
                .post_form("/users/new", &[("email", "eve@example.org")])
                .await
                .status
        }
    });
    let statuses = futures_util::future::join_all(all).await;
    assert_eq!(
        statuses
            .iter()
            .filter(|status| **status == StatusCode::SEE_OTHER)
            .count(),
        1,
        "{statuses:?}"
    );
    assert!(
        statuses
            .iter()
            .all(|status| [303, 409, 503].contains(&status.as_u16())),
        "{statuses:?}"
    );
    assert_eq!(app.count("SELECT count(*) FROM \"user\"").await, 3);
}

#[tokio::test]
async fn who_was_an_administrator_a_moment_ago_makes_and_deletes_nobody() {
    let (app, ada, _, bob) = household("").await;
    let current = sessions::resolve(&app.state, ada.cookie("fastapiusersauth").unwrap())
        .await
        .unwrap()
        .unwrap();
    let (admin, cx) = (current.admin().unwrap(), Ctx::cli(&app.state));
    let ended = "UPDATE auth_session SET ended_at = 1";
    let withdrawn = (
        "UPDATE \"user\" SET is_verified = false",
        AuthError::Forbidden,
    );
    for (change, error) in [
        withdrawn,
        (
            "UPDATE \"user\" SET is_superuser = false",
            AuthError::Forbidden,
        ),
        (ended, AuthError::NotLoggedIn),
    ] {
        app.sql(change).await;
        let made = users::invite(&cx, &admin, Email::parse("eve@example.org").unwrap()).await;
        assert_eq!(
            (
                made.err(),
                users::delete_user(&cx, &admin, bob.id).await.err()
            ),
            (Some(error), Some(error)),
            "{change}"
        );
    }
    assert_eq!(app.count("SELECT count(*) FROM \"user\"").await, 2);
}

#[tokio::test]
async fn a_form_of_an_ended_session_says_so() {
    let (app, mut ada, ..) = household("").await;
    let page = ada.get("/users/new").await;
    app.sql("UPDATE auth_session SET ended_at = 1").await;
    app.pass(2);
    let told = ada
        .submit(&page, "Create user", &[("email", "eve@example.org")])
        .await;
    assert_eq!(
        (told.status, told.text(".lead").as_deref()),
        (
            StatusCode::UNAUTHORIZED,
            Some("Your session has ended. Log in again.")
        )
    );
}
