//! Credentials that MediaManager accepted: its default administrator, long passwords, and long
//! local parts.

use axum::http::StatusCode;
use mediamanager_auth::server::{
    crypto::password_hasher::Argon2Params,
    flows::{Ctx, import, users::Role},
};

use crate::{
    process::{Home, Serving, text},
    support::{App, PASSWORD, log::Log},
};

const DEFAULT_ADMIN: &str = "admin@example.com";

/// Gives a user the hash of `password` with MediaManager's parameters, as its own row has.
async fn set_password(app: &App, email: &str, password: &str) {
    let params = Argon2Params::STANDARD;
    let argon2 = argon2::Argon2::new(
        argon2::Algorithm::Argon2id,
        argon2::Version::V0x13,
        argon2::Params::new(params.memory_kib, params.passes, params.lanes, Some(32)).unwrap(),
    );
    let hash = argon2::password_hash::PasswordHasher::hash_password_with_salt(
        &argon2,
        password.as_bytes(),
        b"sixteen bytes of",
    )
    .unwrap();
    app.sql(&format!(
        "UPDATE \"user\" SET hashed_password = '{hash}' WHERE email = '{email}'"
    ))
    .await;
}

/// A program that has adopted MediaManager's default administrator.
async fn with_default_admin() -> App {
    let app = App::new().await;
    app.member(DEFAULT_ADMIN).await;
    set_password(&app, DEFAULT_ADMIN, "admin").await;
    app.sql("UPDATE \"user\" SET is_superuser = true").await;
    app.sql("DELETE FROM auth_user_account").await;
    app
}

#[tokio::test]
async fn mediamanagers_admin_admin_opens_nothing_and_the_log_names_the_way_out() {
    let app = with_default_admin().await;
    let log = Log::begin();
    let page = app.browser().log_in(DEFAULT_ADMIN, "admin").await;
    let wrong = app.browser().log_in(DEFAULT_ADMIN, "nimda").await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert_eq!(page.header("set-cookie"), None);
    assert_eq!(
        page.text("[role=alert]"),
        wrong.text("[role=alert]"),
        "the answer does not tell that the password was right"
    );
    for path in ["/api/v1/auth/cookie/login", "/api/v1/auth/jwt/login"] {
        let fields = [("username", DEFAULT_ADMIN), ("password", "admin")];
        let page = app.browser().post_form(path, &fields).await;
        assert_eq!(
            (page.status, page.body.as_str()),
            (
                StatusCode::BAD_REQUEST,
                r#"{"detail":"LOGIN_BAD_CREDENTIALS"}"#
            )
        );
    }
    assert_eq!(
        app.count("SELECT count(*) FROM auth_event WHERE kind = 'default_password_refused' AND user_id IS NOT NULL")
            .await,
        3
    );
    assert_eq!(app.count("SELECT count(*) FROM auth_session").await, 0);
    let lines = log.text();
    assert!(
        lines.contains("mediamanager-auth user reset-link"),
        "{lines}"
    );
}

#[tokio::test]
async fn the_default_administrator_gets_in_with_a_password_of_their_own() {
    let app = with_default_admin().await;
    set_password(&app, DEFAULT_ADMIN, PASSWORD).await;
    assert_eq!(
        app.browser().log_in(DEFAULT_ADMIN, PASSWORD).await.path,
        "/account"
    );
}

#[tokio::test]
async fn the_default_password_is_found_by_the_system_check() {
    let app = with_default_admin().await;
    app.user("boss@example.org", Role::Administrator).await;
    let mut boss = app.browser();
    boss.log_in("boss@example.org", PASSWORD).await;
    let page = boss.get("/users/check").await;
    assert!(
        page.body.contains(DEFAULT_ADMIN) && page.body.contains("user reset-link"),
        "{}",
        page.body
    );
    set_password(&app, DEFAULT_ADMIN, PASSWORD).await;
    let page = boss.get("/users/check").await;
    assert!(!page.body.contains(DEFAULT_ADMIN), "{}", page.body);
    assert!(page.body.contains("default password"), "{}", page.body);
}

#[tokio::test]
async fn passwords_that_mediamanager_accepted_open_the_account_whatever_their_length() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    for password in [
        "short",
        &"violet kettle ".repeat(22),
        &"\u{1f600}".repeat(300),
    ] {
        set_password(&app, "ada@example.org", password).await;
        let mut browser = app.browser();
        assert_eq!(
            browser.log_in("ada@example.org", password).await.path,
            "/account",
            "{password}"
        );
        let fields = [("username", "ada@example.org"), ("password", password)];
        let page = app
            .browser()
            .post_form("/api/v1/auth/cookie/login", &fields)
            .await;
        assert_eq!(page.status, StatusCode::NO_CONTENT, "{password}");
        let wrong = format!("{password}x");
        assert_eq!(
            app.browser().log_in("ada@example.org", &wrong).await.status,
            StatusCode::UNAUTHORIZED,
            "every character counts"
        );
    }
}

#[tokio::test]
async fn an_address_with_a_long_local_part_logs_in_and_cannot_be_a_new_one() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let long = format!("{}@example.org", "a".repeat(70));
    app.sql(&format!("UPDATE \"user\" SET email = '{long}'"))
        .await;
    assert_eq!(app.browser().log_in(&long, PASSWORD).await.path, "/account");
    let fields = [("username", long.as_str()), ("password", PASSWORD)];
    let page = app
        .browser()
        .post_form("/api/v1/auth/cookie/login", &fields)
        .await;
    assert_eq!(page.status, StatusCode::NO_CONTENT);
    let new = format!("{}@example.org", "b".repeat(70));
    let page = app
        .browser()
        .post_form("/login/signup", &[("email", &new), ("password", PASSWORD)])
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_password_is_found_at_the_start_and_by_check_and_import() {
    let there = with_default_admin().await;
    let url = &there.database.url;
    let home = Home::with(&format!("[server]\nport = 0\ndatabase_url = '{url}'"));
    let check = home.command().arg("check").output().unwrap();
    let said = text(&check.stdout);
    assert_eq!(check.status.code(), Some(1), "{said}");
    assert!(
        said.contains("FAIL default password: ") && said.contains(DEFAULT_ADMIN),
        "{said}"
    );
    let mut serving = Serving::start(&home, "Listening");
    serving.await_log("INSECURE: MediaManager's default password");
    assert_eq!(serving.stop().0, Some(0));

    let here = App::new().await;
    let report = import::import_mediamanager(&Ctx::cli(&here.state), url)
        .await
        .unwrap();
    assert_eq!(
        (report.users, report.default_passwords.as_slice()),
        (1, &[DEFAULT_ADMIN.to_owned()][..])
    );
    assert_eq!(
        here.browser().log_in(DEFAULT_ADMIN, "admin").await.status,
        StatusCode::UNAUTHORIZED
    );
}
