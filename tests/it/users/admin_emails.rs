use axum::http::StatusCode;
use mediamanager_auth::{
    domain::{AuthError, Email, Password},
    server::{
        clock::Clock,
        flows::{Ctx, login, users::Role},
    },
};

use crate::support::{App, Browser, PASSWORD, app::state};

const ADA_IS_LISTED: &str = "auth.admin_emails = [' ADA@Example.org']";
const NOT_PROVEN: &str = "UPDATE auth_user_account SET email_verified_at = NULL";

/// Logs in and returns whether the user is an administrator: by the API, by the page, and in the
/// database.
async fn is_administrator(app: &App, mut browser: Browser, email: &str) -> bool {
    assert_eq!(browser.log_in(email, PASSWORD).await.status, StatusCode::OK);
    let me = browser.get("/api/v1/users/me").await.json();
    let is_superuser = me["is_superuser"].as_bool().unwrap();
    assert!(
        me["is_verified"].as_bool().unwrap() || !is_superuser,
        "an administrator needs nobody's approval"
    );
    assert_eq!(
        browser.get("/account").await.body.contains("Administrator"),
        is_superuser
    );
    let id = me["id"].as_str().unwrap();
    let id = if app.database.is_postgres() {
        format!("'{id}'")
    } else {
        format!("x'{}'", id.replace('-', ""))
    };
    assert_eq!(
        app.count(&format!(
            "SELECT COUNT(*) FROM \"user\" WHERE is_superuser AND id = {id}"
        ))
        .await
            == 1,
        is_superuser
    );
    is_superuser
}

async fn rename(app: &App, from: &str, to: &str) {
    app.sql(&format!(
        "UPDATE \"user\" SET email = '{to}' WHERE email = '{from}'"
    ))
    .await;
}

#[tokio::test]
async fn a_listed_and_proven_address_makes_an_administrator_at_login() {
    let app = App::with(ADA_IS_LISTED).await;
    for email in ["ada@example.org", "eve@example.org"] {
        app.user(email, Role::Pending).await;
    }
    assert_eq!(
        app.count("SELECT COUNT(*) FROM \"user\" WHERE is_superuser")
            .await,
        0,
        "not before the login"
    );
    assert!(is_administrator(&app, app.browser(), "ada@example.org").await);
    assert_eq!(
        app.browser().log_in("eve@example.org", PASSWORD).await.path,
        "/login/verify",
        "the list is about nobody else"
    );
    assert_eq!(
        app.count("SELECT COUNT(*) FROM \"user\" WHERE is_superuser")
            .await,
        1
    );
}

#[tokio::test]
async fn the_list_is_looked_at_at_every_login() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    assert!(!is_administrator(&app, app.browser(), "ada@example.org").await);
    let listed = Browser::new(app.another(ADA_IS_LISTED).await);
    assert!(is_administrator(&app, listed, "ada@example.org").await);
}

#[tokio::test]
async fn an_address_nobody_has_proven_makes_no_administrator() {
    let app = App::with(ADA_IS_LISTED).await;
    app.member("ada@example.org").await;
    app.sql(NOT_PROVEN).await;
    for _ in 0..2 {
        assert!(
            !is_administrator(&app, app.browser(), "ada@example.org").await,
            "logging in proves nothing"
        );
    }
    // A user that MediaManager created has no account row before the first login.
    app.sql("DELETE FROM auth_user_account").await;
    for _ in 0..2 {
        assert!(!is_administrator(&app, app.browser(), "ada@example.org").await);
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM auth_user_account WHERE email_verified_at IS NULL AND last_login_at IS NOT NULL").await, 1);
    app.sql("UPDATE auth_user_account SET email_verified_at = 1")
        .await;
    assert!(is_administrator(&app, app.browser(), "ada@example.org").await);
}

#[tokio::test]
async fn being_approved_is_not_being_proven() {
    let app = App::with(ADA_IS_LISTED).await;
    app.user("ada@example.org", Role::Pending).await;
    app.sql(NOT_PROVEN).await;
    app.sql("UPDATE \"user\" SET is_verified = true").await;
    assert!(!is_administrator(&app, app.browser(), "ada@example.org").await);
}

#[tokio::test]
async fn a_proven_address_helps_only_its_own_account() {
    let app = App::with(ADA_IS_LISTED).await;
    app.member("ada@example.org").await;
    app.sql(NOT_PROVEN).await;
    app.member("bob@example.org").await;
    assert!(
        !is_administrator(&app, app.browser(), "ada@example.org").await,
        "bob's is proven, ada's is not"
    );
    assert!(!is_administrator(&app, app.browser(), "bob@example.org").await);
}

#[tokio::test]
async fn capitals_and_blanks_make_no_difference() {
    let app = App::with("auth.admin_emails = ['bob@example.org', \"\\t aDa@EXAMPLE.org \"]").await;
    app.member("ada@example.org").await;
    rename(&app, "ada@example.org", "Ada@Example.ORG").await;
    assert!(is_administrator(&app, app.browser(), "adA@example.org").await);
}

#[tokio::test]
async fn other_addresses_of_the_same_mailbox_are_other_addresses() {
    let app = App::with("auth.admin_emails = ['ada.lovelace@example.org']").await;
    for email in [
        "adalovelace@example.org",
        "ada.lovelace+films@example.org",
        "ada.lovelace@mail.example.org",
        "ada.lovelace@example.or",
    ] {
        app.member(email).await;
        assert!(
            !is_administrator(&app, app.browser(), email).await,
            "{email}"
        );
    }
}

#[tokio::test]
async fn a_look_alike_never_matches() {
    let app = App::with("auth.admin_emails = ['kate@example.org', 'admin@example.org']").await;
    // KELVIN SIGN, dotless i, full-width letters, Cyrillic a: rows that MediaManager may have
    // stored, all of them verified.
    for (n, alike) in [
        "\u{212a}ate@example.org",
        "adm\u{131}n@example.org",
        "\u{ff4b}ate@example.org",
        "\u{430}dmin@example.org",
    ]
    .into_iter()
    .enumerate()
    {
        let plain = format!("someone{n}@example.org");
        app.member(&plain).await;
        rename(&app, &plain, alike).await;
        let page = app
            .browser()
            .post_form("/login", &[("email", alike), ("password", PASSWORD)])
            .await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{alike}");
        let page = app
            .browser()
            .post_form(
                "/api/v1/auth/jwt/login",
                &[("username", alike), ("password", PASSWORD)],
            )
            .await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{alike}");
    }
    for listed in ["kate@example.org", "admin@example.org"] {
        assert_eq!(
            app.browser().log_in(listed, PASSWORD).await.status,
            StatusCode::UNAUTHORIZED,
            "{listed}: the look-alike's password"
        );
    }
    assert_eq!(
        app.count("SELECT COUNT(*) FROM \"user\" WHERE is_superuser")
            .await,
        0
    );
    app.member("kate@example.org").await;
    assert!(
        is_administrator(&app, app.browser(), "kate@example.org").await,
        "and takes nothing from the real one"
    );
    assert_eq!(
        app.count("SELECT COUNT(*) FROM \"user\" WHERE is_superuser")
            .await,
        1
    );
}

#[tokio::test]
async fn a_look_alike_in_the_list_stops_the_start() {
    let app = App::new().await;
    for alike in ["\u{212a}ate@example.org", "adm\u{131}n@example.org"] {
        let reason = state(
            &app.database.url,
            &format!("auth.admin_emails = ['{alike}']"),
            Clock::System,
        )
        .await
        .err()
        .unwrap();
        assert!(reason.contains("auth.admin_emails"), "{reason}");
    }
}

#[tokio::test]
async fn taking_an_address_off_the_list_takes_nothing_away() {
    let app = App::with(ADA_IS_LISTED).await;
    app.member("ada@example.org").await;
    assert!(is_administrator(&app, app.browser(), "ada@example.org").await);
    for toml in ["", "auth.admin_emails = ['bob@example.org']"] {
        assert!(
            is_administrator(
                &app,
                Browser::new(app.another(toml).await),
                "ada@example.org"
            )
            .await
        );
    }
}

#[tokio::test]
async fn the_list_does_not_open_a_disabled_account() {
    let app = App::with(ADA_IS_LISTED).await;
    app.member("ada@example.org").await;
    app.sql("UPDATE \"user\" SET is_active = false").await;
    assert_eq!(
        app.browser()
            .log_in("ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        app.count("SELECT COUNT(*) FROM \"user\" WHERE is_superuser")
            .await,
        0
    );
}

#[tokio::test]
async fn a_login_under_way_makes_nobody_an_administrator_by_an_address_that_is_theirs_no_more() {
    let app = App::with(ADA_IS_LISTED).await;
    app.user("ada@example.org", Role::Pending).await;
    app.sql(NOT_PROVEN).await;
    let (email, password) = (
        Email::parse("ada@example.org").ok(),
        Password::parse(PASSWORD.to_owned()).unwrap(),
    );
    let cx = Ctx::cli(&app.state);
    let proven = login::verify_password(&cx, login::PasswordLogin { email, password })
        .await
        .unwrap();
    // During the password check, the stranger changed the address and verified the new one.
    rename(&app, "ada@example.org", "eve@example.org").await;
    app.sql("UPDATE auth_user_account SET email_verified_at = 1")
        .await;
    assert_eq!(
        login::complete_password_login(&cx, proven).await.err(),
        Some(AuthError::BadCredentials)
    );
    assert_eq!(
        app.count("SELECT COUNT(*) FROM \"user\" WHERE is_superuser OR is_verified")
            .await,
        0
    );
}
