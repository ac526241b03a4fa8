//! A response does not reveal by its duration whether an address has an account: the same number of
//! database calls and of computed hashes, whoever has it (SR-020, SR-033). Durations themselves are
//! measured by `make bench-uniform`.

use axum::http::StatusCode;
use mediamanager_auth::server::flows::users::Role;

use crate::support::{
    App, PASSWORD, Page, SMTP,
    log::{Log, hashes_of},
};

/// PASSWORD, hashed by pwdlib's bcrypt.
const BCRYPT: &str = "$2b$10$lC82AoJsrexBqdAr6aPnnOj1G7Qfw1vjpLyjVKJlmebdIisoXmTwe";

/// The work that one request has caused.
#[derive(Debug, PartialEq, Eq)]
struct Work {
    status: StatusCode,
    database: usize,
    argon2: usize,
    bcrypt: usize,
}

/// Posts a form from a client of its own, so that no limit is shared, and counts.
async fn post(app: &App, path: &str, fields: &[(&str, &str)], client: usize) -> Work {
    let log = Log::begin();
    let mut browser = app.browser().at(&format!("198.51.100.{client}"));
    let page: Page = browser.post_exactly(path, fields).await;
    let database = log.text().matches("\"database_call\"").count();
    let id = page.header("x-correlation-id").unwrap();
    assert!(!id.is_empty() && database > 0, "the work is counted");
    Work {
        status: page.status,
        database,
        argon2: hashes_of(id, "argon2_computed"),
        bcrypt: hashes_of(id, "bcrypt_computed"),
    }
}

#[tokio::test]
async fn a_failed_login_costs_the_same_whoever_has_the_address() {
    let app = App::new().await;
    for name in ["known", "disabled", "passwordless", "admin", "gone", "old"] {
        let role = match name {
            "admin" => Role::Administrator,
            _ => Role::Member,
        };
        app.user(&format!("{name}@example.org"), role).await;
    }
    for change in [
        "UPDATE \"user\" SET is_active = false WHERE email LIKE 'disabled%'".to_owned(),
        "UPDATE auth_user_account SET is_passwordless = true".to_owned(),
        format!("UPDATE \"user\" SET hashed_password = '{BCRYPT}' WHERE email LIKE 'old%'"),
        "UPDATE \"user\" SET hashed_password = '!' WHERE email LIKE 'gone%'".to_owned(),
    ] {
        app.sql(&change).await;
    }
    for (path, name, status) in [
        ("/login", "email", StatusCode::UNAUTHORIZED),
        (
            "/api/v1/auth/cookie/login",
            "username",
            StatusCode::BAD_REQUEST,
        ),
    ] {
        let guess = async |email: &str, client: usize| {
            let fields = [(name, email), ("password", "a wrong guess")];
            post(&app, path, &fields, client).await
        };
        let unknown = guess("nobody@example.org", 1).await;
        assert_eq!(
            (unknown.status, unknown.argon2, unknown.bcrypt),
            (status, 1, 0)
        );
        for (client, email) in [
            "known@example.org",
            "disabled@example.org",
            "passwordless@example.org",
            "admin@example.org",
            "gone@example.org",
        ]
        .into_iter()
        .enumerate()
        {
            let known = guess(email, client + 2).await;
            assert_eq!(known, unknown, "{email}");
        }
        // MediaManager's old hashes cost themselves and the new one (docs/security.md).
        let old = guess("old@example.org", 20).await;
        assert_eq!(
            old,
            Work {
                bcrypt: 1,
                ..unknown
            }
        );
    }
}

#[tokio::test]
async fn a_throttled_login_costs_the_same_whoever_has_the_address() {
    let app = App::new().await;
    app.member("known@example.org").await;
    let mut found = Vec::new();
    for email in ["known@example.org", "nobody@example.org"] {
        let fields = [("email", email), ("password", "a wrong guess")];
        for client in 1..=10 {
            post(&app, "/login", &fields, client).await;
        }
        app.pass(-30);
        found.push(post(&app, "/login", &fields, 20).await);
        app.pass(86_400);
    }
    assert_eq!(found[0], found[1]);
    assert_eq!(
        (found[0].status, found[0].argon2),
        (StatusCode::TOO_MANY_REQUESTS, 0)
    );
}

#[tokio::test]
async fn signing_up_and_resetting_cost_the_same_whoever_has_the_address() {
    let app = App::with(&format!("auth.email_password_resets = true\n{SMTP}")).await;
    app.user("boss@example.org", Role::Administrator).await;
    app.member("known@example.org").await;
    for (path, hashes) in [("/login/signup", 1), ("/login/forgot-password", 0)] {
        let ask = async |email: &str, client: usize| {
            let mut fields = vec![("email", email)];
            if hashes > 0 {
                fields.push(("password", PASSWORD));
            }
            post(&app, path, &fields, client).await
        };
        let (known, unknown) = (
            ask("known@example.org", 1).await,
            ask("nobody@example.org", 2).await,
        );
        assert_eq!(known, unknown, "{path}");
        assert_eq!(
            (known.status, known.argon2),
            (StatusCode::SEE_OTHER, hashes),
            "{path}"
        );
    }
}
