//! The notice after a form: shown to the browser that sent the form, and to nobody else.

use axum::http::Method;
use mediamanager_auth::domain::Notice;

use crate::support::{App, Browser, PASSWORD};

async fn status(browser: &mut Browser, path: &str) -> Option<String> {
    browser.get(path).await.text("[role=status]")
}

#[tokio::test]
async fn a_link_tells_a_stranger_of_nothing_that_did_not_happen() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut stranger = app.browser();
    for notice in [
        "account_deleted",
        "logged_out",
        "logged_out_here",
        "password_reset",
        "reset_requested",
        "signed_up",
        "session_expired",
    ] {
        assert!(notice.parse::<Notice>().is_ok(), "{notice}");
        let path = format!("/login?notice={notice}");
        assert_eq!(status(&mut stranger, &path).await, None, "{notice}");
    }
    stranger.log_in("ada@example.org", PASSWORD).await;
    for notice in ["password_changed", "email_changed", "provider_unlinked"] {
        let path = format!("/account?notice={notice}");
        assert_eq!(status(&mut stranger, &path).await, None, "{notice}");
    }
}

#[tokio::test]
async fn a_notice_is_for_one_browser_one_outcome_and_a_few_minutes() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut browser = app.browser();
    browser.log_in("ada@example.org", PASSWORD).await;
    let page = browser.post_form("/logout", &[]).await;
    let told = page.location().unwrap();
    let others = app.browser().get(&told).await.text("[role=status]");
    assert_eq!(others, None, "the address alone says nothing");
    let deleted = "/login?notice=account_deleted";
    assert_eq!(status(&mut browser, deleted).await, None, "another outcome");
    for _ in 0..2 {
        assert_eq!(
            status(&mut browser, &told).await.as_deref(),
            Some("You are logged out."),
            "also after a reload"
        );
    }
    let cookie = page
        .headers
        .get_all("set-cookie")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .find(|value| value.starts_with("notice="))
        .unwrap();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=300"] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
    assert!(!cookie.contains("logged_out"), "sealed: {cookie}");
    app.pass(301);
    assert_eq!(
        status(&mut browser, &told).await,
        None,
        "a copy that was kept"
    );
    browser.set_cookie("notice", "logged_out");
    assert_eq!(status(&mut browser, &told).await, None, "forged");
}

/// The button that logs out at the provider too is part of the notice.
#[tokio::test]
async fn a_link_offers_no_stranger_to_log_out_at_the_provider() {
    let home = crate::support::Household::new().await;
    crate::support::app_with_provider::set_out(&mut home.app.browser()).await;
    let page = home
        .app
        .browser()
        .call(Method::GET, "/login?notice=logged_out_here", &[], "")
        .await;
    assert!(!page.body.contains("Also log out of"), "{}", page.body);
}
