//! The userinfo endpoint.

use axum::http::StatusCode;

use super::ada;
use crate::support::{Account, Household};

// Basic RP: rp-scope-userinfo-claims
#[tokio::test]
async fn userinfo_is_asked_only_for_what_is_missing() {
    let home = Household::new().await;
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
    assert_eq!(home.provider.times("/userinfo"), 0);
    for is_signed in [false, true] {
        home.provider.knobs().signs_userinfo = is_signed;
        home.provider.twist("claims", |claims| {
            drop(claims.as_object_mut().unwrap().remove("email"))
        });
        let account = Account {
            subject: format!("signed-{is_signed}"),
            ..ada()
        };
        let mut browser = home.app.browser();
        let page = home.log_in(&mut browser, &account).await;
        assert!(
            page.body
                .contains(&format!("signed-{is_signed}@userinfo.example")),
            "{}",
            page.body
        );
    }
}

#[tokio::test]
async fn a_flag_of_one_document_does_not_confirm_the_address_of_another() {
    let home = Household::new().await;
    home.app.member("ada@example.org").await;
    home.provider.twist("claims", |claims| {
        drop(claims.as_object_mut().unwrap().remove("email"))
    });
    home.provider.twist("userinfo", |claims| {
        claims["email"] = "ada@example.org".into();
        claims.as_object_mut().unwrap().remove("email_verified");
    });
    assert_eq!(
        home.come_back(&ada()).await.location().as_deref(),
        Some("/login/connect"),
        "email_verified of the ID token is about no address"
    );
}
