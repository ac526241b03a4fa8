//! Deleting the own account.

use axum::http::StatusCode;
use mediamanager_auth::server::flows::users::Role;

use super::{COOKIE, RESETS, handed_over, is_in, logged_in, mailed, may_log_in};
use crate::support::{App, PASSWORD, SMTP};

#[tokio::test]
async fn who_deletes_their_account_is_gone_and_a_later_one_inherits_nothing() {
    // MediaManager may have stored the address with capital letters.
    for stored in ["ada@example.org", "Ada@Example.org"] {
        let app = App::with(&format!("{RESETS}{SMTP}")).await;
        app.user("boss@example.org", Role::Administrator).await;
        app.member("ada@example.org").await;
        app.sql(&format!(
            "UPDATE \"user\" SET email = '{stored}' WHERE email = 'ada@example.org'"
        ))
        .await;
        let (mut here, there) = (
            logged_in(&app, "ada@example.org").await,
            logged_in(&app, "ada@example.org").await,
        );
        let links = [
            mailed(&app, "ada@example.org").await,
            handed_over(&app, "ada@example.org").await,
        ];
        // These mails are still in the queue when the account is deleted.
        app.browser()
            .post_form("/login/forgot-password", &[("email", "ada@example.org")])
            .await;
        here.post_form("/account/address", &[("email", "new@example.org")])
            .await;
        let page = here.get("/account/delete").await;
        assert!(page.text(".lead").unwrap().contains(stored));
        let page = here.submit(&page, "Delete my account", &[]).await;
        assert_eq!(
            (page.path.as_str(), here.cookie(COOKIE)),
            ("/login?notice=account_deleted", None)
        );
        assert!(!is_in(&there).await && !may_log_in(&app, "ada@example.org", PASSWORD).await);
        for table in ["auth_session", "auth_user_account"] {
            assert_eq!(
                app.count(&format!(
                    "SELECT count(*) FROM {table} WHERE user_id NOT IN (SELECT id FROM \"user\")"
                ))
                .await,
                0,
                "{table}"
            );
        }
        app.user("ada@example.org", Role::Pending).await;
        assert!(!is_in(&there).await);
        assert_eq!(
            app.mails()
                .await
                .iter()
                .map(|mail| mail.to.clone())
                .collect::<Vec<_>>(),
            Vec::<String>::new(),
            "{stored}: mails to somebody who is gone"
        );
        for link in links {
            assert_eq!(app.browser().get(&link).await.status, StatusCode::GONE);
        }
    }
}

#[tokio::test]
async fn the_last_administrator_cannot_leave() {
    let app = App::new().await;
    app.user("ada@example.org", Role::Administrator).await;
    app.user("bob@example.org", Role::Administrator).await;
    app.member("eve@example.org").await;
    app.sql("UPDATE \"user\" SET is_active = false WHERE email = 'bob@example.org'")
        .await;
    let mut ada = logged_in(&app, "ada@example.org").await;
    let page = ada.get("/account/delete").await;
    let page = ada.submit(&page, "Delete my account", &[]).await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (StatusCode::CONFLICT, "Delete your account"),
        "a disabled one is none"
    );
    assert!(
        page.text("[role=alert]")
            .unwrap()
            .starts_with("This is the last active administrator.")
    );
    assert!(is_in(&ada).await);
    app.sql("UPDATE \"user\" SET is_active = true WHERE email = 'bob@example.org'")
        .await;
    assert_eq!(
        ada.submit(&page, "Delete my account", &[]).await.path,
        "/login?notice=account_deleted"
    );
    assert_eq!(
        app.count("SELECT count(*) FROM \"user\" WHERE is_superuser")
            .await,
        1
    );
}
