//! Passwords: length limits, code points, and multipart forms.

use axum::http::{Method, StatusCode};
use mediamanager_auth::server::{
    crypto::password_hasher::Hasher, flows::users::Role, web::router::router,
};
use serde_json::json;

use super::{in_parts, post_raw};
use crate::support::{App, Browser, PASSWORD, SMTP, app::CHEAP};

#[tokio::test]
async fn an_empty_or_endless_password_is_refused_before_any_hashing() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    for password in [String::new(), "x".repeat(4097), "\u{1f600}".repeat(1025)] {
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
    // No hashing slot is free, so every hash would end in 503.
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
            json!({ "password": PASSWORD, "current_password": "x".repeat(4097) }),
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
