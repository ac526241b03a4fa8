//! Changes of the own account, and their protection against a stolen cookie (SR-094, SR-098,
//! SR-099, SR-142 to SR-145).

use axum::http::{Method, StatusCode};
use mediamanager_auth::{
    domain::Email,
    server::flows::{Ctx, password_reset},
};

use crate::support::{App, Browser, PASSWORD, Page};

mod deletion;
mod email;
mod password;
mod reauthenticate;
mod sessions;

const NEW: &str = "copper lantern meadow 4";
const COOKIE: &str = "fastapiusersauth";
const RESETS: &str = "auth.email_password_resets = true\n";

async fn logged_in(app: &App, email: &str) -> Browser {
    let mut browser = app.browser();
    assert!(browser.log_in(email, PASSWORD).await.status.is_success());
    browser
}

/// Whether the session of this browser is live.
async fn is_in(browser: &Browser) -> bool {
    browser
        .clone()
        .call(Method::GET, "/api/v1/users/me", &[], "")
        .await
        .status
        == StatusCode::OK
}

async fn may_log_in(app: &App, email: &str, password: &str) -> bool {
    app.browser()
        .post_form("/login", &[("email", email), ("password", password)])
        .await
        .status
        == StatusCode::SEE_OTHER
}

async fn change_password(browser: &mut Browser, password: &str) -> Page {
    let page = browser.get("/account/password").await;
    browser
        .submit(&page, "Change password", &[("password", password)])
        .await
}

/// The path of a reset link that an operator has created.
async fn handed_over(app: &App, email: &str) -> String {
    let made = password_reset::create_reset_link_by_email(
        &Ctx::cli(&app.state),
        &Email::parse(email).unwrap(),
    )
    .await
    .unwrap()
    .unwrap();
    made.link
        .strip_prefix("http://localhost:8000")
        .unwrap()
        .to_owned()
}

/// The path of a reset link from a mail.
async fn mailed(app: &App, email: &str) -> String {
    app.browser()
        .post_form("/login/forgot-password", &[("email", email)])
        .await;
    app.mail().await.link()
}
