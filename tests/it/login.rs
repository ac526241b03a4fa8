use crate::support::{App, Browser, PASSWORD, app::CHEAP};
use axum::http::{Method, StatusCode};
use mediamanager_auth::server::{crypto::password_hasher::Hasher, flows::users::Role};

mod mediamanager;

#[tokio::test]
async fn a_member_logs_in_and_out_without_script() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut browser = app.browser();

    let page = browser.log_in(" Ada@Example.org ", PASSWORD).await;
    assert_eq!(
        (page.status, page.path.as_str()),
        (StatusCode::OK, "/account")
    );
    assert!(page.body.contains("ada@example.org"));
    let cookie = browser.cookie("fastapiusersauth").unwrap().to_owned();

    let page = browser.submit(&page, "Log out", &[]).await;
    assert_eq!(page.path, "/login?notice=logged_out");
    assert_eq!(
        page.text("[role=status]").as_deref(),
        Some("You are logged out.")
    );
    assert_eq!(browser.cookie("fastapiusersauth"), None);

    browser.set_cookie("fastapiusersauth", &cookie);
    assert_eq!(
        browser.get("/account").await.path,
        "/login?return_to=%2Faccount"
    );
}

#[tokio::test]
async fn a_wrong_password_shows_the_page_again_with_the_address_kept() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut browser = app.browser();
    let page = browser.log_in("ada@example.org", "not her password").await;
    assert_eq!(
        (page.status, page.path.as_str()),
        (StatusCode::UNAUTHORIZED, "/login")
    );
    assert_eq!(
        page.text("title").as_deref(),
        Some("Error: Log in · MediaManager")
    );
    assert_eq!(
        page.text("[role=alert]").as_deref(),
        Some("That e-mail and password do not match. Check both and try again.")
    );
    assert_eq!(
        page.attribute("#email", "value").as_deref(),
        Some("ada@example.org")
    );
    assert_eq!(page.attribute("#password", "value"), None);
    assert!(!page.body.contains("not her password"));
}

#[tokio::test]
async fn somebody_who_waits_for_approval_is_told_who_can_help() {
    let app = App::new().await;
    app.user("ada@example.org", Role::Pending).await;
    let page = app.browser().log_in("ada@example.org", PASSWORD).await;
    assert_eq!(page.path, "/login/verify");
    assert_eq!(page.heading(), "Waiting for approval");
    assert!(page.body.contains("An administrator"));
}

#[tokio::test]
async fn the_front_door_is_the_login_page_until_somebody_is_in() {
    let app = App::with("[policy]\ndefault_redirect = '/web/dashboard'").await;
    app.member("ada@example.org").await;
    let mut browser = app.browser();
    assert_eq!(browser.get("/").await.path, "/login");
    assert_eq!(
        browser.log_in("ada@example.org", PASSWORD).await.path,
        "/web/dashboard"
    );
    assert_eq!(browser.get("/").await.path, "/web/dashboard");
}

#[tokio::test]
async fn addresses_of_mediamanagers_frontend_lead_to_ours() {
    let app = App::new().await;
    for (path, target) in [
        ("/web/login", "/login"),
        ("/web/login/", "/login"),
        ("/web/login/signup/", "/login/signup"),
        ("/web/login/forgot-password/", "/login/forgot-password"),
        ("/web/login/verify/", "/login"),
        ("/login/", "/login"),
        ("/login/?notice=logged_out", "/login?notice=logged_out"),
        ("/account/", "/login?return_to=%2Faccount"),
    ] {
        assert_eq!(app.browser().get(path).await.path, target, "{path}");
    }
    let reset = app
        .browser()
        .call(Method::GET, "/web/login/reset-password/?token=x", &[], "")
        .await;
    assert_eq!(
        reset.location().as_deref(),
        Some("/web/login/reset-password?token=x"),
        "the token comes along"
    );
    for path in [
        "/web/login/x",
        "//login/",
        "///",
        "/\\evil.example/",
        "/nowhere/",
        "/login//",
        "/loginx/",
    ] {
        let page = app.browser().call(Method::GET, path, &[], "").await;
        assert_eq!(
            (page.status, page.location()),
            (StatusCode::NOT_FOUND, None),
            "{path}"
        );
    }
}

#[tokio::test]
async fn where_too_many_passwords_wait_a_login_is_told_when_to_come_back() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let no_turns = Hasher::new(CHEAP, 0).unwrap();
    let browser = Browser::new(app.with_hasher(no_turns));
    let (mut person, mut script) = (browser.clone(), browser);
    let fields = [("username", "ada@example.org"), ("password", PASSWORD)];
    let (page, answer) = tokio::join!(
        person.log_in("ada@example.org", PASSWORD),
        script.post_form("/api/v1/auth/cookie/login", &fields)
    );
    for refused in [&page, &answer] {
        assert_eq!(
            (refused.status, refused.header("retry-after")),
            (StatusCode::SERVICE_UNAVAILABLE, Some("2")),
            "{}",
            refused.path
        );
        assert_eq!(refused.header("set-cookie"), None);
    }
    assert!(
        page.text("[role=alert]")
            .unwrap()
            .contains("Many people are logging in right now"),
        "{}",
        page.body
    );
    assert_eq!(answer.body, r#"{"detail":"OVERLOADED"}"#);
    assert_eq!(
        app.browser().log_in("ada@example.org", PASSWORD).await.path,
        "/account",
        "it was no failed attempt"
    );
}

#[tokio::test]
async fn a_target_with_a_control_character_does_not_keep_a_login_from_succeeding() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    for target in [
        "/account%00",
        "/web%0d%0aX:y",
        "/web%7f",
        "%09/account%09",
        "/web%C2%85",
    ] {
        let mut browser = app.browser();
        let page = browser.get(&format!("/login?return_to={target}")).await;
        assert_eq!(
            page.attribute("input[name=return_to]", "value")
                .unwrap_or_default(),
            "",
            "{target}"
        );
        let page = browser
            .submit(
                &page,
                "Log in",
                &[("email", "ada@example.org"), ("password", PASSWORD)],
            )
            .await;
        assert_eq!(page.path, "/account", "{target}: {}", page.status);
    }
}
