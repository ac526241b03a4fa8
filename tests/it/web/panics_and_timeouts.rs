//! Panics and timeouts of requests (SR-183, SR-184, SR-224).

use axum::{Router, http::Method, http::StatusCode, routing::get};
use mediamanager_auth::server::web::router::with_middleware;

use crate::support::{App, Browser};

/// The program with two more routes.
async fn with_faults() -> Browser {
    let app = App::new().await;
    let panics = || async {
        if true {
            panic!("the secret reason")
        }
    };
    let hangs = || async { std::future::pending::<()>().await };
    let routes = Router::new()
        .route("/panics", get(panics))
        .route("/api/v1/panics", get(panics))
        .route("/hangs", get(hangs))
        .route("/api/v1/hangs", get(hangs));
    Browser::new(with_middleware(app.state.clone(), routes))
}

#[tokio::test]
async fn a_panic_answers_one_request_like_any_other_failure() {
    let mut browser = with_faults().await;
    let page = browser.call(Method::GET, "/panics", &[], "").await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong")
    );
    let reference = page.header("x-correlation-id").unwrap().to_owned();
    assert!(
        page.body.contains(&reference) && !page.body.contains("secret reason"),
        "{}",
        page.body
    );
    assert!(page.header("content-security-policy").is_some());
    let json = browser.call(Method::GET, "/api/v1/panics", &[], "").await;
    assert_eq!(
        (json.status, json.json()["detail"].is_string()),
        (StatusCode::INTERNAL_SERVER_ERROR, true),
        "{}",
        json.body
    );
}

#[tokio::test]
async fn a_request_without_end_is_given_up_with_a_page_or_the_contracts_json() {
    let mut browser = with_faults().await;
    // Time now advances whenever every task is idle.
    tokio::time::pause();
    let page = browser.call(Method::GET, "/hangs", &[], "").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        page.body.contains("This took too long") && page.header("retry-after").is_some(),
        "{}",
        page.body
    );
    let json = browser.call(Method::GET, "/api/v1/hangs", &[], "").await;
    assert_eq!(
        (json.status, json.json()["detail"].is_string()),
        (StatusCode::SERVICE_UNAVAILABLE, true),
        "{}",
        json.body
    );
}
