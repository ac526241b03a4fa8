use crate::support::{App, Browser, PASSWORD, Page, app::CHEAP};
use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use mediamanager_auth::server::{
    crypto::{password_hasher::Hasher, random},
    flows::users::Role,
};
use serde_json::{Value, json};

mod openapi;
mod users;

const COOKIE_LOGIN: &str = "/api/v1/auth/cookie/login";
const JWT_LOGIN: &str = "/api/v1/auth/jwt/login";
const COOKIE_LOGOUT: &str = "/api/v1/auth/cookie/logout";
const JWT_LOGOUT: &str = "/api/v1/auth/jwt/logout";
const ME: &str = "/api/v1/users/me";
const FORM: &str = "application/x-www-form-urlencoded";
const UNAUTHORIZED: &str = r#"{"detail":"Unauthorized"}"#;
const ADA: [(&str, &str); 2] = [("username", "ada@example.org"), ("password", PASSWORD)];

/// A script: neither `Origin` nor `Sec-Fetch-Site`, as curl and MediaManager's backend.
async fn post(app: &App, path: &str, kind: &str, body: &str) -> Page {
    app.browser()
        .call(Method::POST, path, &[("content-type", kind)], body)
        .await
}

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

fn multipart(fields: &[(&str, &str)]) -> (String, String) {
    let parts: String = fields
        .iter()
        .map(|(name, value)| {
            format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        })
        .collect();
    (
        "multipart/form-data; boundary=limit".to_owned(),
        format!("{parts}--limit--\r\n"),
    )
}

fn missing(field: &str) -> Value {
    json!({ "type": "missing", "loc": ["body", field], "msg": "Field required", "input": null })
}

/// A JSON error, to the byte.
fn is_error(page: &Page, status: u16, body: &str) {
    assert_eq!(
        (page.status.as_u16(), page.body.as_str()),
        (status, body),
        "{}",
        page.path
    );
    assert_eq!(page.header("content-type"), Some("application/json"));
}

async fn app_with_ada() -> App {
    let app = App::new().await;
    app.member("ada@example.org").await;
    app
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
    // On the page it is 401, and just as silent.
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
    // Every hash would end in 503: nobody gets a turn.
    let hasher = Hasher::new(CHEAP, 0).unwrap();
    let mut browser = Browser::new(app.with_hasher(hasher));
    let (long, wide, huge) = ("x".repeat(257), "\u{1f600}".repeat(257), "x".repeat(5000));
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
        assert_eq!(page.header("clear-site-data").is_some(), takes_cookie);
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
            (expired, page.header("clear-site-data").is_some()),
            (takes_cookie, takes_cookie),
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

#[tokio::test]
async fn who_i_am_is_five_fields_in_order() {
    let app = App::new().await;
    let page = app.browser().get(ME).await;
    is_error(&page, 401, UNAUTHORIZED);
    assert_eq!(page.header("www-authenticate"), None);
    for (email, role, superuser, verified) in [
        ("ada@example.org", Role::Administrator, true, true),
        ("bob@example.org", Role::Member, false, true),
        ("eve@example.org", Role::Pending, false, false),
    ] {
        let id = app.user(email, role).await.id;
        let mut browser = app.browser();
        browser.log_in(email, PASSWORD).await;
        let page = browser.get(ME).await;
        assert_eq!(
            (page.status, page.header("content-type")),
            (StatusCode::OK, Some("application/json"))
        );
        assert_eq!(
            page.body,
            format!(
                r#"{{"id":"{id}","email":"{email}","is_active":true,"is_superuser":{superuser},"is_verified":{verified}}}"#
            )
        );
    }
}

#[tokio::test]
async fn the_metadata_name_the_provider_for_both_generations_of_frontends() {
    let app = App::new().await;
    let page = app.browser().get("/api/v1/auth/metadata").await;
    assert_eq!(
        (page.status, page.json()),
        (
            StatusCode::OK,
            json!({ "oauth_providers": [], "oauth_name": null })
        )
    );
    let provider = "auth.openid_connect = { enabled = true, client_id = 'a', client_secret = 'b', name = 'Pocket ID', \
                    configuration_endpoint = 'https://id.example.org/.well-known/openid-configuration' }";
    let page = App::with(provider)
        .await
        .browser()
        .get("/api/v1/auth/metadata")
        .await;
    assert_eq!(
        (page.status, page.json()),
        (
            StatusCode::OK,
            json!({ "oauth_providers": ["Pocket ID"], "oauth_name": "Pocket ID" })
        )
    );
}

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_as_the_original_does() {
    let app = App::new().await;
    for path in [
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v2/users/me",
        "/api/v1/auth/cookie",
        "/api/v1/%00",
        "/api/v1/users/me/x",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let page = app
                .browser()
                .call(method, path, &[("sec-fetch-site", "same-origin")], "")
                .await;
            assert_eq!(
                (page.status, page.body.as_str()),
                (StatusCode::NOT_FOUND, "Not Found"),
                "{path}"
            );
        }
    }
    for (path, allowed) in [
        (COOKIE_LOGIN, "POST"),
        (JWT_LOGIN, "POST"),
        (COOKIE_LOGOUT, "POST"),
        (JWT_LOGOUT, "POST"),
        (ME, "GET,HEAD,PATCH,DELETE"),
    ] {
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ]
        .iter()
        .filter(|method| !allowed.contains(method.as_str()))
        {
            let page = app
                .browser()
                .call(
                    method.clone(),
                    path,
                    &[("x-http-method-override", "POST")],
                    "",
                )
                .await;
            is_error(&page, 405, r#"{"detail":"Method Not Allowed"}"#);
            assert_eq!(page.header("allow"), Some(allowed), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn every_request_has_a_number() {
    let app = App::new().await;
    let is_new = |id: &str| {
        id.len() == 32
            && id
                .chars()
                .all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
    };
    let number = async |given: &str| {
        let page = app
            .browser()
            .call(Method::GET, ME, &[("x-correlation-id", given)], "")
            .await;
        page.header("x-correlation-id").unwrap().to_owned()
    };
    let plain = app
        .browser()
        .get(ME)
        .await
        .header("x-correlation-id")
        .unwrap()
        .to_owned();
    assert!(is_new(&plain), "{plain}");
    let given = random::uuid();
    for given in [
        given.simple().to_string(),
        given.to_string(),
        given.to_string().to_uppercase(),
    ] {
        assert_eq!(
            number(&given).await,
            given,
            "the caller finds its own number again"
        );
    }
    for bad in [
        "",
        "x",
        "1234",
        "8f14e45f-ceea-167f-a8f3-7a3cde7b9e11",
        "8f14e45f-ceea-467f-a8f3-7a3cde7b9e1g",
        "\tx\"><script>",
    ] {
        let id = number(bad).await;
        assert!(is_new(&id) && id != bad.replace('-', ""), "{bad:?}: {id}");
    }
}

/// Configurations, and whether they name the frontend at `FRONTEND`.
const CORS: [(&str, bool); 3] = [
    ("", false),
    ("misc.cors_urls = ['https://other.example']", false),
    ("misc.cors_urls = ['http://localhost:5173']", true),
];
const FRONTEND: (&str, &str) = ("origin", "http://localhost:5173");

#[tokio::test]
async fn a_browser_on_a_configured_origin_gets_leave_to_ask() {
    for (toml, is_named) in CORS {
        let app = App::with(toml).await;
        for (path, method) in [(COOKIE_LOGIN, "POST"), (COOKIE_LOGOUT, "POST"), (ME, "GET")] {
            let wish = [
                ("access-control-request-method", method),
                ("access-control-request-headers", "content-type"),
                FRONTEND,
            ];
            let page = app.browser().call(Method::OPTIONS, path, &wish, "").await;
            assert_eq!(
                page.header("access-control-allow-origin"),
                is_named.then_some(FRONTEND.1),
                "{toml} {path} {}",
                page.status
            );
            if is_named {
                assert_eq!(
                    (page.status, page.header("access-control-allow-credentials")),
                    (StatusCode::OK, Some("true"))
                );
                let methods: Vec<_> = page
                    .header("access-control-allow-methods")
                    .unwrap()
                    .split(',')
                    .map(str::trim)
                    .collect();
                assert_eq!(
                    methods,
                    ["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS"]
                );
                assert_eq!(
                    page.header("access-control-allow-headers"),
                    Some("accept,accept-language,content-language,content-type")
                );
                assert!(
                    page.headers.get_all("vary").iter().any(|vary| vary
                        .to_str()
                        .unwrap()
                        .to_lowercase()
                        .contains("origin"))
                );
            }
            let names: Vec<_> = page
                .headers
                .keys()
                .filter(|name| name.as_str().starts_with("access-control"))
                .collect();
            assert!(
                !toml.is_empty() || names.is_empty(),
                "{path}: nothing at all where nothing is configured: {names:?}"
            );
        }
        let page = app
            .browser()
            .call(
                Method::OPTIONS,
                "/login",
                &[("access-control-request-method", "POST"), FRONTEND],
                "",
            )
            .await;
        assert_eq!(
            page.header("access-control-allow-origin"),
            None,
            "pages are for nobody else"
        );
    }
}

#[tokio::test]
async fn only_a_configured_origin_may_read_answers() {
    for (toml, is_named) in CORS {
        let app = App::with(toml).await;
        app.member("ada@example.org").await;
        for page in [
            app.browser().call(Method::GET, ME, &[FRONTEND], "").await,
            app.browser()
                .call(Method::GET, "/api/v1/auth/metadata", &[FRONTEND], "")
                .await,
        ] {
            assert_eq!(
                page.header("access-control-allow-origin"),
                is_named.then_some(FRONTEND.1),
                "{toml} {}",
                page.path
            );
            assert!(!is_named || page.header("access-control-allow-credentials") == Some("true"));
        }
        for path in ["/login", "/", "/livez"] {
            assert_eq!(
                app.browser()
                    .call(Method::GET, path, &[FRONTEND], "")
                    .await
                    .header("access-control-allow-origin"),
                None,
                "{toml} {path}"
            );
        }
        let login = "username=ada%40example.org&password=violet+kettle+harbour+9";
        let page = app
            .browser()
            .call(
                Method::POST,
                COOKIE_LOGIN,
                &[FRONTEND, ("content-type", FORM)],
                login,
            )
            .await;
        assert_eq!(page.status == StatusCode::NO_CONTENT, is_named, "{toml}");
        assert_eq!(
            page.header("access-control-allow-origin"),
            is_named.then_some(FRONTEND.1),
            "{toml}"
        );
    }
}

#[tokio::test]
async fn an_error_is_never_empty() {
    let app = app_with_ada().await;
    let mut errors = vec![
        app.browser().get(ME).await,
        app.browser().get("/api/v1/x").await,
        app.browser().get(COOKIE_LOGIN).await,
    ];
    for (kind, body) in [
        (FORM, "username=a&password=b"),
        (FORM, "%ff=1"),
        (FORM, "a=1&a=2"),
        ("text/plain", "x"),
        ("multipart/form-data", ""),
        (FORM, ""),
    ] {
        errors.push(post(&app, COOKIE_LOGIN, kind, body).await);
    }
    errors.push(post(&app, COOKIE_LOGIN, FORM, &"x".repeat(70_000)).await);
    errors.push(
        app.browser()
            .call(
                Method::POST,
                COOKIE_LOGIN,
                &[("origin", "https://evil.example"), ("content-type", FORM)],
                "",
            )
            .await,
    );
    errors.push(
        app.browser()
            .call(
                Method::POST,
                COOKIE_LOGIN,
                &[("content-encoding", "gzip")],
                "x",
            )
            .await,
    );
    errors.push(
        app.browser()
            .get(&format!("/api/v1/{}", "x".repeat(9000)))
            .await,
    );
    for page in errors {
        assert!(
            (400..500).contains(&page.status.as_u16()),
            "{} {}",
            page.status,
            page.path
        );
        assert!(!page.body.is_empty(), "{} {}", page.status, page.path);
        let is_said = page.status == StatusCode::NOT_FOUND
            || page.status == StatusCode::URI_TOO_LONG
            || !page.json()["detail"].is_null();
        assert!(is_said, "{} {}: {}", page.status, page.path, page.body);
    }
}

#[tokio::test]
async fn a_form_in_chunks_is_no_way_around_the_limit() {
    let app = app_with_ada().await;
    // Well-formed to the end, in one field: nothing but its size is wrong with it.
    let (kind, body) = multipart(&[ADA[0], ADA[1], ("scope", &"x".repeat(100 * 1024))]);
    for path in [COOKIE_LOGIN, JWT_LOGIN] {
        let chunks: Vec<_> = body
            .as_bytes()
            .chunks(1024)
            .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()))
            .collect();
        let mut browser = app.browser();
        let request = browser
            .request(Method::POST, path)
            .header("content-type", &kind)
            .body(Body::from_stream(futures_util::stream::iter(chunks)));
        is_error(
            &browser.send(request.unwrap()).await,
            413,
            r#"{"detail":"PAYLOAD_TOO_LARGE"}"#,
        );
    }
}
