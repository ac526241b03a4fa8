use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};

use crate::support::{App, Browser, PASSWORD, Page, SMTP, app::CHEAP};
use mediamanager_auth::server::{
    crypto::password_hasher::Hasher, flows::users::Role, web::router::router,
};
use serde_json::json;

async fn post_raw(
    browser: &mut Browser,
    path: &str,
    content_type: &str,
    body: impl Into<Body>,
) -> Page {
    let request = browser
        .request(Method::POST, path)
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, content_type);
    browser.send(request.body(body.into()).unwrap()).await
}

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn an_address_that_cannot_be_one_is_refused_beside_its_field() {
    let app = App::new().await;
    for email in [
        "",
        "ada",
        "ada@",
        "a b@example.org",
        "ada@exa mple.org",
        "\"ada\"@example.org",
        "ädä@example.org",
        "ada@example.org,eve@example.org",
    ] {
        let page = app.browser().log_in(email, PASSWORD).await;
        assert_eq!(
            (page.status, page.path.as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "/login"),
            "{email}"
        );
        assert_eq!(
            page.text("#email-error").as_deref(),
            Some("Enter an e-mail address like name@example.org.")
        );
        assert_eq!(
            page.attribute("#email", "aria-invalid").as_deref(),
            Some("true")
        );
        assert_eq!(
            page.attribute("#email", "aria-describedby").as_deref(),
            Some("email-error")
        );
        assert_eq!(
            page.attribute("#email", "value").as_deref(),
            Some(email),
            "nothing is lost"
        );
    }
}

#[tokio::test]
async fn an_empty_or_endless_password_is_refused_before_any_hashing() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    for password in [String::new(), "x".repeat(257), "\u{1f600}".repeat(257)] {
        let page = app.browser().log_in("ada@example.org", &password).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(
            page.attribute("#password", "aria-invalid").as_deref(),
            Some("true")
        );
        assert_eq!(page.attribute("#password", "value"), None);
        assert_eq!(
            page.attribute("#email", "value").as_deref(),
            Some("ada@example.org")
        );
    }
}

#[tokio::test]
async fn every_code_point_of_a_password_counts() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    for password in [
        format!("{PASSWORD} "),
        format!(" {PASSWORD}"),
        PASSWORD.to_uppercase(),
        format!("{PASSWORD}\0"),
        format!("{PASSWORD}\u{200b}"),
    ] {
        assert_eq!(
            app.browser()
                .log_in("ada@example.org", &password)
                .await
                .status,
            StatusCode::UNAUTHORIZED,
            "{password:?}"
        );
    }
}

#[tokio::test]
async fn control_characters_never_reach_the_database() {
    let app = App::new().await;
    for email in [
        "ada%00@example.org",
        "ada%0d%0aBcc:x@example.org",
        "ada%C2%85@example.org",
        "a%1b[2J@b",
    ] {
        let page = post_raw(
            &mut app.browser(),
            "/login",
            FORM,
            format!("email={email}&password=x"),
        )
        .await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{email}");
    }
    let page = post_raw(
        &mut app.browser(),
        "/login",
        FORM,
        "email=ada%40example.org&password=x&return_to=/a%00b",
    )
    .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_form_that_two_readers_could_read_differently_is_refused() {
    let app = App::new().await;
    for path in ["/login", "/api/v1/auth/cookie/login"] {
        for (body, status) in [
            (
                "email=a@b&email=c@d&password=x&username=a@b&username=c@d",
                StatusCode::BAD_REQUEST,
            ),
            (
                "email=a@b&username=a@b&password=x&password=y",
                StatusCode::BAD_REQUEST,
            ),
            (
                "email=%ff%fe&username=%ff%fe&password=x",
                StatusCode::BAD_REQUEST,
            ),
            (
                "email=a@b&username=a@b&password=%c3%28",
                StatusCode::BAD_REQUEST,
            ),
        ] {
            let page = post_raw(&mut app.browser(), path, FORM, body).await;
            assert_eq!(page.status, status, "{path} {body}");
        }
        let many: String = (0..65).map(|n| format!("f{n}=x&")).collect();
        assert_eq!(
            post_raw(&mut app.browser(), path, FORM, many).await.status,
            StatusCode::BAD_REQUEST,
            "{path}"
        );
        assert_eq!(
            post_raw(&mut app.browser(), path, FORM, "x".repeat(65 * 1024))
                .await
                .status,
            StatusCode::PAYLOAD_TOO_LARGE,
            "{path}"
        );
        assert_eq!(
            post_raw(
                &mut app.browser(),
                path,
                "text/plain",
                "email=a@b&password=x"
            )
            .await
            .status,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{path}"
        );
    }
    let page = post_raw(
        &mut app.browser(),
        "/login",
        "application/json",
        r#"{"email":"a@b","password":"x"}"#,
    )
    .await;
    assert_eq!(page.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn bytes_that_are_no_text_are_refused_in_every_kind_of_body() {
    let app = App::new().await;
    let json = |value: &[u8]| {
        [
            &b"{\"email\":\""[..],
            value,
            b"@example.org\",\"password\":\"violet kettle harbour 9\"}",
        ]
        .concat()
    };
    let part = |name: &str, value: &[u8]| {
        [
            format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n")
                .as_bytes(),
            value,
            b"\r\n",
        ]
        .concat()
    };
    let multipart = |value: &[u8]| {
        [
            part("username", value),
            part("password", b"x"),
            b"--limit--\r\n".to_vec(),
        ]
        .concat()
    };
    for broken in [&b"\xff"[..], b"ad\xc3", b"\xed\xa0\x80", b"\xc0\xaf"] {
        for (path, kind, body) in [
            ("/api/v1/auth/register", "application/json", json(broken)),
            (
                "/api/v1/auth/forgot-password",
                "application/json",
                json(broken),
            ),
            (
                "/api/v1/auth/cookie/login",
                "multipart/form-data; boundary=limit",
                multipart(broken),
            ),
            ("/login", FORM, [&b"password=x&email="[..], broken].concat()),
        ] {
            let page = post_raw(&mut app.browser(), path, kind, body).await;
            assert_eq!(
                (page.status, page.body.is_empty()),
                (StatusCode::BAD_REQUEST, false),
                "{path} {broken:?}"
            );
        }
    }
    assert_eq!(
        app.count("SELECT count(*) FROM auth_rate_limit").await,
        0,
        "none of these was an attempt"
    );
}

#[tokio::test]
async fn a_body_without_a_declared_length_is_bounded_too() {
    let app = App::new().await;
    let chunks =
        futures_util::stream::iter((0..200).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 1024])));
    let page = post_raw(
        &mut app.browser(),
        "/login",
        FORM,
        Body::from_stream(chunks),
    )
    .await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn compressed_bodies_and_endless_addresses_are_refused() {
    let app = App::new().await;
    let mut browser = app.browser();
    let request = browser
        .request(Method::POST, "/login")
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, FORM);
    let page = browser
        .send(
            request
                .header(header::CONTENT_ENCODING, "gzip")
                .body(Body::from("x"))
                .unwrap(),
        )
        .await;
    assert_eq!(page.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(
        app.browser()
            .get(&format!("/login?x={}", "y".repeat(9000)))
            .await
            .status,
        StatusCode::URI_TOO_LONG
    );
}

#[tokio::test]
async fn credentials_in_the_address_are_not_read() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("email", "ada@example.org")
        .append_pair("password", PASSWORD)
        .finish();
    let page = app.browser().get(&format!("/login?{query}")).await;
    assert_eq!(
        (page.status, page.attribute("#email", "value").as_deref()),
        (StatusCode::OK, Some(""))
    );
    let page = post_raw(&mut app.browser(), &format!("/login?{query}"), FORM, "").await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn nobody_can_put_words_on_our_page_with_a_link() {
    let app = App::new().await;
    let request = app
        .browser()
        .request(Method::GET, "/login?__path=/login&__err=eyJ4IjoxfQ")
        .body(Body::empty())
        .unwrap();
    let page = app.browser().send(request).await;
    assert_eq!(
        (page.status, page.location().as_deref()),
        (StatusCode::SEE_OTHER, Some("/login"))
    );
    let request = app
        .browser()
        .request(Method::GET, "//evil.example/?__err=x")
        .body(Body::empty())
        .unwrap();
    assert_eq!(
        app.browser().send(request).await.location().as_deref(),
        Some("/evil.example/"),
        "no way to another host"
    );
}

#[tokio::test]
async fn other_spellings_of_a_path_lead_nowhere() {
    let app = App::new().await;
    for path in [
        "//login",
        "/login/",
        "/Login",
        "/%6cogin",
        "/api/v1//auth/cookie/login",
        "/api/v1/auth//cookie/login",
    ] {
        let page = post_raw(&mut app.browser(), path, FORM, "email=a@b&password=x").await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_login_leads_only_to_places_on_this_site() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    for (target, expected) in [
        ("/web/dashboard?q=a%2Fb#top", "/web/dashboard?q=a%2Fb#top"),
        ("https://evil.example/", "/account"),
        ("//evil.example/", "/account"),
        ("/\\evil.example", "/account"),
        ("/api/v1/users/me", "/account"),
        ("/login", "/account"),
        ("/logout", "/account"),
        ("", "/account"),
    ] {
        let mut browser = app.browser();
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("return_to", target)
            .finish();
        let page = browser.get(&format!("/login?{query}")).await;
        let answer = browser
            .submit_only(
                &page,
                "Log in",
                &[("email", "ada@example.org"), ("password", PASSWORD)],
            )
            .await;
        assert_eq!(
            (answer.status, answer.location().as_deref()),
            (StatusCode::SEE_OTHER, Some(expected)),
            "{target}"
        );
        let again = browser
            .request(Method::GET, &format!("/login?{query}"))
            .body(Body::empty())
            .unwrap();
        assert_eq!(
            browser.send(again).await.location().as_deref(),
            Some(expected),
            "who is logged in needs no login page"
        );
    }
}

/// A login form in parts, whose password has these headers and these bytes.
fn in_parts(headers: &str, password: &[u8]) -> Vec<u8> {
    let before = format!(
        "--limit\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nada@example.org\r\n\
         --limit\r\nContent-Disposition: form-data; name=\"password\"\r\n{headers}\r\n"
    );
    [before.as_bytes(), password, b"\r\n--limit--\r\n"].concat()
}

#[tokio::test]
async fn a_password_in_a_multipart_form_is_what_its_bytes_say_and_nothing_like_it() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let utf16: Vec<u8> = PASSWORD.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let with_mark = ["\u{feff}".as_bytes(), PASSWORD.as_bytes()].concat();
    for path in ["/api/v1/auth/cookie/login", "/api/v1/auth/jwt/login"] {
        for (what, headers, password, detail) in [
            (
                "a byte order mark counts",
                "",
                with_mark.as_slice(),
                "LOGIN_BAD_CREDENTIALS",
            ),
            (
                "another encoding is not obeyed",
                "Content-Type: text/plain; charset=utf-16be\r\n",
                utf16.as_slice(),
                "LOGIN_BAD_CREDENTIALS",
            ),
            (
                "nothing takes the place of bad bytes",
                "",
                &b"\xff\xfe"[..],
                "BAD_REQUEST",
            ),
            (
                "nor where it says that they are good",
                "Content-Type: text/plain; charset=iso-8859-1\r\n",
                &b"k\xe4se"[..],
                "BAD_REQUEST",
            ),
        ] {
            let page = post_raw(
                &mut app.browser(),
                path,
                "multipart/form-data; boundary=limit",
                in_parts(headers, password),
            )
            .await;
            assert_eq!(
                (page.status, page.body.as_str()),
                (
                    StatusCode::BAD_REQUEST,
                    &*format!(r#"{{"detail":"{detail}"}}"#)
                ),
                "{path}: {what}"
            );
        }
        let right = in_parts(
            "Content-Type: text/plain; charset=utf-8\r\n",
            PASSWORD.as_bytes(),
        );
        assert!(
            post_raw(
                &mut app.browser(),
                path,
                "multipart/form-data; boundary=limit",
                right
            )
            .await
            .status
            .is_success(),
            "{path}"
        );
        let page = post_raw(
            &mut app.browser(),
            path,
            "multipart/form-data; boundary=limit",
            in_parts("", &[b'x'; 65 * 1024]),
        )
        .await;
        assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
    }
}

#[tokio::test]
async fn a_multipart_form_without_a_declared_length_is_bounded_too() {
    let app = App::new().await;
    let chunks = in_parts("", &[b'x'; 200 * 1024])
        .chunks(1024)
        .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()))
        .collect::<Vec<_>>();
    let body = Body::from_stream(futures_util::stream::iter(chunks));
    let page = post_raw(
        &mut app.browser(),
        "/api/v1/auth/cookie/login",
        "multipart/form-data; boundary=limit",
        body,
    )
    .await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn every_route_that_takes_a_password_refuses_an_endless_one_before_any_hashing() {
    let app = App::with(&format!("auth.email_password_resets = true\n{SMTP}")).await;
    let (ada, boss) = (
        app.member("ada@example.org").await,
        app.user("boss@example.org", Role::Administrator).await,
    );
    app.browser()
        .post_form("/login/forgot-password", &[("email", "ada@example.org")])
        .await;
    let link = app.mail().await.link();
    let token = link.split("token=").nth(1).unwrap();
    // Every hash would end in 503: nobody gets a turn.
    let mut state = app.state.clone();
    state.hasher = Hasher::new(CHEAP, 0).unwrap();
    let busy = router(state);
    let mut browser = Browser::new(busy.clone());
    let mut member = app.browser();
    member.log_in("ada@example.org", PASSWORD).await;
    let mut admin = app.browser();
    admin.log_in("boss@example.org", PASSWORD).await;
    let (mut member, mut admin) = (member.on(busy.clone()), admin.on(busy));
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    for password in ["x".repeat(257), "\u{1f600}".repeat(257)] {
        let mut pages = Vec::new();
        let page = browser.get(&link).await;
        pages.push(
            browser
                .submit(&page, "Set password", &[("password", &password)])
                .await,
        );
        let page = browser.get("/login/signup").await;
        pages.push(
            browser
                .submit(
                    &page,
                    "Create account",
                    &[("email", "eve@example.org"), ("password", &password)],
                )
                .await,
        );
        let page = member.get("/account/password").await;
        pages.push(
            member
                .submit(&page, "Change password", &[("password", &password)])
                .await,
        );
        for page in pages {
            assert_eq!(
                page.status,
                StatusCode::UNPROCESSABLE_ENTITY,
                "{}",
                page.path
            );
            assert_eq!(
                page.text("#password-error").as_deref(),
                Some("Enter a password of at most 256 characters."),
                "{}",
                page.path
            );
        }
        let body = json!({ "token": token, "password": password }).to_string();
        let mut answers = vec![
            browser
                .call(Method::POST, "/api/v1/auth/reset-password", &headers, &body)
                .await,
        ];
        for body in [
            json!({ "password": password }),
            json!({ "password": PASSWORD, "current_password": password }),
        ] {
            answers.push(
                member
                    .call(
                        Method::PATCH,
                        "/api/v1/users/me",
                        &headers,
                        &body.to_string(),
                    )
                    .await,
            );
            answers.push(
                admin
                    .call(
                        Method::PATCH,
                        &format!("/api/v1/users/{}", ada.id),
                        &headers,
                        &body.to_string(),
                    )
                    .await,
            );
            answers.push(
                admin
                    .call(
                        Method::PATCH,
                        &format!("/api/v1/users/{}", boss.id),
                        &headers,
                        &body.to_string(),
                    )
                    .await,
            );
        }
        for answer in answers {
            assert_eq!(
                (answer.status, &answer.json()["detail"][0]["loc"]),
                (
                    StatusCode::UNPROCESSABLE_ENTITY,
                    &json!(["body", "password"])
                ),
                "{}",
                answer.path
            );
            assert!(
                !answer.body.contains(&password),
                "a password is never repeated"
            );
        }
    }
}

#[tokio::test]
async fn tokens_and_addresses_of_the_contract_are_text_without_control_characters() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut browser = app.browser();
    browser.log_in("ada@example.org", PASSWORD).await;
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    for (path, field) in [
        ("reset-password", "token"),
        ("verify", "token"),
        ("request-verify-token", "email"),
    ] {
        let whole = json!({ "password": PASSWORD, "token": "x", "email": "ada@example.org" });
        for value in [
            json!(1),
            json!(true),
            json!(null),
            json!(["x"]),
            json!({ "x": "y" }),
            json!("a\u{0}@example.org"),
            json!("a\r\nb@example.org"),
            json!("a\u{1b}[2J@example.org"),
            json!("a\u{85}@example.org"),
        ] {
            let mut body = whole.clone();
            body[field] = value;
            let answer = browser
                .call(
                    Method::POST,
                    &format!("/api/v1/auth/{path}"),
                    &headers,
                    &body.to_string(),
                )
                .await;
            let detail = answer.json()["detail"].clone();
            assert_eq!(
                (answer.status, &detail[0]["loc"]),
                (StatusCode::UNPROCESSABLE_ENTITY, &json!(["body", field])),
                "{path} {body}"
            );
            assert!(!answer.body.contains(PASSWORD), "{path} {body}");
        }
    }
    let answer = browser
        .call(
            Method::POST,
            "/api/v1/auth/reset-password",
            &headers,
            &json!({ "token": "x", "password": 12 }).to_string(),
        )
        .await;
    assert_eq!(
        (answer.status, &answer.json()["detail"][0]["loc"]),
        (
            StatusCode::UNPROCESSABLE_ENTITY,
            &json!(["body", "password"])
        )
    );
    // In a password they count like all others (SR-012); here the token is what is wrong.
    let answer = browser
        .call(
            Method::POST,
            "/api/v1/auth/reset-password",
            &headers,
            &json!({ "token": "x", "password": "\u{0}".repeat(20) }).to_string(),
        )
        .await;
    assert_eq!(
        (answer.status, answer.json()["detail"].as_str()),
        (StatusCode::BAD_REQUEST, Some("RESET_PASSWORD_BAD_TOKEN"))
    );
}
