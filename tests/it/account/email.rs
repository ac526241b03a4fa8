//! Another address for one's own account: nothing changes until the link in the new mailbox is used
//! by the very person (SR-142).

use super::{NEW, change_password, handed_over, is_in, logged_in, may_log_in};
use crate::support::{App, Browser, PASSWORD, Page, SMTP};
use axum::http::{Method, StatusCode};
use mediamanager_auth::server::{crypto::tokens::Purpose, flows::users::Role};
use serde_json::json;

const OLD: &str = "ada@example.org";
const MOVED: &str = "ada@new.example";
const IS_PROVEN: &str =
    "SELECT count(*) FROM auth_user_account WHERE email_verified_at IS NOT NULL";

/// Ada, logged in, where mail can be sent.
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

/// The path of the link that goes to the new mailbox.
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
async fn a_link_in_a_strangers_hands_changes_nothing() {
    let (app, mut ada) = ada().await;
    app.member("eve@example.org").await;
    let link = asked(&app, &mut ada, MOVED).await;
    // Eve opens Ada's link: neither account may change, or a stranger's mailbox would belong to the
    // account of whoever clicks.
    let mut eve = logged_in(&app, "eve@example.org").await;
    let page = open(&mut eve, &link).await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (StatusCode::GONE, "Confirm your new address")
    );
    assert!(
        page.text("[role=alert]")
            .unwrap()
            .contains("not valid for the account that is logged in")
    );
    assert_eq!(
        (
            address(&mut ada).await.as_str(),
            address(&mut eve).await.as_str()
        ),
        (OLD, "eve@example.org")
    );
    // Whoever is not logged in is asked to be, first, and comes back.
    let mut elsewhere = app.browser();
    let page = elsewhere.get(&link).await;
    assert!(page.path.starts_with("/login?return_to="), "{}", page.path);
    let page = elsewhere
        .submit(&page, "Log in", &[("email", OLD), ("password", PASSWORD)])
        .await;
    assert_eq!(
        elsewhere.submit(&page, "Use this address", &[]).await.path,
        "/account?notice=email_changed"
    );
    let mut stranger = app.browser();
    stranger.get(&link).await;
    assert_eq!(
        stranger
            .post_form("/account/new-address", &[("address", MOVED)])
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn the_token_leaves_the_address_and_is_in_no_page() {
    let (app, mut ada) = ada().await;
    let link = asked(&app, &mut ada, MOVED).await;
    let token = link
        .split("token=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap()
        .to_owned();
    let mut elsewhere = app.browser();
    for browser in [&mut ada, &mut elsewhere] {
        let answer = browser.call(Method::GET, &link, &[], "").await;
        assert_eq!(
            answer.location().as_deref(),
            Some("/account/new-address?address=ada%40new.example")
        );
        assert!(!answer.header("set-cookie").unwrap().contains(&token));
    }
    let page = elsewhere
        .get("/account/new-address?address=ada%40new.example")
        .await;
    assert_eq!(
        page.path,
        "/login?return_to=%2Faccount%2Fnew%2Daddress%3Faddress%3Dada%2540new%2Eexample"
    );
    assert!(!page.body.contains(&token));
    let page = ada
        .get("/account/new-address?address=ada%40new.example")
        .await;
    assert!(
        page.text(".lead").unwrap().contains(MOVED) && !page.body.contains(&token),
        "{}",
        page.body
    );
    assert_eq!(
        ada.submit(&page, "Use this address", &[]).await.path,
        "/account?notice=email_changed"
    );
    assert_eq!(
        ada.cookie_names().collect::<Vec<_>>(),
        ["fastapiusersauth"],
        "used, it goes"
    );
}

#[tokio::test]
async fn of_two_links_in_one_browser_the_page_takes_the_address_that_it_names_or_none() {
    let (app, mut ada) = ada().await;
    let first = asked(&app, &mut ada, MOVED).await;
    let second = asked(&app, &mut ada, "ada@other.example").await;
    let page = ada.get(&first).await;
    ada.get(&second).await;
    assert_eq!(
        ada.submit(&page, "Use this address", &[]).await.status,
        StatusCode::GONE
    );
    assert_eq!(address(&mut ada).await, OLD);
}

/// What makes a link void, between asking and opening.
async fn spoil(app: &App, ada: &mut Browser, link: &str, how: &str) {
    let mut boss = logged_in(app, "boss@example.org").await;
    let id = ada.get("/api/v1/users/me").await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    let mut patch = async |body: serde_json::Value| {
        let answer = boss
            .call(
                Method::PATCH,
                &format!("/api/v1/users/{id}"),
                &headers,
                &body.to_string(),
            )
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    };
    match how {
        "used" => assert_eq!(open(ada, link).await.path, "/account?notice=email_changed"),
        "another password" => assert_eq!(
            change_password(ada, NEW).await.path,
            "/account?notice=password_changed"
        ),
        "another change" => {
            let other = asked(app, ada, "ada@other.example").await;
            open(ada, &other).await;
        }
        "used, and the old address taken again" => {
            open(ada, link).await;
            app.mails().await;
            let back = asked(app, ada, OLD).await;
            open(ada, &back).await;
        }
        "an administrator's change" => patch(json!({ "email": "ada@third.example" })).await,
        "an administrator's password" => patch(json!({ "password": NEW })).await,
        "disabled and enabled again" => {
            patch(json!({ "is_active": false })).await;
            patch(json!({ "is_active": true })).await;
        }
        "a day" => app.pass(86_400),
        _ => panic!("{how}"),
    }
}

#[tokio::test]
async fn a_link_dies_with_everything_that_it_replaces() {
    for how in [
        "used",
        "another password",
        "another change",
        "an administrator's change",
        "an administrator's password",
        "disabled and enabled again",
        "a day",
        "used, and the old address taken again",
    ] {
        let (app, mut ada) = ada().await;
        app.user("boss@example.org", Role::Administrator).await;
        let link = asked(&app, &mut ada, MOVED).await;
        spoil(&app, &mut ada, &link, how).await;
        let (email, password) = match how {
            "used" => (MOVED, PASSWORD),
            "another change" => ("ada@other.example", PASSWORD),
            "an administrator's change" => ("ada@third.example", PASSWORD),
            "another password" | "an administrator's password" => (OLD, NEW),
            _ => (OLD, PASSWORD),
        };
        let mut browser = app.browser();
        assert_eq!(
            browser.log_in(email, password).await.path,
            "/account",
            "{how}"
        );
        assert_eq!(
            open(&mut browser, &link).await.status,
            StatusCode::GONE,
            "{how}"
        );
        assert_eq!(address(&mut browser).await, email, "{how}");
    }
}

#[tokio::test]
async fn the_links_that_were_made_before_die_with_the_address() {
    let (app, mut ada) = ada().await;
    let before = handed_over(&app, OLD).await;
    let there = asked(&app, &mut ada, MOVED).await;
    open(&mut ada, &there).await;
    assert_eq!(app.browser().get(&before).await.status, StatusCode::GONE);
    app.mails().await;
    // Nor do they come back to life with the address that they were made for.
    let back = asked(&app, &mut ada, OLD).await;
    open(&mut ada, &back).await;
    assert_eq!(
        app.browser().get(&before).await.status,
        StatusCode::GONE,
        "a link that has died stays dead"
    );
}

#[tokio::test]
async fn a_link_holds_for_its_own_address_and_purpose_only() {
    let (app, mut ada) = ada().await;
    let link = asked(&app, &mut ada, MOVED).await;
    let user = ada.get("/api/v1/users/me").await.json()["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let token = link
        .split("token=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap();
    let proof = app
        .state
        .tokens
        .sign_link(Purpose::EmailVerification, user, OLD, 600)
        .unwrap();
    let reset = handed_over(&app, OLD).await;
    for (token, address) in [
        (token, "thief@example.org"),
        (token, ""),
        (token, "nonsense"),
        (&token[1..], MOVED),
        (&proof, MOVED),
        (reset.split("token=").nth(1).unwrap(), MOVED),
        ("", MOVED),
        ("a.b.c", MOVED),
    ] {
        ada.get(&format!(
            "/account/new-address?token={token}&address={address}"
        ))
        .await;
        let page = ada
            .post_form("/account/new-address", &[("address", address)])
            .await;
        assert_eq!(page.status, StatusCode::GONE, "{address}");
    }
    let page = app
        .browser()
        .post_form(
            "/account/new-address",
            &[("token", token), ("address", MOVED)],
        )
        .await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert_eq!(address(&mut ada).await, OLD);
    // And the link is none for a new password, nor does what stands in its address become a part of
    // the page.
    assert_eq!(
        app.browser()
            .get(&format!("/login/reset-password?token={token}"))
            .await
            .status,
        StatusCode::GONE
    );
    let page = ada
        .get("/account/new-address?token=x&address=%3Cscript%3Ealert(1)%3C/script%3E")
        .await;
    assert!(!page.body.contains("<script>alert(1)"), "{}", page.body);
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
    // Only the owner of the mailbox gets here, so it may be said.
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
    // The listed address may be asked for, and even taken by whoever reads its mail; that alone
    // makes no administrator.
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

#[tokio::test]
async fn of_twenty_uses_of_one_link_at_once_one_wins() {
    let (app, mut ada) = ada().await;
    let link = asked(&app, &mut ada, MOVED).await;
    let page = ada.get(&link).await;
    let uses = (0..20).map(|number| {
        let (mut browser, page) = (ada.clone().at(&format!("198.51.100.{number}")), &page);
        async move {
            browser
                .submit_only(page, "Use this address", &[])
                .await
                .status
        }
    });
    let statuses = futures_util::future::join_all(uses).await;
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
            .all(|status| [303, 410].contains(&status.as_u16())),
        "{statuses:?}"
    );
    assert!(is_in(&ada).await);
    assert_eq!(
        app.mails()
            .await
            .iter()
            .filter(|mail| mail.to == OLD)
            .count(),
        1,
        "one notice"
    );
    assert_eq!(
        app.count("SELECT count(*) FROM auth_event WHERE kind = 'email_changed'")
            .await,
        1
    );
}
