//! Attacks on the callback, and other invalid callbacks (SR-053 to SR-058).

use axum::http::{Method, StatusCode};

use crate::support::{Account, Browser, Household, Page, app_with_provider};

mod parameters;
mod rate_limits;
mod state;
mod wrong_redirect_uri;

const COOKIE: &str = "fastapiusersauth";

fn ada() -> Account {
    Account::confirmed("ada@example.org")
}

/// Asserts an error page with this code and a hint, without a session and without a token request.
fn is_refused(home: &Household, page: &Page, status: u16, code: &str) {
    assert_eq!(page.status.as_u16(), status, "{}", page.body);
    let reference = page
        .text(".reference")
        .unwrap_or_else(|| panic!("no page: {}", page.body));
    assert!(
        reference.starts_with("Reference: ") && reference.ends_with(&format!("({code})")),
        "{reference}"
    );
    assert!(
        page.attribute("a.button", "href")
            .unwrap()
            .starts_with("/login/oidc"),
        "a way to try again"
    );
    let cookies: Vec<_> = page
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap())
        .collect();
    assert!(
        cookies.iter().all(|cookie| !cookie.contains(COOKIE)),
        "{cookies:?}"
    );
    assert_eq!(home.provider.times("/token"), 0, "no code may be redeemed");
}

/// A browser that has started a login, and the URL of its valid callback.
async fn under_way(home: &Household) -> (Browser, String) {
    let mut browser = home.app.browser();
    let back = home
        .provider
        .answer(&app_with_provider::set_out(&mut browser).await, &ada());
    (browser, back)
}

fn state_of(back: &str) -> String {
    back.split("state=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap()
        .to_owned()
}

fn without(back: &str, name: &str) -> String {
    let (path, query) = back.split_once('?').unwrap();
    let kept: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.starts_with(&format!("{name}=")))
        .collect();
    format!("{path}?{}", kept.join("&"))
}

#[tokio::test]
async fn the_next_try_leads_where_the_first_was_to_lead() {
    let home = Household::new().await;
    let mut browser = home.app.browser();
    let away =
        app_with_provider::set_out_from(&mut browser, "/login?return_to=%2Faccount%3Fx").await;
    let back = home.provider.answer(&away, &ada());
    let page = app_with_provider::call_back(
        &mut browser,
        &(without(&back, "code") + "&error=access_denied&return_to=/evil"),
    )
    .await;
    assert_eq!(
        page.attribute("a.button", "href").as_deref(),
        Some("/login/oidc?return_to=%2Faccount%3Fx")
    );
}

#[tokio::test]
async fn nothing_of_an_attempt_is_logged() {
    let log = crate::support::log::Log::begin();
    let home = Household::new().await;
    let mut browser = home.app.browser();
    let away = app_with_provider::set_out(&mut browser).await;
    let back = home.provider.answer(&away, &ada());
    app_with_provider::call_back(&mut browser, &back).await;
    app_with_provider::call_back(&mut browser, &back).await;
    let (mut other, refused) = under_way(&home).await;
    app_with_provider::call_back(
        &mut other,
        &(without(&refused, "code") + "&code=made-up-code"),
    )
    .await;
    let log = log.text();
    assert!(
        log.contains("logged_in") && log.contains("login_failed"),
        "{log}"
    );
    let url = url::Url::parse(&away).unwrap();
    for (name, secret) in url
        .query_pairs()
        .filter(|(name, _)| ["state", "nonce", "code_challenge"].contains(&name.as_ref()))
    {
        assert!(!log.contains(secret.as_ref()), "{name}: {log}");
    }
    for secret in [
        state_of(&back),
        state_of(&refused),
        back.split("code=")
            .nth(1)
            .unwrap()
            .split('&')
            .next()
            .unwrap()
            .to_owned(),
        "made-up-code".to_owned(),
    ] {
        assert!(!log.contains(&secret), "{secret}: {log}");
    }
}

#[tokio::test]
async fn a_link_checker_does_not_use_up_a_login() {
    let home = Household::new().await;
    let (mut browser, back) = under_way(&home).await;
    for method in [Method::HEAD, Method::POST, Method::PUT] {
        let answer = browser
            .call(
                method.clone(),
                &back,
                &[("sec-fetch-site", "same-origin")],
                "",
            )
            .await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
    assert_eq!(
        app_with_provider::call_back(&mut browser, &back)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn reloading_or_going_back_leads_on_and_asks_the_provider_nothing() {
    let home = Household::new().await;
    let (mut browser, back) = under_way(&home).await;
    app_with_provider::call_back(&mut browser, &back).await;
    for _ in 0..2 {
        let again = app_with_provider::call_back(&mut browser, &back).await;
        assert_eq!(
            (again.status, again.location().as_deref()),
            (StatusCode::SEE_OTHER, Some("/account"))
        );
    }
    assert_eq!(home.provider.times("/token"), 1);
    // The same while the first request is still running, so that the cookie is still set.
    let (mut browser, back) = under_way(&home).await;
    let mut second = browser.clone();
    app_with_provider::call_back(&mut browser, &back).await;
    second.set_cookie(COOKIE, browser.cookie(COOKIE).unwrap());
    assert_eq!(
        app_with_provider::call_back(&mut second, &back)
            .await
            .location()
            .as_deref(),
        Some("/account")
    );
}

#[tokio::test]
async fn an_answer_replaces_the_session_and_links_nothing_to_it() {
    let home = Household::new().await;
    home.app.member("eve@example.org").await;
    let (mut browser, back) = under_way(&home).await;
    browser
        .log_in("eve@example.org", crate::support::PASSWORD)
        .await;
    let eves = browser.cookie(COOKIE).unwrap().to_owned();
    assert_eq!(
        app_with_provider::call_back(&mut browser, &back)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    assert!(
        browser
            .get("/account")
            .await
            .body
            .contains("ada@example.org"),
        "it is Ada who came back"
    );
    assert_eq!(home.app.count("SELECT count(*) FROM auth_identity i JOIN \"user\" u ON u.id = i.user_id WHERE u.email = 'eve@example.org'").await, 0);
    let mut old = home.app.browser();
    old.set_cookie(COOKIE, &eves);
    assert_eq!(
        old.get("/account").await.path,
        "/login?return_to=%2Faccount",
        "nothing set before a login survives it"
    );
}
