//! The userinfo endpoint.

use axum::{http::StatusCode, response::IntoResponse};

use super::ada;
use crate::support::{Account, Household};

/// The address with its flag in userinfo, and without it in the ID token.
async fn without_flag() -> Household {
    let home = Household::new().await;
    home.app.member("ada@example.org").await;
    home.provider.twist("claims", |claims| {
        drop(claims.as_object_mut().unwrap().remove("email_verified"))
    });
    home.provider.twist("userinfo", |claims| {
        claims["email"] = "Ada@example.org".into()
    });
    home
}

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

// Okta's org authorization server.
#[tokio::test]
async fn userinfo_is_asked_for_the_flag_of_the_address() {
    let home = without_flag().await;
    assert_eq!(
        home.come_back(&ada()).await.location().as_deref(),
        Some("/account"),
        "userinfo says that the address is verified"
    );
    assert_eq!(home.provider.times("/userinfo"), 1);
}

#[tokio::test]
async fn a_flag_of_userinfo_does_not_confirm_another_address_of_the_id_token() {
    let home = without_flag().await;
    for email in [serde_json::Value::Null, "eve@example.org".into()] {
        home.provider.twist("userinfo", move |claims| {
            claims["email"] = email.clone();
            claims["email_verified"] = true.into();
        });
        assert_eq!(
            home.come_back(&ada()).await.location().as_deref(),
            Some("/login/connect")
        );
    }
}

#[tokio::test]
async fn an_address_without_a_flag_is_used_where_userinfo_does_not_answer() {
    let home = without_flag().await;
    home.provider
        .replace("/userinfo", || StatusCode::FORBIDDEN.into_response());
    assert_eq!(
        home.come_back(&ada()).await.location().as_deref(),
        Some("/login/connect"),
        "as an address that nobody has verified"
    );
    home.provider.twist("metadata", |metadata| {
        drop(
            metadata
                .as_object_mut()
                .unwrap()
                .remove("userinfo_endpoint"),
        )
    });
    home.app.pass(61);
    home.provider.twist("claims", |claims| {
        let claims = claims.as_object_mut().unwrap();
        claims.remove("email_verified");
        claims["iat"] = (claims["iat"].as_i64().unwrap() + 61).into();
    });
    assert_eq!(
        home.come_back(&ada()).await.location().as_deref(),
        Some("/login/connect")
    );
}

#[tokio::test]
async fn userinfo_of_somebody_else_is_refused_also_where_only_the_flag_is_missing() {
    let home = without_flag().await;
    home.provider
        .twist("userinfo", |claims| claims["sub"] = "eve".into());
    let page = home.come_back(&ada()).await;
    assert!(page.text(".reference").unwrap().contains("invalid_token"));
}
