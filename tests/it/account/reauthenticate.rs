//! Logging in again before a change of the account: a stolen cookie alone changes nothing (SR-094,
//! SR-098, SR-099).

use axum::http::StatusCode;
use mediamanager_auth::server::flows::users::Role;

use super::{COOKIE, NEW, change_password, is_in, logged_in, may_log_in};
use crate::support::{App, PASSWORD, SMTP};

/// The pages that change the account itself, without those about a provider.
const RECENT_LOGIN_PAGES: [(&str, &str); 3] = [
    ("/account/address", "Change e-mail"),
    ("/account/delete", "Delete your account"),
    ("/account/password", "Change password"),
];

#[tokio::test]
async fn after_five_minutes_the_page_leads_over_a_new_login_and_back() {
    let app = App::with(SMTP).await;
    app.member("ada@example.org").await;
    app.user("new@example.org", Role::Pending).await;
    // Pending users may change and delete their account too.
    for email in ["ada@example.org", "new@example.org"] {
        for (path, heading) in RECENT_LOGIN_PAGES {
            let mut browser = logged_in(&app, email).await;
            app.pass(299);
            assert_eq!(browser.get(path).await.heading(), heading, "{email}");
            app.pass(1);
            let page = browser.get(&format!("{path}?x=1")).await;
            assert_eq!(
                page.path,
                format!(
                    "/account/log-in-again?return_to=%2Faccount%2F{}%3Fx%3D1",
                    path.rsplit('/').next().unwrap()
                )
            );
            assert_eq!(page.heading(), "Confirm that it is you");
            assert_eq!(
                (
                    page.attribute("#email", "value").as_deref(),
                    page.attribute("#email", "readonly").is_some()
                ),
                (Some(email), true)
            );
            let page = browser
                .submit(&page, "Go on", &[("password", PASSWORD)])
                .await;
            assert_eq!(
                (page.heading().as_str(), page.path),
                (heading, format!("{path}?x=1")),
                "{email}"
            );
        }
    }
}

#[tokio::test]
async fn a_stolen_cookie_cannot_change_the_account() {
    let app = App::with(SMTP).await;
    app.member("ada@example.org").await;
    let mut thief = logged_in(&app, "ada@example.org").await;
    // A login in the future, after the clock was set back, is not recent.
    for seconds in [300, -301] {
        app.pass(seconds);
        for (path, heading) in RECENT_LOGIN_PAGES {
            let page = thief
                .post_form(path, &[("password", NEW), ("email", "thief@example.org")])
                .await;
            assert_eq!(
                (page.status, page.heading().as_str()),
                (StatusCode::FORBIDDEN, heading),
                "{path} after {seconds}"
            );
            assert!(
                page.text("[role=alert]")
                    .unwrap()
                    .starts_with("Your login is older than five minutes."),
                "{path}: {}",
                page.body
            );
            assert!(!page.body.contains(NEW));
        }
    }
    assert!(may_log_in(&app, "ada@example.org", PASSWORD).await);
    let events = app
        .count("SELECT count(*) FROM auth_event WHERE kind NOT IN ('user_created', 'logged_in')")
        .await;
    assert_eq!(
        (events, app.count("SELECT count(*) FROM auth_outbox").await),
        (0, 0),
        "nothing has happened, and nobody is written to"
    );
}

#[tokio::test]
async fn logging_in_again_ends_what_a_thief_has_copied() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut ada = logged_in(&app, "ada@example.org").await;
    let other = logged_in(&app, "ada@example.org").await;
    let thief = ada.clone();
    app.pass(300);
    let page = ada.get("/account/password").await;
    let wrong = ada
        .submit(&page, "Go on", &[("password", "not her password")])
        .await;
    assert_eq!(
        (wrong.status, wrong.path.as_str()),
        (StatusCode::UNAUTHORIZED, "/account/log-in-again")
    );
    assert!(wrong.text("[role=alert]").unwrap().contains("do not match"));
    assert_eq!(
        (is_in(&ada).await, ada.cookie(COOKIE)),
        (true, thief.cookie(COOKIE)),
        "a wrong one changes nothing"
    );
    let page = ada.submit(&wrong, "Go on", &[("password", PASSWORD)]).await;
    assert_eq!(
        page.path, "/account/password",
        "the way back survives a mistake"
    );
    assert_ne!(ada.cookie(COOKIE), thief.cookie(COOKIE));
    assert_eq!(
        (is_in(&ada).await, is_in(&thief).await, is_in(&other).await),
        (true, false, true)
    );
}

#[tokio::test]
async fn guessing_behind_a_stolen_cookie_is_throttled_like_every_login() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let ada = logged_in(&app, "ada@example.org").await;
    let mut thief = app.browser();
    thief.set_cookie(COOKIE, ada.cookie(COOKIE).unwrap());
    for _ in 0..10 {
        assert_eq!(
            thief
                .post_form("/account/log-in-again", &[("password", "a wild guess")])
                .await
                .status,
            StatusCode::UNAUTHORIZED
        );
    }
    for password in ["a wild guess", PASSWORD] {
        let page = thief
            .post_form("/account/log-in-again", &[("password", password)])
            .await;
        assert_eq!(
            (page.status, page.heading().as_str()),
            (StatusCode::TOO_MANY_REQUESTS, "Confirm that it is you")
        );
        assert!(page.header("retry-after").is_some());
    }
    let login = app
        .browser()
        .post_form(
            "/login",
            &[("email", "ada@example.org"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(
        login.status,
        StatusCode::TOO_MANY_REQUESTS,
        "it is one budget"
    );
    assert_eq!(
        app.browser()
            .at("198.51.100.1")
            .log_in("ada@example.org", PASSWORD)
            .await
            .path,
        "/account",
        "not that of the owner elsewhere"
    );
}

#[tokio::test]
async fn logging_in_again_leads_nowhere_but_to_this_site() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut browser = logged_in(&app, "ada@example.org").await;
    for (return_to, target) in [
        ("/account/password?x=%2F", "/account/password?x=%2F"),
        ("https://evil.example/", "/account"),
        ("//evil.example/", "/account"),
        ("/\\evil.example/", "/account"),
        ("/%2f/evil.example/", "/account"),
        ("javascript:alert(1)", "/account"),
        ("/logout", "/account"),
        ("", "/account"),
    ] {
        let page = browser
            .post_form(
                "/account/log-in-again",
                &[("password", PASSWORD), ("return_to", return_to)],
            )
            .await;
        assert_eq!(
            (page.status, page.location().as_deref()),
            (StatusCode::SEE_OTHER, Some(target)),
            "{return_to}"
        );
    }
    let page = browser
        .get("/account/log-in-again?return_to=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        .await;
    assert!(!page.body.contains("<script>alert(1)"), "{}", page.body);
}

#[tokio::test]
async fn another_persons_address_in_the_form_changes_nothing() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    app.member("eve@example.org").await;
    change_password(&mut logged_in(&app, "ada@example.org").await, NEW).await;
    let mut eve = logged_in(&app, "eve@example.org").await;
    let page = eve
        .post_form(
            "/account/log-in-again",
            &[("email", "ada@example.org"), ("password", NEW)],
        )
        .await;
    assert_eq!(
        page.status,
        StatusCode::UNAUTHORIZED,
        "it asks for the password of who is logged in"
    );
    let page = eve
        .post_form(
            "/account/log-in-again",
            &[("email", "ada@example.org"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    assert_eq!(
        eve.get("/api/v1/users/me").await.json()["email"],
        "eve@example.org"
    );
    // The password changes for the signed-in user, whatever address the form contains.
    eve.post_form(
        "/account/password",
        &[
            ("email", "ada@example.org"),
            ("password", "granite willow compass 7"),
        ],
    )
    .await;
    assert!(may_log_in(&app, "ada@example.org", NEW).await);
    let mut nobody = app.browser();
    let page = nobody
        .post_form(
            "/account/log-in-again",
            &[("email", "ada@example.org"), ("password", NEW)],
        )
        .await;
    assert_eq!(
        (page.status, nobody.cookie(COOKIE)),
        (StatusCode::UNAUTHORIZED, None),
        "nobody logs in here who is not logged in"
    );
}
