//! Request bodies: ambiguous, undecodable, compressed, or too long.

use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};

use super::{FORM, in_parts, post_raw};
use crate::support::App;

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
