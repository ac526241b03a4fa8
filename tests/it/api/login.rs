//! Login and logout over the API, by cookie and by JWT.

use axum::http::{Method, StatusCode};
use mediamanager_auth::server::crypto::password_hasher::Hasher;
use serde_json::{Value, json};

use super::{
    ADA, COOKIE_LOGIN, COOKIE_LOGOUT, FORM, JWT_LOGIN, JWT_LOGOUT, ME, UNAUTHORIZED, app_with_ada,
    is_error, multipart, post,
};
use crate::support::{App, Browser, PASSWORD, Page, app::CHEAP};

async fn post_fields(app: &App, path: &str, fields: &[(&str, &str)]) -> Page {
    post(
        app,
        path,
        FORM,
        &form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish(),
    )
    .await
}

fn missing(field: &str) -> Value {
    json!({ "type": "missing", "loc": ["body", field], "msg": "Field required", "input": null })
}

#[tokio::test]
async fn a_cookie_login_answers_with_the_cookie_and_nothing_else() {
    let app = app_with_ada().await;
    let (kind, body) = multipart(&[ADA[0], ADA[1], ("scope", "")]);
    for page in [
        post_fields(&app, COOKIE_LOGIN, &ADA).await,
        post_fields(
            &app,
            COOKIE_LOGIN,
            &[("username", " ADA@example.org"), ADA[1], ("scope", "")],
        )
        .await,
        post_fields(
            &app,
            COOKIE_LOGIN,
            &[
                ("grant_type", "password"),
                ADA[0],
                ADA[1],
                ("client_id", "x"),
                ("client_secret", "y"),
                ("other", "z"),
            ],
        )
        .await,
        post(
            &app,
            COOKIE_LOGIN,
            "Application/X-WWW-Form-Urlencoded; charset=UTF-8",
            "username=ada%40example.org&password=violet+kettle+harbour+9",
        )
        .await,
        post(&app, COOKIE_LOGIN, &kind, &body).await,
    ] {
        assert_eq!(
            (page.status, page.body.as_str(), page.header("content-type")),
            (StatusCode::NO_CONTENT, "", None)
        );
        assert!(
            page.header("set-cookie")
                .unwrap()
                .starts_with("fastapiusersauth=ey")
        );
        assert_eq!(page.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn swagger_may_leave_the_grant_type_empty() {
    let app = app_with_ada().await;
    let as_swagger = [
        ("grant_type", ""),
        ADA[0],
        ADA[1],
        ("scope", ""),
        ("client_id", ""),
        ("client_secret", ""),
    ];
    assert_eq!(
        post_fields(&app, JWT_LOGIN, &as_swagger).await.status,
        StatusCode::OK,
        "as the original: an empty form value counts as absent"
    );
}

#[tokio::test]
async fn a_jwt_login_answers_with_a_bearer_token() {
    let app = app_with_ada().await;
    let page = post_fields(&app, JWT_LOGIN, &ADA).await;
    assert_eq!(
        (
            page.status,
            page.header("content-type"),
            page.header("set-cookie")
        ),
        (StatusCode::OK, Some("application/json"), None)
    );
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let body = page.json();
    assert_eq!(body.as_object().unwrap().len(), 2);
    assert_eq!(body["token_type"], json!("bearer"));
    let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
    assert_eq!(
        app.browser()
            .call(Method::GET, ME, &[("authorization", &bearer)], "")
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn unknown_wrong_and_disabled_get_the_same_answer() {
    let app = app_with_ada().await;
    app.member("eve@example.org").await;
    app.sql("UPDATE \"user\" SET is_active = false WHERE email = 'eve@example.org'")
        .await;
    for path in [COOKIE_LOGIN, JWT_LOGIN] {
        for (username, password) in [
            ("nobody@example.org", PASSWORD),
            ("ada@example.org", "not her password"),
            ("eve@example.org", PASSWORD),
            ("eve@example.org", "not her password"),
            ("no address at all", PASSWORD),
            ("\u{e4}da@example.org", PASSWORD),
        ] {
            let page = post_fields(
                &app,
                path,
                &[("username", username), ("password", password)],
            )
            .await;
            is_error(&page, 400, r#"{"detail":"LOGIN_BAD_CREDENTIALS"}"#);
            assert_eq!(page.header("set-cookie"), None);
        }
    }
    // The page answers 401 with the same message for every cause.
    let (mut unknown, mut disabled) =
        (app.browser().at("192.0.2.1"), app.browser().at("192.0.2.1"));
    let (unknown, disabled) = (
        unknown.log_in("nobody@example.org", PASSWORD).await,
        disabled.log_in("eve@example.org", PASSWORD).await,
    );
    assert_eq!(
        (unknown.status, disabled.status),
        (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED)
    );
    assert_eq!(unknown.text("main"), disabled.text("main"));
    let names = |page: &Page| {
        page.headers
            .keys()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&unknown), names(&disabled));
}

#[tokio::test]
async fn a_form_with_something_missing_is_answered_with_the_list() {
    let app = app_with_ada().await;
    let both = json!([missing("username"), missing("password")]);
    let (empty_kind, empty_body) = multipart(&[]);
    for path in [COOKIE_LOGIN, JWT_LOGIN] {
        for (kind, body, expected) in [
            (FORM, "", both.clone()),
            (FORM, "email=ada@example.org&pass=x", both.clone()),
            (
                FORM,
                "username=ada%40example.org",
                json!([missing("password")]),
            ),
            (
                FORM,
                "username=ada%40example.org&password=",
                json!([missing("password")]),
            ),
            (FORM, "password=x", json!([missing("username")])),
            (empty_kind.as_str(), empty_body.as_str(), both.clone()),
            (
                "application/json",
                r#"{"username":"ada@example.org","password":"x"}"#,
                both.clone(),
            ),
            ("application/json", "{", both.clone()),
        ] {
            let page = post(&app, path, kind, body).await;
            assert_eq!(
                (page.status, page.header("content-type")),
                (StatusCode::UNPROCESSABLE_ENTITY, Some("application/json")),
                "{kind} {body}"
            );
            assert_eq!(page.json(), json!({ "detail": expected }), "{kind} {body}");
        }
        let page = app.browser().call(Method::POST, path, &[], "").await;
        assert_eq!(
            (page.status, page.json()),
            (StatusCode::UNPROCESSABLE_ENTITY, json!({ "detail": both })),
            "no body and no type"
        );
    }
}

#[tokio::test]
async fn a_wrong_grant_type_is_named() {
    let app = app_with_ada().await;
    let page = post_fields(
        &app,
        JWT_LOGIN,
        &[("grant_type", "refresh_token"), ADA[0], ADA[1]],
    )
    .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let fault = json!({
        "type": "string_pattern_mismatch", "loc": ["body", "grant_type"], "msg": "String should match pattern '^password$'",
        "input": "refresh_token", "ctx": { "pattern": "^password$" },
    });
    assert_eq!(page.json(), json!({ "detail": [fault] }));
}

#[tokio::test]
async fn what_cannot_be_a_login_is_refused_before_any_hashing() {
    let app = app_with_ada().await;
    // No hashing slot is free, so every hash would end in 503.
    let hasher = Hasher::new(CHEAP, 0).unwrap();
    let mut browser = Browser::new(app.with_hasher(hasher));
    let (long, wide, huge) = ("x".repeat(4097), "\u{1f600}".repeat(1025), "x".repeat(5000));
    for path in [COOKIE_LOGIN, JWT_LOGIN] {
        for password in [&long, &wide, &huge] {
            let page = browser
                .post_form(path, &[ADA[0], ("password", password)])
                .await;
            assert_eq!(
                (page.status, &page.json()["detail"][0]["loc"]),
                (
                    StatusCode::UNPROCESSABLE_ENTITY,
                    &json!(["body", "password"])
                )
            );
            assert!(
                !page.body.contains(password.as_str()),
                "a password is never repeated"
            );
        }
        for username in [
            "ada\0@example.org",
            "ada@example.org\r\nx: y",
            "\u{1b}[2J",
            "ada\u{85}x@example.org",
        ] {
            let page = browser
                .post_form(path, &[("username", username), ADA[1]])
                .await;
            assert_eq!(
                (page.status, &page.json()["detail"][0]["loc"][0]),
                (StatusCode::UNPROCESSABLE_ENTITY, &json!("body")),
                "{username:?}"
            );
        }
        for (kind, body) in [
            ("text/plain", "username=a&password=x"),
            ("application/xml", "<a/>"),
            (
                "application/x-www-form-urlencoded2",
                "username=a&password=x",
            ),
        ] {
            let page = post(&app, path, kind, body).await;
            assert_eq!(
                (page.status, page.body.is_empty()),
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, false),
                "{kind}"
            );
        }
        let (kind, twice) = multipart(&[ADA[0], ADA[1], ("password", "other")]);
        for (kind, body) in [
            (FORM, "username=a@b&username=c@d&password=x"),
            (FORM, "username=a@b&password=x&password=x"),
            (&kind, &twice),
        ] {
            let page = post(&app, path, kind, body).await;
            assert_eq!(
                (page.status, page.json()["detail"].is_string()),
                (StatusCode::BAD_REQUEST, true),
                "{body}"
            );
        }
        for body in [
            "",
            "--limit\r\n",
            "--limit\r\nContent-Disposition: form-data\r\n\r\nx\r\n--limit--\r\n",
        ] {
            let page = post(&app, path, "multipart/form-data; boundary=limit", body).await;
            assert_eq!(
                (page.status, page.body.is_empty()),
                (StatusCode::BAD_REQUEST, false),
                "{body:?}"
            );
        }
        assert_eq!(
            post(&app, path, "multipart/form-data", "x").await.status,
            StatusCode::BAD_REQUEST,
            "no boundary"
        );
    }
    assert_eq!(
        app.count("SELECT COUNT(*) FROM auth_rate_limit").await,
        0,
        "none of these was an attempt"
    );
}

#[tokio::test]
async fn the_contract_logs_out_too() {
    let app = app_with_ada().await;
    for (path, takes_cookie) in [(COOKIE_LOGOUT, true), (JWT_LOGOUT, false)] {
        let mut browser = app.browser();
        browser.post_form(COOKIE_LOGIN, &ADA).await;
        let token = browser.cookie("fastapiusersauth").unwrap().to_owned();
        let page = browser.post_form(path, &[]).await;
        assert_eq!(
            (page.status, page.body.as_str(), page.header("content-type")),
            (StatusCode::NO_CONTENT, "", None)
        );
        assert_eq!(
            page.header("set-cookie")
                .is_some_and(|cookie| cookie.starts_with("fastapiusersauth=;")),
            takes_cookie
        );
        assert_eq!(
            page.header("clear-site-data"),
            None,
            "the storage belongs to the application"
        );
        let mut thief = app.browser();
        thief.set_cookie("fastapiusersauth", &token);
        is_error(&thief.get(ME).await, 401, UNAUTHORIZED);
        is_error(&thief.post_form(path, &[]).await, 401, UNAUTHORIZED);
        let page = app.browser().post_form(path, &[]).await;
        is_error(&page, 401, UNAUTHORIZED);
        let expired = page.header("set-cookie").is_some_and(|cookie| {
            cookie.starts_with("fastapiusersauth=;") && cookie.contains("Max-Age=0")
        });
        assert_eq!(
            (expired, page.header("clear-site-data")),
            (takes_cookie, None),
            "a cookie that means nobody goes too"
        );

        let token = post_fields(&app, JWT_LOGIN, &ADA).await.json()["access_token"]
            .as_str()
            .unwrap()
            .to_owned();
        let bearer = [("authorization", &*format!("Bearer {token}"))];
        assert_eq!(
            app.browser()
                .call(Method::POST, path, &bearer, "")
                .await
                .status,
            StatusCode::NO_CONTENT
        );
        is_error(
            &app.browser().call(Method::GET, ME, &bearer, "").await,
            401,
            UNAUTHORIZED,
        );
        is_error(
            &app.browser().call(Method::POST, path, &bearer, "").await,
            401,
            UNAUTHORIZED,
        );
    }
}
