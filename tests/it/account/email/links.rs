//! The link of an email change: single use, bound to one session's user, one address and one
//! purpose (SR-142).

use axum::http::{Method, StatusCode};
use mediamanager_auth::server::{crypto::tokens::Purpose, flows::users::Role};
use serde_json::json;

use super::{MOVED, OLD, ada, address, asked, open};
use crate::{
    account::{NEW, change_password, handed_over, is_in, logged_in},
    support::{App, Browser, PASSWORD},
};

#[tokio::test]
async fn a_link_in_a_strangers_hands_changes_nothing() {
    let (app, mut ada) = ada().await;
    app.member("eve@example.org").await;
    let link = asked(&app, &mut ada, MOVED).await;
    // Eve opens Ada's link. Neither account may change: otherwise a link that a stranger sends
    // would give the stranger's mailbox to the account of its reader.
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
    // A browser without a session is led through the login and back.
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
        ada.cookie_names()
            .filter(|name| !name.starts_with("device-"))
            .collect::<Vec<_>>(),
        ["fastapiusersauth", "notice"],
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

/// Invalidates the link between request and use.
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
    // Returning to the old address does not make its links valid again.
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
    // The token is invalid for a password reset, and text in the URL does not reach the page.
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
