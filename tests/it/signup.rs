//! Creating an account (SR-030 to SR-039).

use axum::http::{Method, StatusCode};
use mediamanager_auth::server::flows::users::Role;
use serde_json::{Value, json};

use crate::support::{App, PASSWORD, Page, SMTP};

mod existing_email;
mod validation;

const PATH: &str = "/api/v1/auth/register";

async fn sign_up(app: &App, email: &str, password: &str) -> Page {
    let mut browser = app.browser();
    let page = browser.get("/login/signup").await;
    browser
        .submit(
            &page,
            "Create account",
            &[("email", email), ("password", password)],
        )
        .await
}

async fn register(app: &App, address: &str, body: &Value) -> Page {
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    app.browser()
        .at(address)
        .call(Method::POST, PATH, &headers, &body.to_string())
        .await
}

async fn people(app: &App) -> i64 {
    app.count("SELECT count(*) FROM \"user\"").await
}

#[tokio::test]
async fn without_mail_settings_somebody_is_logged_in_and_waits() {
    let app = App::new().await;
    let page = sign_up(&app, " Ada@Example.org", PASSWORD).await;
    assert_eq!(
        (page.path.as_str(), page.heading().as_str()),
        ("/login/verify", "Waiting for approval")
    );
    assert!(!page.body.contains("Send the mail again"));
    assert_eq!(app.count("SELECT count(*) FROM \"user\" WHERE email = 'ada@example.org' AND is_active AND NOT is_superuser AND NOT is_verified").await, 1);
    assert_eq!(
        app.count("SELECT count(*) FROM auth_user_account WHERE email_verified_at IS NULL")
            .await,
        1
    );
    assert_eq!(
        app.browser().log_in("ada@example.org", PASSWORD).await.path,
        "/login/verify"
    );
}

#[tokio::test]
async fn making_an_account_for_somebody_else_logs_nobody_out() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut browser = app.browser();
    browser.log_in("ada@example.org", PASSWORD).await;
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    let body = json!({ "email": "child@example.org", "password": PASSWORD }).to_string();
    let answer = browser.call(Method::POST, PATH, &headers, &body).await;
    assert_eq!(
        (answer.status, answer.header("set-cookie")),
        (StatusCode::CREATED, None)
    );
    assert!(
        browser
            .get("/account")
            .await
            .body
            .contains("ada@example.org")
    );
    assert_eq!(
        app.count("SELECT count(*) FROM auth_session").await,
        1,
        "no session that nobody holds"
    );
}

#[tokio::test]
async fn with_mail_settings_the_address_is_confirmed_first() {
    let app = App::with(SMTP).await;
    let page = sign_up(&app, "ada@example.org", PASSWORD).await;
    assert_eq!(page.path, "/login?notice=signed_up");
    assert!(
        page.text("[role=status]")
            .unwrap()
            .contains("We have sent a mail")
    );
    let mail = app.mail().await;
    assert_eq!(
        (mail.to.as_str(), mail.subject.as_str()),
        ("ada@example.org", "Confirm your address for MediaManager")
    );
    assert!(mail.link().starts_with("/account/confirm?token="));
}

#[tokio::test]
async fn nobody_gives_themselves_rights() {
    let app = App::with("auth.admin_emails = ['boss@example.org']").await;
    let body = json!({
        "email": "boss@example.org", "password": PASSWORD, "is_active": false, "is_superuser": true, "is_verified": true,
        "id": "00000000-0000-0000-0000-000000000000", "hashed_password": "x", "created_at": 0, "user": { "is_superuser": true },
    });
    let user = register(&app, "203.0.113.7", &body).await.json();
    assert_eq!(
        (
            &user["is_active"],
            &user["is_superuser"],
            &user["is_verified"]
        ),
        (&json!(true), &json!(false), &json!(false)),
        "listed, but not proven"
    );
    assert_ne!(user["id"], "00000000-0000-0000-0000-000000000000");
    let mut browser = app.browser();
    let page = browser.get("/login/signup").await;
    let (_, fields) = (
        "",
        [
            ("email", "eve@example.org"),
            ("password", PASSWORD),
            ("is_superuser", "true"),
            ("is_verified", "on"),
            ("return_to", ""),
        ],
    );
    assert_eq!(page.status, StatusCode::OK);
    browser.post_form("/login/signup", &fields).await;
    assert_eq!(
        app.count("SELECT count(*) FROM \"user\" WHERE is_superuser OR is_verified")
            .await,
        0
    );
}

#[tokio::test]
async fn a_listed_address_makes_an_administrator_once_it_is_proven() {
    let app = App::with(&format!("auth.admin_emails = ['boss@example.org']\n{SMTP}")).await;
    sign_up(&app, "boss@example.org", PASSWORD).await;
    let link = app.mail().await.link();
    let mut browser = app.browser();
    assert_eq!(
        browser.log_in("boss@example.org", PASSWORD).await.path,
        "/login/verify"
    );
    let page = browser.get(&link).await;
    let page = browser.submit(&page, "Confirm the address", &[]).await;
    assert!(page.body.contains("Administrator"), "{}", page.body);
}

#[tokio::test]
async fn where_registration_is_closed_the_endpoints_are_closed_too() {
    let app = App::with("policy.registration = false").await;
    assert!(
        !app.browser()
            .get("/login")
            .await
            .body
            .contains("/login/signup")
    );
    let page = app.browser().get("/login/signup").await;
    assert_eq!(
        (page.status, page.text("form")),
        (StatusCode::FORBIDDEN, None)
    );
    assert!(page.body.contains("made by an administrator"));
    assert_eq!(
        app.browser()
            .post_form("/login/signup", &[("email", "a@b"), ("password", PASSWORD)])
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    let answer = register(
        &app,
        "203.0.113.7",
        &json!({ "email": "ada@example.org", "password": PASSWORD }),
    )
    .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(people(&app).await, 0);
}

#[tokio::test]
async fn a_network_gets_ten_accounts_an_hour() {
    let app = App::new().await;
    for number in 0..11 {
        let answer = register(
            &app,
            "203.0.113.7",
            &json!({ "email": format!("person{number}@example.org"), "password": PASSWORD }),
        )
        .await;
        assert_eq!(
            answer.status,
            if number < 10 {
                StatusCode::CREATED
            } else {
                StatusCode::TOO_MANY_REQUESTS
            }
        );
    }
}

#[tokio::test]
async fn signing_up_does_not_end_setup_for_the_operator_in_silence() {
    let app = App::new().await;
    let link = app.setup_path().await.unwrap();
    sign_up(&app, "eve@example.org", PASSWORD).await;
    // A stranger signs up before the operator: the stranger is pending, and the operator uses the
    // command line.
    let token = link.split("token=").nth(1).unwrap();
    let answer = app
        .browser()
        .post_form(
            "/setup",
            &[
                ("token", token),
                ("email", "boss@example.org"),
                ("password", PASSWORD),
            ],
        )
        .await;
    for page in [app.browser().get(&link).await, answer] {
        assert_eq!(
            (page.status, page.heading().as_str()),
            (StatusCode::CONFLICT, "There is no administrator yet")
        );
        for way_on in [
            "nobody is an administrator",
            "mediamanager-auth user promote EMAIL",
            "mediamanager-auth user create --admin EMAIL",
        ] {
            assert!(
                page.text("main").unwrap().contains(way_on),
                "{way_on}: {:?}",
                page.text("main")
            );
        }
    }
    app.user("boss@example.org", Role::Administrator).await;
    assert_eq!(app.browser().get(&link).await.heading(), "Setup is done");
    // An administrator who cannot manage users does not count as one.
    app.sql("UPDATE \"user\" SET is_active = false WHERE is_superuser")
        .await;
    assert_eq!(
        app.browser().get(&link).await.heading(),
        "There is no administrator yet"
    );
}
