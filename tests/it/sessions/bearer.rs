//! The session token as a bearer token.

use axum::http::{Method, StatusCode};

use super::ada;
use crate::support::App;

#[tokio::test]
async fn a_bearer_token_opens_the_contract_and_no_page() {
    let app = App::new().await;
    let (_, token) = ada(&app).await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let bearer = [("authorization", &*format!("{scheme} {token}"))];
        assert_eq!(
            app.browser()
                .call(Method::GET, "/api/v1/users/me", &bearer, "")
                .await
                .status,
            StatusCode::OK
        );
        let page = app
            .browser()
            .call(Method::GET, "/account", &bearer, "")
            .await;
        assert_eq!(
            page.location().as_deref(),
            Some("/login?return_to=%2Faccount")
        );
    }
}

#[tokio::test]
async fn a_bad_bearer_token_never_falls_back_to_a_good_cookie() {
    let app = App::new().await;
    let (mut browser, token) = ada(&app).await;
    for value in [
        "Bearer x",
        "Bearer x.y.z",
        "bearer nonsense",
        "Bearer  ",
        "Bearer ",
        "Bearer",
        &format!("Bearer {token}x"),
        "Bearer\tx",
    ] {
        let page = browser
            .call(
                Method::GET,
                "/api/v1/users/me",
                &[("authorization", value)],
                "",
            )
            .await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{value:?}");
    }
    let page = browser
        .call(
            Method::GET,
            "/api/v1/users/me",
            &[("authorization", "Basic YTpi")],
            "",
        )
        .await;
    assert_eq!(
        page.status,
        StatusCode::OK,
        "another scheme is somebody else's business"
    );
}
