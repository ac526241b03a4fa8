//! Rate limits of the callback.

use axum::http::StatusCode;

use super::{is_refused, under_way, without};
use crate::support::{Household, app_with_provider};

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
