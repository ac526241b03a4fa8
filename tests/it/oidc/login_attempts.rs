//! Login attempts of one browser: several at once, and the cookie that seals them.

use axum::http::{Method, StatusCode};

use super::query;
use crate::support::{Account, Household, app_with_provider};

#[tokio::test]
async fn several_tabs_do_not_disturb_each_other() {
    let home = Household::new().await;
    let mut browser = home.app.browser();
    let (first, second) = (
        app_with_provider::set_out(&mut browser).await,
        app_with_provider::set_out(&mut browser).await,
    );
    let ada = Account::confirmed("ada@example.org");
    for away in [second, first] {
        let back = home.provider.answer(&away, &ada);
        assert_eq!(
            app_with_provider::call_back(&mut browser, &back)
                .await
                .status,
            StatusCode::SEE_OTHER
        );
    }
}

#[tokio::test]
async fn a_browser_carries_five_attempts_and_drops_the_oldest() {
    let home = Household::new().await;
    let mut browser = home.app.browser();
    let mut aways = Vec::new();
    for _ in 0..7 {
        aways.push(app_with_provider::set_out(&mut browser).await);
        home.app.pass(1);
    }
    let ada = Account::confirmed("ada@example.org");
    let mut statuses = Vec::new();
    for away in &aways {
        // A clone, because a login in between would turn the next callback into a mere reload.
        let mut tab = browser.clone();
        statuses.push(
            app_with_provider::call_back(&mut tab, &home.provider.answer(away, &ada))
                .await
                .status
                .as_u16(),
        );
    }
    assert_eq!(statuses, [400, 400, 303, 303, 303, 303, 303]);
}

#[tokio::test]
async fn the_handshake_cookie_is_sealed_and_for_this_host_only() {
    let home = Household::with("misc.frontend_url = 'https://media.example.org'").await;
    let answer = home
        .app
        .browser()
        .call(Method::GET, "/login/oidc", &[], "")
        .await;
    let cookie = answer.header("set-cookie").unwrap();
    for part in [
        "__Host-oidc-attempt-",
        "HttpOnly",
        "SameSite=Lax",
        "Secure",
        "Path=/",
        "Max-Age=600",
    ] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
    let query = query(&answer.location().unwrap());
    assert!(
        !cookie.contains(&query["state"])
            && !cookie.contains(&query["nonce"])
            && !cookie.contains("Domain")
    );
    assert!(query["redirect_uri"].starts_with("https://media.example.org/"));
}

/// Proxies answer 400 to more than 8 KiB of cookies, for every page of the host.
#[tokio::test]
async fn another_site_cannot_fill_the_cookies_with_long_targets() {
    let home = Household::new().await;
    let quoted = format!("/%22{}", "%22".repeat(200));
    for target in [format!("/{}", "a".repeat(2000)), quoted] {
        let mut browser = home.app.browser();
        let start = format!("/login/oidc?return_to={target}");
        let mut away = String::new();
        for _ in 0..6 {
            let answer = browser.call(Method::GET, &start, &[], "").await;
            away = answer.location().unwrap();
            home.app.pass(1);
        }
        let size: usize = browser
            .cookie_names()
            .map(|name| name.len() + browser.cookie(name).unwrap().len() + "=; ".len())
            .sum();
        assert!(size < 4 * 1024, "{size} bytes");
        let back = home
            .provider
            .answer(&away, &Account::confirmed("ada@example.org"));
        let answer = app_with_provider::call_back(&mut browser, &back).await;
        assert_eq!(
            answer.location().as_deref(),
            Some("/account"),
            "the login goes on to the start page"
        );
    }
    let target = format!("/web/{}", "a".repeat(240));
    let mut browser = home.app.browser();
    let away =
        app_with_provider::set_out_from(&mut browser, &format!("/login?return_to={target}")).await;
    let back = home
        .provider
        .answer(&away, &Account::confirmed("ada@example.org"));
    assert_eq!(
        app_with_provider::call_back(&mut browser, &back)
            .await
            .location(),
        Some(target),
        "what pages are called is kept"
    );
}
