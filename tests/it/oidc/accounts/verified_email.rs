//! Linking by a verified email address, and revoking unverified credentials (SR-037).

use axum::http::StatusCode;
use mediamanager_auth::server::flows::users::Role;
use serde_json::json;

use super::{ada, unproven, users};
use crate::support::{Account, Household, PASSWORD, SMTP};

#[tokio::test]
async fn a_proven_account_is_linked_when_the_provider_has_confirmed_the_address() {
    let home = Household::new().await;
    home.app.member("ada@example.org").await;
    let page = home
        .log_in(
            &mut home.app.browser(),
            &Account {
                email: json!("ADA@example.org"),
                ..ada()
            },
        )
        .await;
    assert_eq!((page.path.as_str(), users(&home).await), ("/account", 1));
    let page = home.app.browser().log_in("ada@example.org", PASSWORD).await;
    assert_eq!(page.path, "/account", "the password goes on working");
}

#[tokio::test]
async fn only_true_counts_as_confirmed() {
    let home = Household::new().await;
    home.app.member("ada@example.org").await;
    for flag in [
        json!(false),
        json!("false"),
        json!("TRUE"),
        json!("1"),
        json!(1),
        json!(null),
        json!([true]),
        json!({"a": true}),
    ] {
        let answer = home
            .come_back(&Account {
                email_verified: flag.clone(),
                ..ada()
            })
            .await;
        assert_eq!(
            answer.location().as_deref(),
            Some("/login/connect"),
            "{flag}"
        );
    }
    let answer = home
        .come_back(&Account {
            email_verified: json!("true"),
            ..ada()
        })
        .await;
    assert_eq!(answer.location().as_deref(), Some("/account"));
}

#[tokio::test]
async fn whoever_waited_with_a_password_for_the_owner_of_the_address_is_out() {
    let home = Household::new().await;
    unproven(&home, "ada@example.org").await;
    let mut attacker = home.app.browser();
    attacker.log_in("ada@example.org", PASSWORD).await;
    assert_eq!(attacker.get("/account").await.path, "/account");
    // The attacker's own identity, which MediaManager has linked, must be removed too.
    home.app
        .sql("INSERT INTO oauth_account (id, user_id, oauth_name, access_token, account_id, account_email) SELECT id, id, 'Über ID 100%', 'x', 'attacker', 'a@b' FROM \"user\"")
        .await;
    let page = home.log_in(&mut home.app.browser(), &ada()).await;
    assert_eq!((page.path.as_str(), users(&home).await), ("/account", 1));
    assert_eq!(
        attacker.get("/account").await.path,
        "/login?return_to=%2Faccount",
        "the session is over"
    );
    assert_eq!(
        home.app
            .browser()
            .log_in("ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::UNAUTHORIZED,
        "the password is void"
    );
    let page = home
        .log_in(
            &mut home.app.browser(),
            &Account {
                subject: "attacker".into(),
                ..Account::confirmed("eve@example.org")
            },
        )
        .await;
    assert!(
        page.body.contains("eve@example.org"),
        "the link is void: {}",
        page.body
    );
}

#[tokio::test]
async fn the_operator_may_trust_the_providers_addresses() {
    let home = Household::with("policy.openid_connect.trust_unverified_email = true").await;
    home.app.member("ada@example.org").await;
    assert_eq!(
        home.log_in(
            &mut home.app.browser(),
            &Account::unconfirmed("ada@example.org")
        )
        .await
        .path,
        "/account"
    );
    assert_eq!(users(&home).await, 1);
}

#[tokio::test]
async fn no_claim_makes_an_administrator_but_a_confirmed_listed_address() {
    let home = Household::with("auth.admin_emails = ['boss@example.org', 'ada@example.org']").await;
    // The provider always sends `role`, `groups` and `is_superuser`.
    let page = home
        .log_in(
            &mut home.app.browser(),
            &Account::confirmed("eve@example.org"),
        )
        .await;
    assert!(page.body.contains("Member"));
    let page = home
        .log_in(
            &mut home.app.browser(),
            &Account::unconfirmed("ada@example.org"),
        )
        .await;
    assert!(page.body.contains("Member"), "listed, but not confirmed");
    let page = home.log_in(&mut home.app.browser(), &ada()).await;
    assert!(
        page.body.contains("Administrator"),
        "confirmed by now: {}",
        page.body
    );
    let page = home
        .log_in(
            &mut home.app.browser(),
            &Account::confirmed("BOSS@example.org"),
        )
        .await;
    assert!(page.body.contains("Administrator"));
}

#[tokio::test]
async fn an_account_that_a_stranger_may_know_the_password_of_does_not_get_the_owners_address() {
    let home = Household::new().await;
    unproven(&home, "squatter@example.org").await;
    home.app.sql("INSERT INTO oauth_account (id, user_id, oauth_name, access_token, account_id, account_email) SELECT id, id, 'Über ID 100%', 'x', 'subject-of-ada@example.org', 'a@b' FROM \"user\"").await;
    let page = home.log_in(&mut home.app.browser(), &ada()).await;
    assert!(page.body.contains("squatter@example.org"), "{}", page.body);
    assert_eq!(
        home.app
            .count("SELECT count(*) FROM auth_user_account WHERE email_verified_at IS NOT NULL")
            .await,
        0
    );
}

#[tokio::test]
async fn a_link_of_mediamanager_proves_no_address_of_an_account_that_a_stranger_may_know_the_password_of()
 {
    let home = Household::with(&format!("auth.admin_emails = ['ada@example.org']\n{SMTP}")).await;
    home.app.user("ada@example.org", Role::Pending).await;
    // As MediaManager stores it: the stranger's account, linked to the owner's identity by the
    // address.
    home.app.sql("DELETE FROM auth_user_account").await;
    home.app.sql("INSERT INTO oauth_account (id, user_id, oauth_name, access_token, account_id, account_email) SELECT id, id, 'Über ID 100%', 'x', 'subject-of-ada@example.org', 'a@b' FROM \"user\"").await;
    let mut owner = home.app.browser();
    home.log_in(&mut owner, &ada()).await;
    // The owner opens the link in a session that was opened without the password.
    let page = owner.get("/login/verify").await;
    owner.submit(&page, "Send the mail again", &[]).await;
    let link = home.app.mail().await.link();
    let page = owner.get(&link).await;
    let page = owner.submit(&page, "Confirm the address", &[]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(
        page.text("[role=alert]")
            .unwrap()
            .starts_with("Log in with the password of this account first"),
        "{}",
        page.body
    );
    home.app.browser().log_in("ada@example.org", PASSWORD).await;
    assert_eq!(
        home.app
            .count("SELECT count(*) FROM auth_user_account WHERE email_verified_at IS NOT NULL")
            .await,
        0
    );
    assert_eq!(
        home.app
            .count("SELECT count(*) FROM \"user\" WHERE is_superuser OR is_verified")
            .await,
        0
    );
}
