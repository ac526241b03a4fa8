//! Creating an account (SR-030 to SR-039).

use axum::http::{Method, StatusCode};
use mediamanager_auth::{
    domain::Email,
    server::{db, flows::users::Role},
};
use serde_json::{Value, json};

use crate::support::{App, PASSWORD, Page, SMTP};

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
async fn a_password_without_end_is_refused_before_anything_else() {
    let app = App::new().await;
    let answer = register(
        &app,
        "203.0.113.7",
        &json!({ "email": "ada@example.org", "password": "x".repeat(257) }),
    )
    .await;
    assert_eq!(
        (answer.status, answer.json()["detail"][0]["loc"][1].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("password"))
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
async fn with_mail_an_address_that_has_an_account_gets_the_same_answer_and_its_owner_a_mail() {
    let app = App::with(SMTP).await;
    app.member("ada@example.org").await;
    let (taken, free) = (
        sign_up(&app, "ADA@example.org", "another good password 1").await,
        sign_up(&app, "new@example.org", "another good password 1").await,
    );
    assert_eq!(
        (taken.status, &taken.path, taken.text("main")),
        (free.status, &free.path, free.text("main"))
    );
    let taken = register(
        &app,
        "203.0.113.7",
        &json!({ "email": "ada@example.org", "password": "another good password 1" }),
    )
    .await;
    let free = register(
        &app,
        "203.0.113.7",
        &json!({ "email": "newer@example.org", "password": "another good password 1" }),
    )
    .await;
    assert_eq!(
        (taken.status, free.status),
        (StatusCode::CREATED, StatusCode::CREATED)
    );
    for (page, email) in [(&taken, "ada@example.org"), (&free, "newer@example.org")] {
        let user = page.json();
        assert_eq!(
            user.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["email", "id", "is_active", "is_superuser", "is_verified"]
        );
        assert_eq!(
            (user["email"].as_str(), &user["is_verified"]),
            (Some(email), &json!(false))
        );
        assert_eq!(user["id"].as_str().unwrap().len(), 36);
    }
    let ids: Vec<_> = [
        taken.json()["id"].clone(),
        register(
            &app,
            "203.0.113.7",
            &json!({ "email": "ada@example.org", "password": "another good password 1" }),
        )
        .await
        .json()["id"]
            .clone(),
    ]
    .into();
    assert_ne!(ids[0], ids[1], "it says nothing of the real one");
    let mails = app.mails().await;
    let to_ada: Vec<_> = mails
        .iter()
        .filter(|mail| mail.to == "ada@example.org")
        .map(|mail| mail.subject.as_str())
        .collect();
    assert_eq!(to_ada, ["You have an account at MediaManager"; 3]);
    assert_eq!(
        app.browser().log_in("ada@example.org", PASSWORD).await.path,
        "/account",
        "nothing of hers has changed"
    );
}

#[tokio::test]
async fn without_mail_the_refusal_is_neutral_and_rare() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let page = sign_up(&app, "ada@example.org", "another good password 1").await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(
        page.text("#email-error")
            .unwrap()
            .contains("cannot be used for a new account")
    );
    assert_eq!(
        page.attribute("#email", "value").as_deref(),
        Some("ada@example.org")
    );
    let body = json!({ "email": "Ada@Example.ORG", "password": "another good password 1" });
    for _ in 0..2 {
        let answer = register(&app, "203.0.113.7", &body).await;
        assert_eq!(
            (answer.status, answer.json()["detail"].as_str()),
            (
                StatusCode::BAD_REQUEST,
                Some("REGISTER_USER_ALREADY_EXISTS")
            )
        );
    }
    assert_eq!(
        register(&app, "203.0.113.7", &body).await.status,
        StatusCode::TOO_MANY_REQUESTS,
        "three addresses an hour can be tried"
    );
    let free = json!({ "email": "new@example.org", "password": PASSWORD });
    assert_eq!(
        register(&app, "203.0.113.7", &free).await.status,
        StatusCode::TOO_MANY_REQUESTS,
        "or running out would tell as much as a refusal"
    );
    assert_eq!(
        register(&app, "198.51.100.1", &free).await.status,
        StatusCode::CREATED
    );
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
async fn twenty_sign_ups_of_one_address_make_one_account() {
    for toml in ["", SMTP] {
        let app = App::with(toml).await;
        let all = (0..20).map(|number| {
            let email = if number % 2 == 0 {
                "ada@example.org"
            } else {
                "ADA@example.org"
            };
            let (app, address) = (&app, format!("198.51.100.{number}"));
            async move {
                register(
                    app,
                    &address,
                    &json!({ "email": email, "password": format!("{PASSWORD} of {number}") }),
                )
                .await
            }
        });
        let answers = futures_util::future::join_all(all).await;
        assert_eq!(people(&app).await, 1, "{toml}");
        let made =
            db::users::find_by_email(&app.state.db, &Email::parse("ada@example.org").unwrap())
                .await
                .unwrap()
                .unwrap()
                .user
                .id
                .to_string();
        let winners: Vec<_> = (0..20)
            .filter(|number: &usize| {
                answers[*number].status == StatusCode::CREATED
                    && answers[*number].json()["id"] == made
            })
            .collect();
        assert_eq!(winners.len(), 1, "{toml}: {winners:?}");
        for (number, answer) in answers
            .iter()
            .enumerate()
            .filter(|(number, _)| *number != winners[0])
        {
            // With mail, the same as the winner's; without, the ordinary refusal.
            let expected = if toml.is_empty() {
                (
                    StatusCode::BAD_REQUEST,
                    json!("REGISTER_USER_ALREADY_EXISTS"),
                )
            } else {
                (StatusCode::CREATED, Value::Null)
            };
            assert_eq!(
                (answer.status, answer.json()["detail"].clone()),
                expected,
                "{number}"
            );
        }
        assert_eq!(
            app.browser()
                .log_in("ada@example.org", &format!("{PASSWORD} of {}", winners[0]))
                .await
                .path,
            "/login/verify",
            "the winner's password counts"
        );
        if !toml.is_empty() {
            let mails = app.mails().await;
            assert_eq!(
                mails
                    .iter()
                    .filter(|mail| mail.subject.starts_with("Confirm your address"))
                    .count(),
                1,
                "{mails:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_rules_for_passwords_and_addresses_are_said_beside_the_field() {
    let app = App::new().await;
    let page = app.browser().get("/login/signup").await;
    assert!(
        page.text("#password-hint")
            .unwrap()
            .contains("At least 12 characters"),
        "before anybody breaks it"
    );
    for (email, password, field, reason) in [
        ("no address", PASSWORD, "#email-error", "name@example.org"),
        ("ada@example.org", "short", "#password-error", "at least 12"),
        (
            "ada@example.org",
            "passwordpassword",
            "#password-error",
            "easy to guess",
        ),
        (
            "ada.lovelace@example.org",
            "it is ada.lovelace here",
            "#password-error",
            "does not contain",
        ),
    ] {
        let page = sign_up(&app, email, password).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            page.text(field).unwrap().contains(reason),
            "{:?}",
            page.text(field)
        );
        assert_eq!(page.attribute("#email", "value").as_deref(), Some(email));
    }
    let answer = register(
        &app,
        "203.0.113.7",
        &json!({ "email": "ada@example.org", "password": "short" }),
    )
    .await;
    assert_eq!(
        (answer.status, answer.json()["detail"]["code"].as_str()),
        (StatusCode::BAD_REQUEST, Some("REGISTER_INVALID_PASSWORD"))
    );
    assert!(
        answer.json()["detail"]["reason"]
            .as_str()
            .unwrap()
            .contains("12 characters")
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_told_as_the_contract_does() {
    let app = App::new().await;
    for (body, kind, place) in [
        (json!({ "password": PASSWORD }), "missing", "email"),
        (json!({ "email": "ada@example.org" }), "missing", "password"),
        (
            json!({ "email": 1, "password": PASSWORD }),
            "string_type",
            "email",
        ),
        (
            json!({ "email": "ada@example.org", "password": ["x"] }),
            "string_type",
            "password",
        ),
        (
            json!({ "email": "nonsense", "password": PASSWORD }),
            "value_error",
            "email",
        ),
    ] {
        let answer = register(&app, "203.0.113.7", &body).await;
        let fault = answer.json()["detail"][0].clone();
        assert_eq!(
            (
                answer.status,
                fault["type"].as_str(),
                fault["loc"][1].as_str()
            ),
            (StatusCode::UNPROCESSABLE_ENTITY, Some(kind), Some(place)),
            "{body}"
        );
        assert!(
            !answer.body.contains(PASSWORD),
            "a password is never repeated: {}",
            answer.body
        );
    }
    for (body, kind) in [
        ("{", "json_invalid"),
        ("[]", "model_attributes_type"),
        ("\"x\"", "model_attributes_type"),
        ("", "missing"),
        (r#"{"email":"a@b","email":"c@d"}"#, "json_invalid"),
    ] {
        let answer = app
            .browser()
            .call(
                Method::POST,
                PATH,
                &[("content-type", "application/json")],
                body,
            )
            .await;
        assert_eq!(
            (answer.status, answer.json()["detail"][0]["type"].as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, Some(kind)),
            "{body}"
        );
    }
    let answer = app
        .browser()
        .call(Method::POST, PATH, &[("content-type", "text/plain")], "{}")
        .await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
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
    // Somebody was faster than the operator: they wait, and the shell makes the first
    // administrator.
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
    // One who cannot manage anybody is none.
    app.sql("UPDATE \"user\" SET is_active = false WHERE is_superuser")
        .await;
    assert_eq!(
        app.browser().get(&link).await.heading(),
        "There is no administrator yet"
    );
}
