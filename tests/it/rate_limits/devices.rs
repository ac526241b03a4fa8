//! Device cookies: a browser that has logged in to an account before is not delayed by strangers'
//! failures (SR-269).

use axum::http::{Method, StatusCode};
use mediamanager_auth::server::flows::users::Role;

use super::{attempt, fail_from, fail_with, guess, retry_after, stranger};
use crate::support::{Account, App, Browser, Household, PASSWORD};

const HOME: &str = "203.0.113.7";
const JOURNEY: &str = "192.0.2.33";
const ADA: &str = "ada@example.org";

/// The names and values of the browser's device cookies.
fn device_cookies(browser: &Browser) -> Vec<(String, String)> {
    browser
        .cookie_names()
        .filter(|name| name.trim_start_matches("__Host-").starts_with("device-"))
        .map(|name| (name.to_owned(), browser.cookie(name).unwrap().to_owned()))
        .collect()
}

/// A browser that has only the device cookies of another one.
fn with_devices_of(app: &App, other: &Browser, address: &str) -> Browser {
    let mut browser = app.browser().at(address);
    for (name, value) in device_cookies(other) {
        browser.set_cookie(&name, &value);
    }
    browser
}

/// A browser in which this user has logged in at home.
async fn device_of(app: &App, email: &str) -> Browser {
    let mut browser = app.browser().at(HOME);
    assert_eq!(browser.log_in(email, PASSWORD).await.path, "/account");
    browser
}

/// What the cleanup does after a day.
async fn forget_failures(app: &App) {
    app.sql("DELETE FROM auth_rate_limit").await;
}

async fn log_in(browser: &mut Browser, password: &str) -> StatusCode {
    let fields = [("email", ADA), ("password", password)];
    browser.post_form("/login", &fields).await.status
}

#[tokio::test]
async fn a_poller_does_not_keep_an_owner_out_whose_device_is_known() {
    let app = App::new().await;
    app.member(ADA).await;
    let device = device_of(&app, ADA).await;
    fail_with(&app, ADA, 0..10).await;
    // The poller takes the moment at which each delay ends.
    for n in 10..30 {
        let wait = retry_after(&attempt(&app, &stranger(n), ADA, PASSWORD).await);
        app.pass(wait);
        assert_eq!(
            guess(&app, &stranger(n), ADA).await,
            StatusCode::UNAUTHORIZED
        );
    }
    assert!(retry_after(&attempt(&app, JOURNEY, ADA, PASSWORD).await) > 800);
    let mut owner = with_devices_of(&app, &device, JOURNEY);
    assert_eq!(log_in(&mut owner, PASSWORD).await, StatusCode::SEE_OTHER);
    assert_eq!(owner.get("/account").await.path, "/account");
    // It lasts a year.
    app.pass(364 * 86_400);
    forget_failures(&app).await;
    fail_with(&app, ADA, 40..50).await;
    assert_eq!(
        attempt(&app, JOURNEY, ADA, PASSWORD).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    let mut owner = with_devices_of(&app, &owner, JOURNEY);
    assert_eq!(log_in(&mut owner, PASSWORD).await, StatusCode::SEE_OTHER);
    let late = with_devices_of(&app, &owner, JOURNEY);
    app.pass(365 * 86_400);
    forget_failures(&app).await;
    fail_with(&app, ADA, 60..70).await;
    assert_eq!(
        log_in(&mut late.at(JOURNEY), PASSWORD).await,
        StatusCode::TOO_MANY_REQUESTS,
        "and no longer"
    );
}

#[tokio::test]
async fn others_on_the_same_network_do_not_delay_a_known_device() {
    let app = App::new().await;
    app.member(ADA).await;
    let device = device_of(&app, ADA).await;
    fail_from(&app, JOURNEY, 20).await;
    assert_eq!(
        attempt(&app, JOURNEY, ADA, PASSWORD).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    let mut owner = with_devices_of(&app, &device, JOURNEY);
    assert_eq!(log_in(&mut owner, PASSWORD).await, StatusCode::SEE_OTHER);
    let fields = [("email", "nobody@example.org"), ("password", PASSWORD)];
    assert_eq!(
        owner.post_form("/login", &fields).await.status,
        StatusCode::TOO_MANY_REQUESTS,
        "with other accounts it is a stranger like all others"
    );
}

#[tokio::test]
async fn a_stolen_device_cookie_is_neither_a_login_nor_free_guessing() {
    let app = App::new().await;
    app.member(ADA).await;
    let device = device_of(&app, ADA).await;
    fail_with(&app, ADA, 0..10).await;
    app.pass(-1);
    let thief = |n: usize| with_devices_of(&app, &device, &stranger(n));
    assert!(
        thief(99)
            .get("/account")
            .await
            .path
            .starts_with("/login?return_to")
    );
    for n in 100..110 {
        assert_eq!(
            log_in(&mut thief(n), "a wrong guess").await,
            StatusCode::UNAUTHORIZED
        );
    }
    assert_eq!(
        log_in(&mut thief(110), "a wrong guess").await,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(
        attempt(&app, HOME, ADA, PASSWORD).await.status,
        StatusCode::SEE_OTHER,
        "the thief's guesses are the device's, and not the home's"
    );
}

#[tokio::test]
async fn a_device_cookie_ends_with_the_password_and_with_the_links() {
    let app = App::new().await;
    app.member(ADA).await;
    for change in [
        "UPDATE \"user\" SET hashed_password = hashed_password || ' '",
        "UPDATE auth_user_account SET link_generation = link_generation + 1",
    ] {
        let device = device_of(&app, ADA).await;
        fail_with(&app, ADA, 0..10).await;
        app.pass(-30);
        let mut known = with_devices_of(&app, &device, JOURNEY);
        assert_eq!(
            log_in(&mut known, "a wrong guess").await,
            StatusCode::UNAUTHORIZED
        );
        app.sql(change).await;
        assert_eq!(
            log_in(&mut known, "a wrong guess").await,
            StatusCode::TOO_MANY_REQUESTS,
            "{change}"
        );
        app.sql("UPDATE \"user\" SET hashed_password = trim(hashed_password)")
            .await;
        forget_failures(&app).await;
    }
}

#[tokio::test]
async fn who_changes_the_password_stays_known_in_this_browser() {
    let app = App::new().await;
    app.member(ADA).await;
    let mut ada = device_of(&app, ADA).await;
    let before = device_cookies(&ada);
    let new = "copper lantern meadow 4";
    let answer = ada
        .post_form("/account/password", &[("password", new)])
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert_ne!(device_cookies(&ada), before);
    fail_with(&app, ADA, 0..10).await;
    app.pass(-30);
    let mut known = with_devices_of(&app, &ada, JOURNEY);
    assert_eq!(log_in(&mut known, new).await, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_device_cookie_is_for_one_account_and_says_nothing() {
    let app = App::with("misc.frontend_url = 'https://media.example.org'").await;
    let ada = app.member(ADA).await;
    app.member("eve@example.org").await;
    let api = async |email: &str| {
        let mut browser = app.browser();
        let fields = [("username", email), ("password", PASSWORD)];
        let page = browser
            .post_form("/api/v1/auth/cookie/login", &fields)
            .await;
        assert_eq!(page.status, StatusCode::NO_CONTENT);
        let set: Vec<String> = page
            .headers
            .get_all("set-cookie")
            .iter()
            .map(|value| value.to_str().unwrap().to_owned())
            .collect();
        (browser, set)
    };
    let (adas, set) = api(ADA).await;
    assert_eq!(set.len(), 2);
    let header = set
        .iter()
        .find(|header| header.starts_with("__Host-device-"))
        .unwrap();
    for part in [
        "HttpOnly",
        "SameSite=Lax",
        "Secure",
        "Path=/",
        "Max-Age=31536000",
    ] {
        assert!(header.split("; ").any(|found| found == part), "{header}");
    }
    assert!(!header.contains("Domain"));
    let (name, value) = device_cookies(&adas).remove(0);
    assert!(!header.contains(&ada.id.to_string()) && !value.starts_with("ey"));

    // Eve's cookie under the name of Ada's, and Ada's own, damaged.
    let (eves, _) = api("eve@example.org").await;
    let eves = device_cookies(&eves).remove(0).1;
    fail_with_api(&app).await;
    for forged in [&eves, &value.replace(&value[..8], "AAAAAAAA"), ""] {
        let mut browser = app.browser().at(JOURNEY);
        browser.set_cookie(&name, forged);
        assert_eq!(guess_api(&mut browser).await, StatusCode::TOO_MANY_REQUESTS);
    }
    let mut known = with_devices_of(&app, &adas, JOURNEY);
    assert_eq!(guess_api(&mut known).await, StatusCode::BAD_REQUEST);
}

async fn guess_api(browser: &mut Browser) -> StatusCode {
    let fields = [("username", ADA), ("password", "a wrong guess")];
    browser
        .post_form("/api/v1/auth/cookie/login", &fields)
        .await
        .status
}

async fn fail_with_api(app: &App) {
    for n in 0..10 {
        let mut browser = app.browser().at(&stranger(n));
        assert_eq!(guess_api(&mut browser).await, StatusCode::BAD_REQUEST);
    }
    app.pass(-30);
}

#[tokio::test]
async fn every_way_in_makes_the_device_known() {
    let home = Household::new().await;
    let app = &home.app;
    let mut setup = app.browser();
    let page = setup.get(&app.setup_path().await.unwrap()).await;
    let typed = [("email", "boss@example.org"), ("password", PASSWORD)];
    setup.submit(&page, "Create administrator", &typed).await;

    let mut signed_up = app.browser();
    let typed = [("email", "new@example.org"), ("password", PASSWORD)];
    signed_up.post_form("/login/signup", &typed).await;

    app.member(ADA).await;
    let mut password = app.browser();
    password.log_in(ADA, PASSWORD).await;

    let mut provider = app.browser();
    home.log_in(&mut provider, &Account::confirmed("grace@example.org"))
        .await;

    let mut again = app.browser();
    again.log_in(ADA, PASSWORD).await;
    let before = device_cookies(&again);
    let page = again.get("/account/log-in-again").await;
    again
        .submit(&page, "Go on", &[("password", PASSWORD)])
        .await;
    assert_ne!(device_cookies(&again), before, "each login makes a new one");
    for (way, browser) in [
        ("setup", setup),
        ("sign-up", signed_up),
        ("password", password),
        ("provider", provider),
        ("again", again),
    ] {
        assert_eq!(device_cookies(&browser).len(), 1, "{way}");
    }
    // A program that takes the token out of the answer keeps no cookies.
    let mut script = app.browser();
    let fields = [("username", ADA), ("password", PASSWORD)];
    script.post_form("/api/v1/auth/jwt/login", &fields).await;
    assert_eq!(device_cookies(&script), []);
}

#[tokio::test]
async fn a_browser_of_many_people_keeps_five_device_cookies_and_log_outs_keep_them() {
    let app = App::new().await;
    let mut browser = app.browser();
    for n in 0..7 {
        let email = format!("user{n}@example.org");
        app.user(&email, Role::Member).await;
        app.pass(1);
        browser.log_in(&email, PASSWORD).await;
        browser.post_form("/logout", &[]).await;
    }
    assert_eq!(device_cookies(&browser).len(), 5);
}

#[tokio::test]
async fn a_known_device_tells_nobody_on_its_network_who_has_an_account() {
    let app = App::new().await;
    app.member(ADA).await;
    let mut device = device_of(&app, ADA).await;
    device.post_form("/logout", &[]).await;
    let campus = "198.18.0.1";
    let mut device = device.at(campus);
    assert_eq!(log_in(&mut device, PASSWORD).await, StatusCode::SEE_OTHER);
    device.post_form("/logout", &[]).await;
    for email in [ADA, "nobody@example.org"] {
        fail_with(&app, email, 0..10).await;
    }
    app.pass(-30);
    for email in [ADA, "nobody@example.org"] {
        assert_eq!(
            guess(&app, campus, email).await,
            StatusCode::TOO_MANY_REQUESTS,
            "{email}"
        );
    }
    assert_eq!(log_in(&mut device, PASSWORD).await, StatusCode::SEE_OTHER);
    let me = device.call(Method::GET, "/api/v1/users/me", &[], "").await;
    assert_eq!(me.json()["email"], ADA);
}
