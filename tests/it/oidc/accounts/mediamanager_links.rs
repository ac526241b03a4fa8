//! Links to provider accounts that MediaManager itself has stored.

use super::{ada, unproven, users};
use crate::support::{Account, Household, PASSWORD};

#[tokio::test]
async fn people_whom_mediamanager_knows_by_its_own_link_are_found_again() {
    let home = Household::new().await;
    unproven(&home, "ada@old.example").await;
    let link = "INSERT INTO oauth_account (id, user_id, oauth_name, access_token, account_id, account_email) SELECT id, id, 'Über ID 100%', 'x', 'subject-of-ada@example.org', 'a@b' FROM \"user\" WHERE email = 'ada@old.example'";
    home.app.sql(link).await;
    let page = home
        .log_in(
            &mut home.app.browser(),
            &Account::unconfirmed("ada@example.org"),
        )
        .await;
    assert!(page.body.contains("ada@old.example"), "{}", page.body);
    assert_eq!(
        home.app
            .browser()
            .log_in("ada@old.example", PASSWORD)
            .await
            .path,
        "/account",
        "nothing of the account is void"
    );
    // The name may change now: issuer and subject are the identity.
    home.app
        .sql("UPDATE oauth_account SET oauth_name = 'Old name'")
        .await;
    assert!(
        home.log_in(
            &mut home.app.browser(),
            &Account::unconfirmed("ada@example.org")
        )
        .await
        .body
        .contains("ada@old.example")
    );
    assert_eq!(users(&home).await, 1);
}

#[tokio::test]
async fn a_link_of_mediamanager_is_followed_once_and_by_no_other_provider() {
    let home = Household::new().await;
    unproven(&home, "ada@old.example").await;
    home.app.sql("INSERT INTO oauth_account (id, user_id, oauth_name, access_token, account_id, account_email) SELECT id, id, 'Über ID 100%', 'x', '1', 'a@b' FROM \"user\"").await;
    let first = Account {
        subject: "1".into(),
        ..Account::confirmed("ada@old.example")
    };
    assert!(
        home.log_in(&mut home.app.browser(), &first)
            .await
            .body
            .contains("ada@old.example")
    );
    // The operator changes to another provider of the same name, where the same subject is another
    // person.
    home.app
        .sql("UPDATE auth_identity SET issuer = 'https://elsewhere.example'")
        .await;
    let other = Account {
        subject: "1".into(),
        ..Account::confirmed("eve@example.org")
    };
    assert!(
        home.log_in(&mut home.app.browser(), &other)
            .await
            .body
            .contains("eve@example.org")
    );
}

#[tokio::test]
async fn a_link_of_mediamanager_that_leads_to_two_people_leads_to_nobody() {
    let home = Household::new().await;
    home.app.member("ada@example.org").await;
    home.app.member("eve@example.org").await;
    home.app
        .sql("INSERT INTO oauth_account (id, user_id, oauth_name, access_token, account_id, account_email) SELECT id, id, 'Über ID 100%', 'x', 'subject-of-ada@example.org', 'a@b' FROM \"user\"")
        .await;
    let page = home.come_back(&ada()).await;
    assert!(
        page.text(".reference")
            .unwrap()
            .contains("login_not_allowed")
    );
}
