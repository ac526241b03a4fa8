//! Rate limits of the callback.

use axum::{http::StatusCode, response::IntoResponse};

use super::{is_refused, under_way, without};
use crate::support::{Household, app_with_provider};

/// Starts a login and comes back with this code. Returns the error code of the page.
async fn come_back_with(home: &Household, code: &str) -> String {
    let (mut browser, back) = under_way(home).await;
    let back = format!("{}&code={code}", without(&back, "code"));
    let page = app_with_provider::call_back(&mut browser, &back).await;
    let reference = page.text(".reference").unwrap();
    let (_, code) = reference.rsplit_once('(').unwrap();
    code.trim_end_matches(')').to_owned()
}

#[tokio::test]
async fn nobody_fills_the_database_by_coming_back_without_end() {
    let home = Household::new().await;
    for _ in 0..100 {
        let (mut browser, back) = under_way(&home).await;
        app_with_provider::call_back(
            &mut browser,
            &(without(&back, "code") + "&error=access_denied"),
        )
        .await;
    }
    let (mut browser, back) = under_way(&home).await;
    is_refused(
        &home,
        &app_with_provider::call_back(&mut browser, &back).await,
        429,
        "too_many_attempts",
    );
    assert_eq!(
        home.app.count("SELECT count(*) FROM auth_used_token").await,
        100
    );
}

#[tokio::test]
async fn made_up_codes_use_up_the_budget_of_their_network_only() {
    let home = Household::new().await;
    home.app.member("eve@example.org").await;
    for attempt in 0..21 {
        let (mut browser, back) = under_way(&home).await;
        let page =
            app_with_provider::call_back(&mut browser, &(without(&back, "code") + "&code=made-up"))
                .await;
        let code = if attempt < 20 {
            "invalid_grant"
        } else {
            "too_many_attempts"
        };
        assert!(
            page.text(".reference").unwrap().contains(code),
            "{attempt}: {:?}",
            page.text(".reference")
        );
        assert_eq!(page.header("retry-after"), (attempt == 20).then_some("600"));
    }
    assert_eq!(home.provider.times("/token"), 20);
    assert_eq!(
        home.app
            .browser()
            .log_in("eve@example.org", crate::support::PASSWORD)
            .await
            .status,
        StatusCode::TOO_MANY_REQUESTS,
        "one budget"
    );
    assert_eq!(
        home.app
            .browser()
            .at("198.51.100.1")
            .log_in("eve@example.org", crate::support::PASSWORD)
            .await
            .path,
        "/account"
    );
}

#[tokio::test]
async fn a_provider_in_trouble_uses_up_nobodys_budget() {
    let home = Household::new().await;
    home.app.member("eve@example.org").await;
    for (status, body) in [
        (502, "<html>"),
        (500, r#"{"error":"server_error"}"#),
        (503, r#"{"error":"temporarily_unavailable"}"#),
    ] {
        home.provider.replace("/token", move || {
            axum::response::IntoResponse::into_response((
                StatusCode::from_u16(status).unwrap(),
                body,
            ))
        });
        for _ in 0..25 {
            let (mut browser, back) = under_way(&home).await;
            assert!(
                app_with_provider::call_back(&mut browser, &back)
                    .await
                    .text(".reference")
                    .unwrap()
                    .contains("provider_unreachable"),
                "{status}"
            );
        }
    }
    assert_eq!(
        home.app
            .browser()
            .log_in("eve@example.org", crate::support::PASSWORD)
            .await
            .path,
        "/account"
    );
}

#[tokio::test]
async fn a_code_with_nul_never_reaches_the_provider_and_uses_the_budget_up() {
    let home = Household::new().await;
    for attempt in 0..101 {
        let expected = if attempt < 100 {
            "malformed_callback"
        } else {
            "too_many_attempts"
        };
        assert_eq!(come_back_with(&home, "%00").await, expected, "{attempt}");
    }
    assert_eq!(home.provider.times("/token"), 0);
    assert_eq!(
        home.app.count("SELECT count(*) FROM auth_used_token").await,
        100
    );
}

#[tokio::test]
async fn a_code_that_no_provider_issues_is_not_sent() {
    let home = Household::new().await;
    let too_long = "x".repeat(2049);
    for code in ["a%0Ab", "%7F", "%C3%A4", "a%09", too_long.as_str()] {
        assert_eq!(
            come_back_with(&home, code).await,
            "malformed_callback",
            "{code}"
        );
    }
    assert_eq!(home.provider.times("/token"), 0);
    let longest = "x".repeat(2048);
    for code in ["%20%7E", longest.as_str()] {
        assert_eq!(come_back_with(&home, code).await, "invalid_grant", "{code}");
    }
    assert_eq!(home.provider.times("/token"), 2);
}

#[tokio::test]
async fn a_rate_limit_of_the_provider_does_not_switch_ours_off() {
    let home = Household::new().await;
    home.provider.replace("/token", || {
        (StatusCode::TOO_MANY_REQUESTS, "<html>").into_response()
    });
    for attempt in 0..101 {
        let expected = if attempt < 20 {
            "provider_unreachable"
        } else {
            "too_many_attempts"
        };
        assert_eq!(come_back_with(&home, "x").await, expected, "{attempt}");
    }
    assert_eq!(home.provider.times("/token"), 20);
    assert_eq!(
        home.provider.times("/.well-known/openid-configuration"),
        1,
        "an answer is no reason to read the metadata again"
    );
    let rows = home.app.count("SELECT count(*) FROM auth_used_token").await;
    assert!(rows <= 100, "{rows}");
}

#[tokio::test]
async fn an_error_page_of_the_provider_gives_no_callback_back() {
    let home = Household::new().await;
    home.provider.replace("/token", || {
        (StatusCode::INTERNAL_SERVER_ERROR, "<html>").into_response()
    });
    for attempt in 0..101 {
        let expected = if attempt < 100 {
            "provider_unreachable"
        } else {
            "too_many_attempts"
        };
        assert_eq!(come_back_with(&home, "x").await, expected, "{attempt}");
    }
    assert_eq!(home.provider.times("/token"), 100);
}

#[tokio::test]
async fn a_provider_that_nobody_reaches_uses_up_nobodys_budget() {
    let home = Household::new().await;
    home.provider.twist("metadata", |metadata| {
        metadata["token_endpoint"] = "http://127.0.0.1:1/token".into()
    });
    for attempt in 0..101 {
        assert_eq!(
            come_back_with(&home, "x").await,
            "provider_unreachable",
            "{attempt}"
        );
    }
}

#[tokio::test]
async fn a_made_up_code_counts_whatever_the_provider_calls_it() {
    for (status, body) in [
        (401, r#"{"error":"Unauthorized","message":"Rauthy"}"#),
        (400, r#"{"error":"BadRequest","message":"Rauthy"}"#),
        (
            400,
            r#"{"error":"invalid_request","error_description":"Dex"}"#,
        ),
        (403, "<html>of a firewall"),
    ] {
        let home = Household::new().await;
        home.provider.replace("/token", move || {
            (StatusCode::from_u16(status).unwrap(), body).into_response()
        });
        for attempt in 0..21 {
            let is_limited = come_back_with(&home, "made-up").await == "too_many_attempts";
            assert_eq!(is_limited, attempt == 20, "{body} {attempt}");
        }
        assert_eq!(home.provider.times("/token"), 20, "{body}");
    }
}
