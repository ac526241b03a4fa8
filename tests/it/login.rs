use axum::http::StatusCode;
use mediamanager_auth::server::flows::users::Role;

use crate::support::{App, PASSWORD};

#[tokio::test]
async fn a_member_logs_in_and_out_without_script() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut browser = app.browser();

    let page = browser.log_in(" Ada@Example.org ", PASSWORD).await;
    assert_eq!((page.status, page.path.as_str()), (StatusCode::OK, "/account"));
    assert!(page.body.contains("ada@example.org"));
    let cookie = browser.cookie("fastapiusersauth").unwrap().to_owned();

    let page = browser.submit(&page, "Log out", &[]).await;
    assert_eq!(page.path, "/login?notice=logged_out");
    assert_eq!(page.text("[role=status]").as_deref(), Some("You are logged out."));
    assert_eq!(browser.cookie("fastapiusersauth"), None);

    browser.set_cookie("fastapiusersauth", &cookie);
    assert_eq!(browser.get("/account").await.path, "/login?return_to=%2Faccount");
}

#[tokio::test]
async fn a_wrong_password_shows_the_page_again_with_the_address_kept() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut browser = app.browser();
    let page = browser.log_in("ada@example.org", "not her password").await;
    assert_eq!((page.status, page.path.as_str()), (StatusCode::UNAUTHORIZED, "/login"));
    assert_eq!(page.text("title").as_deref(), Some("Error: Log in · MediaManager"));
    assert_eq!(page.text("[role=alert]").as_deref(), Some("That e-mail and password do not match. Check both and try again."));
    assert_eq!(page.attribute("#email", "value").as_deref(), Some("ada@example.org"));
    assert_eq!(page.attribute("#password", "value"), None);
    assert!(!page.body.contains("not her password"));
}

#[tokio::test]
async fn somebody_who_waits_for_approval_is_told_who_can_help() {
    let app = App::new().await;
    app.user("ada@example.org", Role::Waiting).await;
    let page = app.browser().log_in("ada@example.org", PASSWORD).await;
    assert_eq!(page.path, "/login/verify");
    assert_eq!(page.heading(), "Waiting for approval");
    assert!(page.body.contains("An administrator"));
}
