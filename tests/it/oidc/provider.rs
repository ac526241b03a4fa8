//! A provider that is unreachable, misconfigured or hostile (SR-080 to SR-085).

use axum::http::{Method, StatusCode};

use crate::support::{Account, App, Household, PASSWORD, Page, TestProvider};

mod discovery;
mod key_rotation;
mod slow;
mod tls;
mod unavailable;

fn ada() -> Account {
    Account::confirmed("ada@example.org")
}

/// Asserts that the button and the page behind it name the error, and that password logins work.
async fn is_unusable(app: &App, code: &str) -> Page {
    let mut browser = app.browser();
    let answer = browser
        .call(Method::GET, "/login/oidc?return_to=%2Faccount%3Fx", &[], "")
        .await;
    assert_eq!(
        answer.location().as_deref(),
        Some("/login/provider?return_to=%2Faccount%3Fx"),
        "{}",
        answer.body
    );
    let page = browser
        .get("/login/provider?return_to=%2Faccount%3Fx")
        .await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        page.text(".reference")
            .unwrap()
            .ends_with(&format!("({code})")),
        "{:?}",
        page.text(".reference")
    );
    assert_eq!(
        page.attribute("a.button", "href").as_deref(),
        Some("/login/oidc?return_to=%2Faccount%3Fx")
    );
    let login = browser.get("/login").await;
    assert_eq!(
        login.attribute("a.button", "aria-disabled").as_deref(),
        Some("true")
    );
    assert_eq!(login.attribute("a.button", "href"), None);
    assert!(login.text("#provider-trouble").is_some());
    let json = browser
        .call(Method::GET, "/api/v1/auth/oauth/authorize", &[], "")
        .await;
    assert_eq!(
        (json.status, json.json()["detail"].as_str()),
        (
            StatusCode::SERVICE_UNAVAILABLE,
            Some(code.to_uppercase().as_str())
        )
    );
    app.member("somebody@example.org").await;
    assert_eq!(
        browser.log_in("somebody@example.org", PASSWORD).await.path,
        "/account",
        "passwords work all the same"
    );
    page
}

/// An installation whose provider has a private certificate authority, which is configured or not.
async fn private(knows_authority: bool) -> (Household, tempfile::NamedTempFile) {
    let (provider, authority) = TestProvider::start_with_https().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), authority).unwrap();
    let trust = if knows_authority {
        format!(
            "policy.openid_connect.ca_file = '{}'\n",
            file.path().display()
        )
    } else {
        String::new()
    };
    let app = App::with(&format!("{trust}{}", provider.settings())).await;
    (Household { app, provider }, file)
}
