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
