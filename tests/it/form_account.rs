//! A form acts for the account that its page was rendered for, even after another user logs in to
//! the same browser.

use axum::http::{Method, StatusCode};
use mediamanager_auth::{domain::User, server::db};

use crate::support::{Account, App, Browser, Household, PASSWORD, Page, SMTP};

mod administration;
mod ended;
mod every_form;
mod field;

const NEW: &str = "copper lantern meadow 4";
const FIELD: &str = "input[name=account]";

async fn logged_in(app: &App, email: &str) -> Browser {
    let mut browser = app.browser();
    browser.log_in(email, PASSWORD).await;
    browser
}

/// Dad's browser, and mum's account. Both have a second session in another browser.
async fn dad() -> (App, Browser) {
    let app = App::with(SMTP).await;
    for email in ["dad@example.org", "mum@example.org"] {
        app.member(email).await;
        logged_in(&app, email).await;
    }
    let browser = logged_in(&app, "dad@example.org").await;
    (app, browser)
}

/// Changes the password as the page's script does, with this field that binds the form.
async fn change_password_by_script(browser: &mut Browser, field: &str) -> Page {
    let headers = [
        ("accept", "application/json"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "same-origin"),
    ];
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("account", field)
        .append_pair("password", NEW)
        .finish();
    browser
        .call(Method::POST, "/account/password", &headers, &body)
        .await
}

/// Logs out in another tab and logs in as another user.
async fn switch(browser: &mut Browser, email: &str) {
    browser.post_form("/logout", &[]).await;
    let page = browser.log_in(email, PASSWORD).await;
    assert!(
        page.path == "/account" || page.path == "/login/verify",
        "{}",
        page.path
    );
}

/// Row counts that every change affects: events, mails, sessions and others.
async fn traces(app: &App) -> [i64; 4] {
    let mut counts = [0; 4];
    for (count, table) in
        counts
            .iter_mut()
            .zip(["\"user\"", "auth_event", "auth_outbox", "auth_identity"])
    {
        *count = app.count(&format!("SELECT count(*) FROM {table}")).await;
    }
    counts
}

fn is_refused(page: &Page, email: &str) {
    assert_eq!(page.status, StatusCode::CONFLICT, "{}", page.body);
    assert_eq!(
        page.text(".lead"),
        Some(format!(
            "You are now logged in as {email}. Nothing was changed."
        ))
    );
}

/// Opens a page, logs mum in in another tab, and submits the page's form.
async fn opened_before_mum_logged_in(
    app: &App,
    browser: &mut Browser,
    path: &str,
    button: &str,
    typed: &[(&str, &str)],
) {
    let page = browser.get(path).await;
    switch(browser, "mum@example.org").await;
    let before = traces(app).await;
    let answer = browser.submit(&page, button, typed).await;
    is_refused(&answer, "mum@example.org");
    assert!(
        !answer.body.contains("dad@"),
        "mum learns nothing of dad: {}",
        answer.body
    );
    assert_eq!(traces(app).await, before, "{path}");
    assert_eq!(
        answer.attribute(".links a", "href").as_deref(),
        Some(path),
        "the way to mum's own page"
    );
    assert_eq!(browser.get(path).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_delete_page_opened_before_somebody_else_logged_in_deletes_nobody() {
    let (app, mut browser) = dad().await;
    opened_before_mum_logged_in(
        &app,
        &mut browser,
        "/account/delete",
        "Delete my account",
        &[],
    )
    .await;
    assert_eq!(app.count("SELECT count(*) FROM \"user\"").await, 2);
}

#[tokio::test]
async fn a_password_page_opened_before_somebody_else_logged_in_changes_no_password() {
    let (app, mut browser) = dad().await;
    opened_before_mum_logged_in(
        &app,
        &mut browser,
        "/account/password",
        "Change password",
        &[("password", NEW)],
    )
    .await;
    for email in ["dad@example.org", "mum@example.org"] {
        assert_eq!(
            logged_in(&app, email).await.get("/account").await.path,
            "/account",
            "{email}"
        );
    }
}

#[tokio::test]
async fn an_address_page_opened_before_somebody_else_logged_in_asks_for_nothing() {
    let (app, mut browser) = dad().await;
    opened_before_mum_logged_in(
        &app,
        &mut browser,
        "/account/address",
        "Send link",
        &[("email", "new@example.org")],
    )
    .await;
    assert!(app.mails().await.is_empty());
}

#[tokio::test]
async fn an_account_page_opened_before_somebody_else_logged_in_ends_no_session() {
    for button in [
        "End all other sessions",
        "End the session of an unknown program",
    ] {
        let (app, mut browser) = dad().await;
        opened_before_mum_logged_in(&app, &mut browser, "/account", button, &[]).await;
    }
}

#[tokio::test]
async fn a_login_confirmed_for_somebody_else_is_no_failed_login_of_this_account() {
    let (app, mut browser) = dad().await;
    opened_before_mum_logged_in(
        &app,
        &mut browser,
        "/account/log-in-again",
        "Go on",
        &[("password", "what only dad knows")],
    )
    .await;
}

#[tokio::test]
async fn a_waiting_page_opened_before_somebody_else_logged_in_mails_nobody() {
    let app = App::with(SMTP).await;
    for email in ["dad@example.org", "mum@example.org"] {
        app.browser()
            .post_form("/login/signup", &[("email", email), ("password", PASSWORD)])
            .await;
    }
    let mut browser = logged_in(&app, "dad@example.org").await;
    opened_before_mum_logged_in(
        &app,
        &mut browser,
        "/login/verify",
        "Send the mail again",
        &[],
    )
    .await;
}

#[tokio::test]
async fn provider_pages_opened_before_somebody_else_logged_in_connect_and_disconnect_nothing() {
    let home = Household::new().await;
    for email in ["dad@example.org", "mum@example.org"] {
        home.app.member(email).await;
    }
    let mut browser = logged_in(&home.app, "dad@example.org").await;
    opened_before_mum_logged_in(
        &home.app,
        &mut browser,
        "/account/connect",
        "Go to Über ID 100%",
        &[],
    )
    .await;
    assert_eq!(browser.cookie("link-request"), None);
    // Mum links an identity; dad's page contains the id of mum's identity, as if dad had guessed
    // the id.
    let linked = home
        .link(&mut browser, &Account::confirmed("mum@elsewhere.example"))
        .await;
    assert_eq!(linked.path, "/account?notice=provider_linked");
    let link = browser
        .get("/account")
        .await
        .attribute("a[href^='/account/disconnect']", "href")
        .unwrap();
    let theirs = browser.get(&link).await.attribute(FIELD, "value").unwrap();
    let identity = link.split_once('=').unwrap().1;
    switch(&mut browser, "dad@example.org").await;
    let dads = browser
        .get("/account/password")
        .await
        .attribute(FIELD, "value")
        .unwrap();
    switch(&mut browser, "mum@example.org").await;
    let answer = browser
        .post_exactly(&link, &[("identity", identity), ("account", &dads)])
        .await;
    is_refused(&answer, "mum@example.org");
    assert_eq!(
        home.app.count("SELECT count(*) FROM auth_identity").await,
        1
    );
    let answer = browser
        .post_exactly(&link, &[("identity", identity), ("account", &theirs)])
        .await;
    assert_eq!(
        answer.location().as_deref(),
        Some("/account?notice=provider_unlinked"),
        "her own page does"
    );
}

#[tokio::test]
async fn a_script_is_told_whose_account_is_open_now() {
    let (app, mut browser) = dad().await;
    let field = browser
        .get("/account/password")
        .await
        .attribute(FIELD, "value")
        .unwrap();
    switch(&mut browser, "mum@example.org").await;
    let before = traces(&app).await;
    let answer = change_password_by_script(&mut browser, &field).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.json()[0], "alert");
    assert_eq!(
        answer.json()[1],
        "You are now logged in as mum@example.org. Nothing was changed. Reload this page to go on."
    );
    assert_eq!(traces(&app).await, before);
}

#[tokio::test]
async fn the_same_person_may_go_on_after_logging_in_again() {
    let (_app, mut browser) = dad().await;
    let page = browser.get("/account/password").await;
    switch(&mut browser, "dad@example.org").await;
    assert_eq!(
        browser
            .submit(&page, "Change password", &[("password", NEW)])
            .await
            .path,
        "/account?notice=password_changed"
    );
}

#[tokio::test]
async fn where_nobody_is_logged_in_any_more_the_session_has_ended() {
    let (app, mut browser) = dad().await;
    let page = browser.get("/account/delete").await;
    browser.post_form("/logout", &[]).await;
    let before = traces(&app).await;
    let answer = browser.submit(&page, "Delete my account", &[]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        answer.text(".lead").as_deref(),
        Some("Your session has ended. Log in again.")
    );
    assert_eq!(
        answer.attribute("a.button", "href").as_deref(),
        Some("/login?return_to=%2Faccount%2Fdelete"),
        "the way to log in and back"
    );
    assert_eq!(traces(&app).await, before);
}

async fn find(app: &App, email: &str) -> Option<User> {
    let email = mediamanager_auth::domain::Email::parse(email).unwrap();
    db::users::find_by_email(&app.state.db, &email)
        .await
        .unwrap()
        .map(|found| found.user)
}
