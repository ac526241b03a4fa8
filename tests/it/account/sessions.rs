//! The list of the account's own sessions, and revoking them.

use axum::http::{Method, StatusCode};
use mediamanager_auth::{
    domain::User,
    server::{
        crypto::random,
        flows::{Ctx, sessions},
    },
};

use super::{COOKIE, is_in, logged_in};
use crate::support::{App, Browser, PASSWORD};

/// Logs in with this `User-Agent`.
async fn logged_in_with(app: &App, email: &str, user_agent: &str) -> Browser {
    let mut browser = app.browser();
    let headers = [
        ("user-agent", user_agent),
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "same-origin"),
    ];
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("email", email)
        .append_pair("password", PASSWORD)
        .finish();
    assert_eq!(
        browser
            .call(Method::POST, "/login", &headers, &body)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    browser
}

async fn sessions_of(app: &App, user: &User) -> Vec<String> {
    sessions::list_for_user(&Ctx::cli(&app.state), user.id)
        .await
        .unwrap()
        .iter()
        .map(|session| session.id.to_string())
        .collect()
}

#[tokio::test]
async fn somebody_sees_where_they_are_logged_in_and_ends_what_they_do_not_know() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let (firefox, iphone) = (
        "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
        "Mozilla/5.0 (iPhone) Version/26.0 Safari/604.1",
    );
    let mut here = logged_in_with(&app, "ada@example.org", firefox).await;
    app.pass(1);
    let (curl, phone) = (
        logged_in_with(&app, "ada@example.org", "curl/8.5.0").await,
        logged_in_with(&app, "ada@example.org", iphone).await,
    );
    let odd = logged_in_with(&app, "ada@example.org", "<script>alert(1)</script>").await;
    let page = here.get("/account").await;
    for words in [
        "Firefox on Linux",
        "Safari on iPhone",
        "curl",
        "an unknown program",
        "With the password, from 203.0.113.7",
    ] {
        assert!(
            page.body.replace("<!>", "").contains(words),
            "{words}: {}",
            page.body
        );
    }
    assert_eq!(
        (
            page.body.matches("This browser").count(),
            page.body.contains("<script>alert")
        ),
        (1, false)
    );
    let oldest = page.text(".lines li:last-child").unwrap();
    assert!(
        oldest.starts_with("Firefox on Linux") && oldest.ends_with("This browser"),
        "the newest first: {oldest}"
    );
    let page = here.submit(&page, "End the session of curl", &[]).await;
    assert_eq!(
        page.text("[role=status]").as_deref(),
        Some("That session is ended.")
    );
    assert_eq!(
        (
            is_in(&here).await,
            is_in(&curl).await,
            is_in(&phone).await,
            is_in(&odd).await
        ),
        (true, false, true, true)
    );
    let page = here.submit(&page, "End all other sessions", &[]).await;
    assert_eq!(
        page.text("[role=status]").as_deref(),
        Some("You are logged out everywhere else.")
    );
    assert_eq!(
        (is_in(&here).await, is_in(&phone).await, is_in(&odd).await),
        (true, false, false)
    );
    assert!(
        !page.body.contains("End all other sessions") && !page.body.contains("iPhone"),
        "there are none: {}",
        page.body
    );
}

#[tokio::test]
async fn a_session_that_is_not_ones_own_is_not_there() {
    let app = App::new().await;
    let (ada, eve) = (
        app.member("ada@example.org").await,
        app.member("eve@example.org").await,
    );
    let (mut adas, other, eves) = (
        logged_in(&app, "ada@example.org").await,
        logged_in(&app, "ada@example.org").await,
        logged_in(&app, "eve@example.org").await,
    );
    let own = sessions_of(&app, &ada).await;
    assert_eq!(
        adas.post_form("/account", &[("session", "others")])
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    let ended = own
        .iter()
        .filter(|id| !adas_own(&adas, id))
        .cloned()
        .collect::<Vec<_>>();
    assert_eq!((ended.len(), is_in(&other).await), (1, false));
    let foreign = sessions_of(&app, &eve).await.remove(0);
    let events = app.count("SELECT count(*) FROM auth_event").await;
    for id in [
        foreign.as_str(),
        &ended[0],
        &random::uuid().to_string(),
        &eve.id.to_string(),
        "x",
        "",
        "OTHERS",
        "' OR 1=1 --",
    ] {
        let page = adas.post_form("/account", &[("session", id)]).await;
        assert_eq!(
            (page.status, page.heading().as_str()),
            (StatusCode::NOT_FOUND, "Your account"),
            "{id}"
        );
    }
    assert_eq!((is_in(&adas).await, is_in(&eves).await), (true, true));
    assert_eq!(
        app.count("SELECT count(*) FROM auth_event").await,
        events,
        "and nothing is written down as ended"
    );
    assert_eq!(
        app.browser()
            .post_form("/account", &[("session", &foreign)])
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );
}

/// Whether the browser's token belongs to the session with this id.
fn adas_own(browser: &Browser, id: &str) -> bool {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let claims = URL_SAFE_NO_PAD
        .decode(browser.cookie(COOKIE).unwrap().split('.').nth(1).unwrap())
        .unwrap();
    String::from_utf8(claims).unwrap().contains(id)
}

#[tokio::test]
async fn ending_the_present_session_logs_out() {
    let app = App::new().await;
    let ada = app.member("ada@example.org").await;
    let mut browser = logged_in(&app, "ada@example.org").await;
    let copy = browser.clone();
    let own = sessions_of(&app, &ada).await.remove(0);
    let page = browser.post_form("/account", &[("session", &own)]).await;
    assert_eq!(
        (page.status, browser.cookie(COOKIE)),
        (StatusCode::SEE_OTHER, None)
    );
    assert_eq!(page.header("clear-site-data"), Some("\"cache\""));
    assert!(!is_in(&copy).await);
}
