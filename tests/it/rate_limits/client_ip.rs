//! The client IP address that failures count against.

use axum::http::{Method, StatusCode};

use super::{fail_from, guess};
use crate::support::App;

#[tokio::test]
async fn an_ipv6_household_counts_as_one() {
    let app = App::new().await;
    for n in 0..20 {
        assert_eq!(
            guess(
                &app,
                &format!("[2001:db8:1:2:{n:x}::{n:x}]"),
                &format!("nobody{n}@example.org")
            )
            .await,
            StatusCode::UNAUTHORIZED
        );
    }
    assert_eq!(
        guess(&app, "[2001:db8:1:2:ffff::1]", "eve@example.org").await,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(
        guess(&app, "[2001:db8:1:3::1]", "eve@example.org").await,
        StatusCode::UNAUTHORIZED,
        "the neighbours"
    );
}

#[tokio::test]
async fn an_address_written_as_ipv6_is_the_same_address() {
    let app = App::new().await;
    fail_from(&app, "203.0.113.9", 20).await;
    assert_eq!(
        guess(&app, "[::ffff:203.0.113.9]", "eve@example.org").await,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(
        guess(&app, "[::ffff:203.0.113.10]", "eve@example.org").await,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_header_makes_a_new_address_only_behind_a_trusted_proxy() {
    let proxied = |app: &App, peer: &str, client: &str| {
        let mut browser = app.browser().at(peer);
        let client = client.to_owned();
        async move {
            let kind = ("content-type", "application/x-www-form-urlencoded");
            let headers = [
                ("x-forwarded-for", &*client),
                ("x_forwarded_for", "192.0.2.77"),
                ("forwarded", "for=192.0.2.77"),
                kind,
            ];
            browser
                .call(
                    Method::POST,
                    "/api/v1/auth/cookie/login",
                    &headers,
                    "username=nobody%40example.org&password=x",
                )
                .await
                .status
        }
    };
    let app = App::with("server.trusted_proxies = ['10.0.0.0/8']").await;
    fail_from(&app, "203.0.113.9", 20).await;
    assert_eq!(
        proxied(&app, "203.0.113.9", "192.0.2.1").await,
        StatusCode::TOO_MANY_REQUESTS,
        "anybody can write a header"
    );
    assert_eq!(
        proxied(&app, "10.0.0.1", "203.0.113.9").await,
        StatusCode::TOO_MANY_REQUESTS,
        "the same person through the proxy"
    );
    assert_eq!(
        proxied(&app, "10.0.0.1", "192.0.2.1, 203.0.113.9, 10.0.0.2").await,
        StatusCode::TOO_MANY_REQUESTS,
        "who wrote the left part"
    );
    assert_eq!(
        proxied(&app, "10.0.0.1", "192.0.2.1").await,
        StatusCode::BAD_REQUEST
    );
}
