//! Following the email address of the provider, and when it is not followed.

use serde_json::json;

use super::{ada, details, users};
use crate::support::{Account, Household, log::Log};

#[tokio::test]
async fn a_known_identity_finds_its_account_whatever_the_address_says() {
    let home = Household::new().await;
    home.log_in(&mut home.app.browser(), &ada()).await;
    home.app.member("eve@example.org").await;
    for (email, verified, expected) in [
        (json!("ada@new.example"), json!(false), "ada@example.org"),
        (json!(null), json!(null), "ada@example.org"),
        (json!("eve@example.org"), json!(true), "ada@example.org"),
        (json!("not an address"), json!(true), "ada@example.org"),
        (
            json!("ada\u{0}@example.org"),
            json!(true),
            "ada@example.org",
        ),
        (
            json!(format!("{}@example.org", "a".repeat(400))),
            json!(true),
            "ada@example.org",
        ),
        (json!("ADA@new.example"), json!(true), "ada@new.example"),
    ] {
        home.provider.twist("userinfo", |claims| {
            drop(claims.as_object_mut().unwrap().remove("email"))
        });
        let page = home
            .log_in(
                &mut home.app.browser(),
                &Account {
                    email,
                    email_verified: verified,
                    ..ada()
                },
            )
            .await;
        assert!(page.body.contains(expected), "{expected}: {}", page.body);
    }
    assert_eq!(users(&home).await, 2);
}

#[tokio::test]
async fn why_an_address_did_not_follow_the_providers_is_written_down() {
    let home = Household::new().await;
    home.log_in(&mut home.app.browser(), &ada()).await;
    home.app.member("eve@example.org").await;
    for (email, verified, why) in [
        (
            "ada@new.example",
            false,
            "the provider does not say email_verified: true for its address",
        ),
        (
            "eve@example.org",
            true,
            "another account has the provider's address",
        ),
    ] {
        home.log_in(
            &mut home.app.browser(),
            &Account {
                email: json!(email),
                email_verified: json!(verified),
                ..ada()
            },
        )
        .await;
        assert_eq!(details(&home, "email_sync_skipped").await[0], why);
    }
    home.app
        .sql("UPDATE auth_user_account SET email_verified_at = NULL, is_passwordless = false")
        .await;
    home.log_in(
        &mut home.app.browser(),
        &Account {
            email: json!("ada@new.example"),
            ..ada()
        },
    )
    .await;
    assert_eq!(
        details(&home, "email_sync_skipped").await[0],
        "nobody has proven the account's address, so its password may be a stranger's"
    );
    // An account whose address differs from the provider's keeps it at every login; the log reports
    // it, the audit log does not.
    home.app
        .sql("UPDATE \"user\" SET email = 'ada@own.example' WHERE email = 'ada@example.org'")
        .await;
    let log = Log::begin();
    home.log_in(
        &mut home.app.browser(),
        &Account {
            email: json!("ada@new.example"),
            ..ada()
        },
    )
    .await;
    assert!(
        log.text()
            .contains("the account's address was another than the provider's before"),
        "{}",
        log.text()
    );
    assert_eq!(details(&home, "email_sync_skipped").await.len(), 3);
}
