//! A session that ends, or a login that grows too old, while a form is open: the way leads through a
//! login back to the form, with what was typed.

use axum::http::StatusCode;
use mediamanager_auth::server::flows::users::Role;

use super::{change_password_by_script, logged_in};
use crate::support::{App, Browser, PASSWORD, Page, SMTP};

const TYPED: &str = "newer@example.org";

async fn household() -> App {
    let app = App::with(SMTP).await;
    app.user("ada@example.org", Role::Administrator).await;
    app.member("mum@example.org").await;
    app
}

async fn end_all_sessions(app: &App) {
    app.sql("UPDATE auth_session SET ended_at = 1").await;
}

/// Submits the form of the page with what was typed after every session has ended; returns the
/// login page that the answer leads to.
async fn submit_too_late(app: &App, browser: &mut Browser, path: &str, button: &str) -> Page {
    let page = browser.get(path).await;
    end_all_sessions(app).await;
    let answer = browser.submit(&page, button, &[("email", TYPED)]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let way = answer.attribute("a.button", "href").unwrap();
    assert!(way.starts_with("/login?return_to="), "{way}");
    assert!(!way.contains("newer"), "nothing typed is in an address");
    let page = browser.get(&way).await;
    assert!(
        !page.body.contains(TYPED),
        "before the login: {}",
        page.body
    );
    page
}

async fn log_in_on(browser: &mut Browser, page: &Page, email: &str) -> Page {
    browser
        .submit(page, "Log in", &[("email", email), ("password", PASSWORD)])
        .await
}

#[tokio::test]
async fn what_was_typed_before_the_session_ended_is_there_after_the_login() {
    let app = household().await;
    let mum = app.member("bob@example.org").await;
    for (path, button) in [
        ("/account/address".to_owned(), "Send link"),
        ("/users/new".to_owned(), "Create user"),
        (format!("/users/address?id={}", mum.id), "Change e-mail"),
    ] {
        let mut ada = logged_in(&app, "ada@example.org").await;
        let login = submit_too_late(&app, &mut ada, &path, button).await;
        let page = log_in_on(&mut ada, &login, "ada@example.org").await;
        assert_eq!(page.path, path);
        assert_eq!(
            page.attribute("#email", "value").as_deref(),
            Some(TYPED),
            "{path}"
        );
        assert_eq!(page.attribute("#email", "aria-invalid"), None);
        let again = ada.get(&path).await;
        assert_eq!(
            again.attribute("#email", "value").unwrap_or_default(),
            "",
            "once: {path}"
        );
    }
}

#[tokio::test]
async fn what_one_person_typed_is_shown_to_no_other_and_not_for_long() {
    let app = household().await;
    let mut browser = logged_in(&app, "ada@example.org").await;
    let login = submit_too_late(&app, &mut browser, "/account/address", "Send link").await;
    let mut mums = browser.clone();
    let page = log_in_on(&mut mums, &login, "mum@example.org").await;
    assert_eq!(page.path, "/account/address");
    assert!(!page.body.contains(TYPED), "{}", page.body);
    app.pass(601);
    let login = browser.get(&login.path).await;
    let page = log_in_on(&mut browser, &login, "ada@example.org").await;
    assert_eq!(page.path, "/account/address");
    assert!(!page.body.contains(TYPED), "too late: {}", page.body);
}

#[tokio::test]
async fn a_link_types_nothing_into_a_form() {
    let app = household().await;
    let mut ada = logged_in(&app, "ada@example.org").await;
    let page = ada.get(&format!("/account/address?email={TYPED}")).await;
    assert!(!page.body.contains(TYPED), "{}", page.body);
}

#[tokio::test]
async fn a_password_is_not_kept_for_after_the_login() {
    let app = household().await;
    let mut ada = logged_in(&app, "ada@example.org").await;
    let page = ada.get("/account/password").await;
    end_all_sessions(&app).await;
    let before: Vec<String> = ada.cookie_names().map(ToOwned::to_owned).collect();
    let answer = ada
        .submit(
            &page,
            "Change password",
            &[("password", "copper lantern meadow 4")],
        )
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        answer.attribute("a.button", "href").as_deref(),
        Some("/login?return_to=%2Faccount%2Fpassword")
    );
    let after: Vec<String> = ada.cookie_names().map(ToOwned::to_owned).collect();
    assert_eq!(after, before, "there is nothing to keep");
}

#[tokio::test]
async fn a_script_is_led_to_the_login_and_back() {
    let app = household().await;
    let mut ada = logged_in(&app, "ada@example.org").await;
    let field = ada.account_field("/account/password").await.unwrap();
    app.pass(301);
    let answer = change_password_by_script(&mut ada, &field).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.header("serverfnredirect").is_some());
    assert_eq!(
        answer.location().as_deref(),
        Some("/account/log-in-again?return_to=%2Faccount%2Fpassword")
    );
    app.pass(-301);
    end_all_sessions(&app).await;
    let answer = change_password_by_script(&mut ada, &field).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.json()[1], "Your session has ended. Log in again.");
    assert!(answer.header("serverfnredirect").is_some());
    let way = answer.location().unwrap();
    assert_eq!(
        way,
        "/login?return_to=%2Faccount%2Fpassword&notice=session_expired"
    );
    assert_eq!(
        ada.get(&way).await.text("[role=status]").as_deref(),
        Some("Your session has ended. Log in to go on.")
    );
}

#[tokio::test]
async fn a_login_that_grew_too_old_leads_back_to_what_was_typed() {
    let app = household().await;
    let mut ada = logged_in(&app, "ada@example.org").await;
    let page = ada.get("/account/address").await;
    app.pass(301);
    let answer = ada.submit(&page, "Send link", &[("email", TYPED)]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.attribute("#email", "value").as_deref(), Some(TYPED));
    let way = answer.attribute("a.button", "href").unwrap();
    assert_eq!(way, "/account/log-in-again?return_to=%2Faccount%2Faddress");
    let again = ada.get(&way).await;
    let page = ada.submit(&again, "Go on", &[("password", PASSWORD)]).await;
    assert_eq!(page.path, "/account/address");
    assert_eq!(page.attribute("#email", "value").as_deref(), Some(TYPED));
}

/// The form that was open stands on another page than the one that it is sent to, or leads on.
#[tokio::test]
async fn the_way_back_is_the_page_that_held_the_form() {
    let app = household().await;
    app.user("will@example.org", Role::Pending).await;
    let again = "/account/log-in-again?return_to=%2Faccount%2Fpassword";
    for (path, button, typed, back) in [
        ("/users", "Approve will@example.org", &[][..], "%2Fusers"),
        (
            again,
            "Go on",
            &[("password", PASSWORD)][..],
            "%2Faccount%2Fpassword",
        ),
        ("/account", "Log out", &[], ""),
    ] {
        let mut ada = logged_in(&app, "ada@example.org").await;
        let page = ada.get(path).await;
        end_all_sessions(&app).await;
        let answer = ada.submit(&page, button, typed).await;
        if back.is_empty() {
            assert_eq!(answer.path, "/login?notice=logged_out", "{path}");
        } else {
            assert_eq!(
                answer.attribute("a.button", "href"),
                Some(format!("/login?return_to={back}")),
                "{path}"
            );
        }
    }
}
