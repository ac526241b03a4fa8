//! The token of a reset link: single use, bound to one user and purpose, short-lived.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::{NEW, app, forget, json_headers, mailed, post, set};
use crate::support::PASSWORD;

#[tokio::test]
async fn a_reset_link_works_once() {
    let app = app().await;
    app.member("ada@example.org").await;
    let link = mailed(&app).await;
    assert_eq!(
        set(&mut app.browser(), &link, NEW).await.path,
        "/login?notice=password_reset"
    );
    let again = app.browser().get(&link).await;
    assert_eq!(
        (again.status, again.heading().as_str()),
        (StatusCode::GONE, "Something went wrong")
    );
    assert_eq!(
        again.attribute("a.button", "href").as_deref(),
        Some("/login/forgot-password"),
        "no dead end"
    );
}

#[tokio::test]
async fn of_twenty_uses_of_one_link_at_once_one_wins() {
    let app = app().await;
    app.member("ada@example.org").await;
    let link = mailed(&app).await;
    let token = link.split("token=").nth(1).unwrap().to_owned();
    let uses = (0..20).map(|number| {
        let (mut browser, token) = (
            app.browser().at(&format!("198.51.100.{number}")),
            token.clone(),
        );
        async move {
            let body = json!({ "token": token, "password": format!("{NEW} number {number}") });
            browser
                .call(
                    Method::POST,
                    "/api/v1/auth/reset-password",
                    &json_headers(),
                    &body.to_string(),
                )
                .await
        }
    });
    let answers = futures_util::future::join_all(uses).await;
    let (winners, losers): (Vec<_>, Vec<_>) =
        (0..20).partition(|number: &usize| answers[*number].status == StatusCode::OK);
    assert_eq!(winners.len(), 1, "{winners:?}");
    for answer in losers.iter().map(|number| &answers[*number]) {
        assert_eq!(
            (answer.status, answer.json()["detail"].as_str()),
            (StatusCode::BAD_REQUEST, Some("RESET_PASSWORD_BAD_TOKEN"))
        );
    }
    assert_eq!(
        app.browser()
            .log_in("ada@example.org", &format!("{NEW} number {}", winners[0]))
            .await
            .path,
        "/account",
        "the winner's password counts"
    );
    assert_eq!(
        app.mail().await.subject,
        "Your password for MediaManager was changed",
        "and one notice goes out"
    );
}

#[tokio::test]
async fn the_page_sets_the_password_of_whom_it_names() {
    let app = app().await;
    app.member("ada@example.org").await;
    app.member("eve@example.org").await;
    let mut browser = app.browser();
    let adas = browser.get(&mailed(&app).await).await;
    // A second link is opened in another tab of the same browser.
    forget(&app, "eve@example.org").await;
    let link = app.mail().await.link();
    browser.get(&link).await;
    assert_eq!(
        browser
            .submit(&adas, "Set password", &[("password", NEW)])
            .await
            .status,
        StatusCode::GONE
    );
    assert_eq!(
        app.browser().log_in("eve@example.org", PASSWORD).await.path,
        "/account"
    );
    assert_eq!(
        app.browser().log_in("ada@example.org", PASSWORD).await.path,
        "/account"
    );
}

#[tokio::test]
async fn programs_that_look_through_mail_use_nothing_up() {
    let app = app().await;
    app.member("ada@example.org").await;
    let link = mailed(&app).await;
    for method in [Method::HEAD, Method::GET, Method::OPTIONS, Method::GET] {
        app.browser().call(method, &link, &[], "").await;
    }
    assert_eq!(
        set(&mut app.browser(), &link, NEW).await.path,
        "/login?notice=password_reset"
    );
}

#[tokio::test]
async fn the_token_leaves_the_address_and_is_not_in_the_page() {
    let app = app().await;
    app.member("ada@example.org").await;
    let link = mailed(&app).await;
    let token = link.split("token=").nth(1).unwrap().to_owned();
    let mut browser = app.browser();
    let answer = browser.call(Method::GET, &link, &[], "").await;
    assert_eq!(
        (answer.status, answer.location().as_deref()),
        (StatusCode::SEE_OTHER, Some("/login/reset-password"))
    );
    let cookie = answer.header("set-cookie").unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && !cookie.contains(&token),
        "{cookie}"
    );
    let page = browser.get("/login/reset-password").await;
    assert!(!page.body.contains(&token));
    assert_eq!(
        (page.header("cache-control"), page.header("referrer-policy")),
        (Some("no-store"), Some("same-origin"))
    );
}

#[tokio::test]
async fn a_refused_password_says_why_and_uses_nothing_up() {
    let app = app().await;
    app.member("ada.lovelace@example.org").await;
    forget(&app, "ada.lovelace@example.org").await;
    let link = app.mail().await.link();
    let mut browser = app.browser();
    let page = browser.get(&link).await;
    for (password, reason) in [
        ("short", "Use at least 12 characters."),
        ("passwordpassword", "easy to guess"),
        (
            "my ada.lovelace password",
            "does not contain your e-mail name",
        ),
    ] {
        let page = browser
            .submit(&page, "Set password", &[("password", password)])
            .await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            page.text("#password-error").unwrap().contains(reason),
            "{:?}",
            page.text("#password-error")
        );
        assert_eq!(
            page.attribute("#email", "value").as_deref(),
            Some("ada.lovelace@example.org")
        );
    }
    let token = link.split("token=").nth(1).unwrap();
    let json = post(
        &app,
        "/api/v1/auth/reset-password",
        &json!({ "token": token, "password": "short" }),
    )
    .await;
    assert_eq!(
        (json.status, json.json()["detail"]["code"].as_str()),
        (
            StatusCode::BAD_REQUEST,
            Some("RESET_PASSWORD_INVALID_PASSWORD")
        )
    );
    assert_eq!(
        set(&mut browser, &link, NEW).await.path,
        "/login?notice=password_reset"
    );
}

#[tokio::test]
async fn a_link_dies_with_everything_that_it_replaces() {
    for change in [
        "UPDATE \"user\" SET hashed_password = '$argon2id$other'",
        "UPDATE \"user\" SET email = 'new@example.org'",
        "UPDATE \"user\" SET is_active = false",
        "DELETE FROM \"user\"",
    ] {
        let app = app().await;
        app.member("ada@example.org").await;
        let (first, second) = (mailed(&app).await, mailed(&app).await);
        app.sql(change).await;
        for link in [first, second] {
            assert_eq!(
                app.browser().get(&link).await.status,
                StatusCode::GONE,
                "{change}"
            );
        }
    }
}

#[tokio::test]
async fn a_strangers_requests_do_not_kill_the_owners_link() {
    let app = app().await;
    app.member("ada@example.org").await;
    let first = mailed(&app).await;
    let second = mailed(&app).await;
    assert_eq!(
        set(&mut app.browser(), &first, NEW).await.path,
        "/login?notice=password_reset"
    );
    assert_eq!(
        app.browser().get(&second).await.status,
        StatusCode::GONE,
        "the first success ends them all"
    );
}

#[tokio::test]
async fn a_link_ends_after_its_time() {
    let app = app().await;
    app.member("ada@example.org").await;
    let link = mailed(&app).await;
    app.pass(1801);
    assert_eq!(app.browser().get(&link).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn tokens_of_other_purposes_and_damaged_ones_set_no_password() {
    let app = app().await;
    let setup = app
        .setup_path()
        .await
        .unwrap()
        .split("token=")
        .nth(1)
        .unwrap()
        .to_owned();
    let user = app.member("ada@example.org").await;
    let mut browser = app.browser();
    browser.log_in("ada@example.org", PASSWORD).await;
    let session = browser.cookie("fastapiusersauth").unwrap().to_owned();
    let proof = app
        .state
        .tokens
        .sign_link(
            mediamanager_auth::server::crypto::tokens::Purpose::EmailVerification,
            user.id,
            "ada@example.org",
            600,
        )
        .unwrap();
    let link = mailed(&app).await;
    let good = link.split("token=").nth(1).unwrap();
    // The fifth character from the end, replaced by a different one: a random character would be
    // the same in one of 64 cases.
    let (kept, rest) = good.split_at(good.len() - 5);
    let damaged = format!(
        "{kept}{}{}",
        if rest.starts_with('x') { 'y' } else { 'x' },
        &rest[1..]
    );
    for token in [setup.as_str(), &session, &proof, &damaged, "", "x", "a.b.c"] {
        let json = post(
            &app,
            "/api/v1/auth/reset-password",
            &json!({ "token": token, "password": NEW }),
        )
        .await;
        assert_eq!(
            (json.status, json.json()["detail"].as_str()),
            (StatusCode::BAD_REQUEST, Some("RESET_PASSWORD_BAD_TOKEN")),
            "{token}"
        );
        assert_eq!(
            app.browser()
                .get(&format!("/login/reset-password?token={token}"))
                .await
                .status,
            StatusCode::GONE
        );
    }
    // A reset token is invalid for every other purpose.
    let mut other = app.browser();
    other.set_cookie("fastapiusersauth", good);
    assert_eq!(
        other.get("/account").await.path,
        "/login?return_to=%2Faccount"
    );
    let body = json!({ "token": good }).to_string();
    assert_eq!(
        browser
            .call(Method::POST, "/api/v1/auth/verify", &json_headers(), &body)
            .await
            .json()["detail"],
        "VERIFY_USER_BAD_TOKEN"
    );
}
