//! Logout at the provider after the logout here (OpenID Connect RP-Initiated Logout 1.0).

use axum::http::{Method, StatusCode};
use url::Url;

use super::{ada, logged_in};
use crate::support::{
    Account, Browser, Household, PASSWORD, Page,
    provider::{CLIENT_ID, LogoutStyle},
};

const OFFER: &str = "Also log out of Über ID 100%";

/// Logs out here. Returns the page that offers the logout at the provider.
async fn log_out(browser: &mut Browser) -> Page {
    let page = browser.get("/account").await;
    let page = browser.submit(&page, "Log out", &[]).await;
    assert_eq!(page.text("a.button").as_deref(), Some(OFFER));
    page
}

fn offered(page: &Page) -> Url {
    Url::parse(&page.attribute("a.button", "href").unwrap()).unwrap()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// Opens the logout at the provider, in a browser that is at the provider.
async fn follow(home: &Household, url: &Url) -> Page {
    let path = format!("{}?{}", url.path(), url.query().unwrap());
    Browser::new(home.provider.router())
        .call(Method::GET, &path, &[], "")
        .await
}

#[tokio::test]
async fn the_session_at_every_provider_ends_and_the_browser_comes_back() {
    for style in LogoutStyle::ALL {
        let home = Household::new().await;
        home.provider.knobs().logout = style;
        let mut browser = logged_in(&home, &ada()).await;
        let url = offered(&log_out(&mut browser).await);
        let answer = follow(&home, &url).await;
        assert_eq!(
            (answer.status, answer.location().as_deref()),
            (StatusCode::SEE_OTHER, Some("http://localhost:8000/login")),
            "{style:?}: {}",
            answer.body
        );
        assert_eq!(home.provider.ended_sessions(), 1, "{style:?}");
        assert_eq!(parameter(&url, "client_id").as_deref(), Some(CLIENT_ID));
    }
}

/// A session through the page that asks for the password has no ID token to show.
async fn logged_in_without_hint(home: &Household) -> Browser {
    home.app.member("ada@example.org").await;
    let mut browser = home.app.browser();
    let account = Account::unconfirmed("ada@example.org");
    let page = home.log_in(&mut browser, &account).await;
    assert_eq!(page.path, "/login/connect");
    browser
        .submit(&page, "Connect and log in", &[("password", PASSWORD)])
        .await;
    browser
}

#[tokio::test]
async fn without_a_hint_no_provider_answers_with_an_error() {
    for style in LogoutStyle::ALL {
        let home = Household::new().await;
        home.provider.knobs().logout = style;
        let mut browser = logged_in_without_hint(&home).await;
        let url = offered(&log_out(&mut browser).await);
        for absent in ["id_token_hint", "post_logout_redirect_uri"] {
            assert_eq!(parameter(&url, absent), None, "{style:?}");
        }
        assert_eq!(
            follow(&home, &url).await.status,
            StatusCode::OK,
            "{style:?}"
        );
    }
}

#[tokio::test]
async fn the_operator_decides_whether_the_browser_comes_back() {
    for (setting, with_hint, without_hint) in [("true", true, true), ("false", false, false)] {
        let toml = format!("policy.openid_connect.post_logout_redirect = {setting}");
        let home = Household::with(&toml).await;
        let mut browser = logged_in(&home, &ada()).await;
        let url = offered(&log_out(&mut browser).await);
        assert!(parameter(&url, "id_token_hint").is_some());
        let uri = parameter(&url, "post_logout_redirect_uri");
        assert_eq!(uri.is_some(), with_hint, "{setting}");

        let home = Household::with(&toml).await;
        let mut browser = logged_in_without_hint(&home).await;
        let url = offered(&log_out(&mut browser).await);
        let uri = parameter(&url, "post_logout_redirect_uri");
        assert_eq!(uri.is_some(), without_hint, "{setting}");
    }
}

const HINT: &str = "id-token-hint";

#[tokio::test]
async fn the_id_token_is_sealed_in_the_cookie_and_gone_after_the_logout() {
    let home = Household::new().await;
    let mut browser = home.app.browser();
    let back = home.provider.answer(
        &crate::support::app_with_provider::set_out(&mut browser).await,
        &ada(),
    );
    let answer = crate::support::app_with_provider::call_back(&mut browser, &back).await;
    let set: Vec<_> = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap())
        .collect();
    let cookie = set.iter().find(|cookie| cookie.starts_with(HINT)).unwrap();
    let session = set
        .iter()
        .find(|cookie| cookie.starts_with("fastapiusersauth"))
        .unwrap();
    let max_age = |cookie: &str| {
        cookie
            .split("; ")
            .find(|part| part.starts_with("Max-Age="))
            .map(ToOwned::to_owned)
    };
    assert_eq!(max_age(cookie), max_age(session), "as long as the session");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && !cookie.contains("eyJ"),
        "{cookie}"
    );
    assert!(cookie.len() < 4096, "{}", cookie.len());

    let page = log_out(&mut browser).await;
    assert!(parameter(&offered(&page), "id_token_hint").is_some());
    assert_eq!(browser.cookie(HINT), None, "shown once");
    let again = browser.get("/login?notice=logged_out_here").await;
    assert_eq!(parameter(&offered(&again), "id_token_hint"), None);
}

#[tokio::test]
async fn a_copy_of_the_cookie_is_worth_nothing_beside_another_session() {
    let home = Household::new().await;
    let mut ada = logged_in(&home, &ada()).await;
    let copy = ada.cookie(HINT).unwrap().to_owned();
    // Before the logout it opens nothing.
    let page = ada.clone().get("/login?notice=logged_out_here").await;
    assert_ne!(page.path, "/login?notice=logged_out_here");
    let mut nobody = home.app.browser();
    nobody.set_cookie(HINT, &copy);
    // A link alone shows no notice, so it offers no logout either.
    let page = nobody.get("/login?notice=logged_out_here").await;
    assert_ne!(page.text("a.button").as_deref(), Some(OFFER));
    assert!(!page.body.contains("id_token_hint"), "{}", page.body);
    // Nor for whoever logs out of another session.
    let mut eve = logged_in(&home, &Account::confirmed("eve@example.org")).await;
    eve.set_cookie(HINT, &copy);
    let url = offered(&log_out(&mut eve).await);
    assert_eq!(parameter(&url, "id_token_hint"), None);
    // And after a minute no more.
    let page = ada.get("/account").await;
    let answer = ada.submit_only(&page, "Log out", &[]).await;
    home.app.pass(61);
    let url = offered(&ada.get(&answer.location().unwrap()).await);
    assert_eq!(parameter(&url, "id_token_hint"), None);
}

#[tokio::test]
async fn a_long_id_token_is_not_kept() {
    let home = Household::new().await;
    home.provider.twist("claims", |claims| {
        claims["groups"] = "x".repeat(2048).into()
    });
    let mut browser = logged_in(&home, &ada()).await;
    assert_eq!(browser.cookie(HINT), None);
    let url = offered(&log_out(&mut browser).await);
    assert_eq!(parameter(&url, "id_token_hint"), None);
}

#[tokio::test]
async fn logging_out_over_the_api_and_deleting_the_account_void_it_too() {
    let home = Household::new().await;
    let mut browser = logged_in(&home, &ada()).await;
    let headers = [("sec-fetch-site", "same-origin")];
    browser
        .call(Method::POST, "/api/v1/auth/cookie/logout", &headers, "")
        .await;
    assert_eq!(browser.cookie(HINT), None);

    let mut browser = logged_in(&home, &ada()).await;
    browser.post_form("/account/delete", &[]).await;
    assert_eq!(browser.cookie("fastapiusersauth"), None);
    assert_eq!(browser.cookie(HINT), None);
}

/// Proxies answer 400 to every request with a longer `Cookie` header, MediaManager's included, so
/// links of another site that start logins must not add up to it.
#[tokio::test]
async fn links_of_another_site_do_not_make_the_cookies_too_long() {
    let home = Household::new().await;
    home.provider
        .twist("claims", |claims| claims["groups"] = "x".repeat(600).into());
    let mut browser = logged_in(&home, &ada()).await;
    assert!(browser.cookie(HINT).is_some());
    let start = format!("/login/oidc?return_to=/{}", "a".repeat(400));
    for _ in 0..8 {
        browser.call(Method::GET, &start, &[], "").await;
    }
    let header = browser.request(Method::GET, "/").body(()).unwrap();
    let header = header.headers()["cookie"].len();
    assert!(header < 7500, "{header}");
    let attempts = browser
        .cookie_names()
        .filter(|name| name.starts_with("oidc-attempt-"))
        .count();
    assert_eq!(attempts, 3);
}
