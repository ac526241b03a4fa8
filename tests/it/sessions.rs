//! Sessions: the token, its checks, and its end.

use axum::{
    Router,
    http::{Method, StatusCode},
};
use serde_json::json;

use crate::support::{App, Browser, PASSWORD, Page};

mod bearer;
mod limit;
mod neighbours;
mod revocation;
mod token;

const NAME: &str = "fastapiusersauth";
/// Status codes of a live token as a cookie on a page, as a cookie of the API, and as a bearer
/// token.
const ALIVE: [u16; 3] = [200, 200, 200];
const DEAD: [u16; 3] = [303, 401, 401];

async fn opens(router: &Router, token: &str) -> [u16; 3] {
    let mut browser = Browser::new(router.clone());
    let bearer = browser
        .call(
            Method::GET,
            "/api/v1/users/me",
            &[("authorization", &format!("Bearer {token}"))],
            "",
        )
        .await;
    browser.set_cookie(NAME, token);
    let page = browser.call(Method::GET, "/account", &[], "").await;
    let me = browser.call(Method::GET, "/api/v1/users/me", &[], "").await;
    [page, me, bearer].map(|page| page.status.as_u16())
}

/// A browser after its login, and its token.
async fn logged_in(app: &App, email: &str) -> (Browser, String) {
    let mut browser = app.browser();
    assert_eq!(browser.log_in(email, PASSWORD).await.status, StatusCode::OK);
    let token = browser.cookie(NAME).unwrap().to_owned();
    (browser, token)
}

async fn ada(app: &App) -> (Browser, String) {
    app.member("ada@example.org").await;
    logged_in(app, "ada@example.org").await
}

/// The session cookie's value, and its attributes in alphabetical order. The only other cookie is
/// that of a device that has just logged in, or the notice of a logout.
fn cookie_of(page: &Page) -> (String, Vec<String>) {
    let cookies = page.headers.get_all("set-cookie").iter();
    let cookies: Vec<_> = cookies.map(|cookie| cookie.to_str().unwrap()).collect();
    let others: Vec<_> = cookies[1..]
        .iter()
        .map(|cookie| cookie.trim_start_matches("__Host-"))
        .collect();
    let is_logout = cookies[0].starts_with(&format!("{NAME}=;"));
    let other = if is_logout { "notice=" } else { "device-" };
    assert!(
        matches!(&others[..], [cookie] if cookie.starts_with(other)),
        "{cookies:?}"
    );
    let mut parts = cookies[0].split("; ").map(ToOwned::to_owned);
    let value = parts
        .next()
        .unwrap()
        .strip_prefix("fastapiusersauth=")
        .unwrap()
        .to_owned();
    let mut attributes: Vec<_> = parts.collect();
    attributes.sort();
    (value, attributes)
}

async fn post_login(browser: &mut Browser, password: &str) -> Page {
    browser
        .post_form(
            "/login",
            &[("email", "ada@example.org"), ("password", password)],
        )
        .await
}

#[tokio::test]
async fn rights_are_read_anew_for_every_request() {
    let app = App::new().await;
    let (mut browser, token) = ada(&app).await;
    app.sql("UPDATE \"user\" SET is_superuser = true").await;
    assert_eq!(
        browser.get("/api/v1/users/me").await.json()["is_superuser"],
        json!(true)
    );
    app.sql("UPDATE \"user\" SET is_superuser = false").await;
    assert_eq!(
        browser.get("/api/v1/users/me").await.json()["is_superuser"],
        json!(false)
    );
    app.sql("UPDATE \"user\" SET is_active = false").await;
    assert_eq!(opens(&app.router, &token).await, DEAD, "disabled");
    assert_eq!(
        opens(&app.another("").await, &token).await,
        DEAD,
        "on every instance"
    );
    app.sql("DELETE FROM \"user\"").await;
    assert_eq!(opens(&app.router, &token).await, DEAD, "deleted");
    assert_eq!(app.count("SELECT COUNT(*) FROM auth_session").await, 0);
}

#[tokio::test]
async fn without_a_database_nobody_is_logged_in_and_nobody_logged_out() {
    let app = App::new().await;
    let setup = format!("/setup?token={}", app.state.tokens.sign_setup(60).unwrap());
    let (mut browser, token) = ada(&app).await;
    app.state.db.clone().close().await.unwrap();
    app.pass(1);
    let bearer = format!("Bearer {token}");
    let form = &[
        ("email", "ada@example.org"),
        ("username", "ada@example.org"),
        ("password", PASSWORD),
    ][..];
    for page in [
        browser.call(Method::GET, "/account", &[], "").await,
        browser.call(Method::GET, "/login", &[], "").await,
        browser.call(Method::GET, "/api/v1/users/me", &[], "").await,
        browser.post_form("/logout", &[]).await,
        browser.post_form("/api/v1/auth/cookie/logout", &[]).await,
        app.browser()
            .call(
                Method::GET,
                "/api/v1/users/me",
                &[("authorization", &bearer)],
                "",
            )
            .await,
        app.browser().post_form("/login", form).await,
        app.browser()
            .post_form("/api/v1/auth/cookie/login", form)
            .await,
        app.browser()
            .post_form("/api/v1/auth/jwt/login", form)
            .await,
        app.browser().get(&setup).await,
        app.browser().get("/readyz").await,
    ] {
        assert_eq!(
            (page.status, page.header("set-cookie")),
            (StatusCode::SERVICE_UNAVAILABLE, None),
            "{}",
            page.path
        );
        assert!(!page.body.is_empty(), "{}", page.path);
        assert!(
            !page.body.to_lowercase().contains("sql") && !page.body.contains("pool"),
            "{}: nothing of the library",
            page.path
        );
    }
    assert_eq!(app.browser().get("/livez").await.status, StatusCode::OK);
}

#[tokio::test]
async fn without_a_database_the_setup_link_is_not_blamed() {
    let app = App::new().await;
    let path = app.setup_path().await.unwrap();
    app.state.db.clone().close().await.unwrap();
    let page = app.browser().get(&path).await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "Try again soon")
    );
    assert!(page.header("retry-after").is_some());
}
