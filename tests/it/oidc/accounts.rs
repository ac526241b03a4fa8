//! Finding or creating the account of an identity (SR-070 to SR-076, SR-037).

use axum::http::StatusCode;
use mediamanager_auth::server::{
    db::{self, events::AuditFilter},
    flows::users::Role,
};
use serde_json::json;

use crate::support::{Account, Household, PASSWORD, app_with_provider};

mod email_sync;
mod link_confirmation;
mod mediamanager_links;
mod verified_email;

fn ada() -> Account {
    Account::confirmed("ada@example.org")
}

async fn users(home: &Household) -> i64 {
    home.app.count("SELECT count(*) FROM \"user\"").await
}

/// Details of the events of a kind on the audit log page, newest first.
async fn details(home: &Household, kind: &str) -> Vec<String> {
    let filter = AuditFilter {
        kind: Some(kind.parse().unwrap()),
        ..AuditFilter::default()
    };
    let (rows, _) = db::events::find_page(&home.app.state.db, &filter, 0, 100)
        .await
        .unwrap();
    rows.into_iter().map(|row| row.detail).collect()
}

/// A user that MediaManager created before this program was installed, so the address is
/// unverified.
async fn unproven(home: &Household, email: &str) {
    home.app.member(email).await;
    home.app
        .sql("UPDATE auth_user_account SET email_verified_at = NULL")
        .await;
}

#[tokio::test]
async fn the_same_subject_elsewhere_or_in_other_letters_is_somebody_else() {
    let home = Household::new().await;
    home.log_in(
        &mut home.app.browser(),
        &Account {
            subject: "Ada".into(),
            ..ada()
        },
    )
    .await;
    home.log_in(
        &mut home.app.browser(),
        &Account {
            subject: "ada".into(),
            ..Account::confirmed("other@example.org")
        },
    )
    .await;
    home.app
        .sql("UPDATE auth_identity SET issuer = 'https://elsewhere.example' WHERE subject = 'Ada'")
        .await;
    home.log_in(
        &mut home.app.browser(),
        &Account {
            subject: "Ada".into(),
            ..Account::confirmed("third@example.org")
        },
    )
    .await;
    assert_eq!(users(&home).await, 3);
}

#[tokio::test]
async fn without_a_usable_address_there_is_no_account() {
    let home = Household::new().await;
    home.provider.twist("userinfo", |claims| {
        drop(claims.as_object_mut().unwrap().remove("email"))
    });
    for (email, code) in [
        (json!(null), "email_missing"),
        (json!(""), "email_missing"),
        (json!(7), "email_missing"),
        (json!("ä@example.org"), "invalid_email"),
        (json!("a@b, c@d"), "invalid_email"),
    ] {
        let page = home
            .come_back(&Account {
                email: email.clone(),
                ..ada()
            })
            .await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{email}");
        assert!(
            page.text(".reference").unwrap().contains(code),
            "{email}: {}",
            page.body
        );
    }
    assert_eq!(users(&home).await, 0);
}

#[tokio::test]
async fn a_disabled_account_is_refused_without_saying_why() {
    let home = Household::new().await;
    home.log_in(&mut home.app.browser(), &ada()).await;
    home.app.member("eve@example.org").await;
    home.app.sql("UPDATE \"user\" SET is_active = false").await;
    for account in [ada(), Account::confirmed("eve@example.org")] {
        let page = home.come_back(&account).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert!(
            page.text(".reference")
                .unwrap()
                .contains("login_not_allowed")
        );
        assert!(!page.body.contains("disabled"), "{}", page.body);
    }
    let mut browser = home.app.browser();
    let page = home
        .log_in(&mut browser, &Account::unconfirmed("eve@example.org"))
        .await;
    let page = browser
        .submit(&page, "Connect and log in", &[("password", PASSWORD)])
        .await;
    assert_eq!(
        page.status,
        StatusCode::UNAUTHORIZED,
        "the one answer for every login that fails"
    );
}

#[tokio::test]
async fn somebody_who_waits_for_approval_goes_on_waiting() {
    let home = Household::new().await;
    home.app.user("ada@example.org", Role::Pending).await;
    assert_eq!(
        home.log_in(&mut home.app.browser(), &ada()).await.path,
        "/login/verify"
    );
}

#[tokio::test]
async fn twenty_first_logins_of_one_person_make_one_account() {
    let home = Household::new().await;
    let mut answers = Vec::new();
    for _ in 0..20 {
        let mut browser = home.app.browser();
        let back = home
            .provider
            .answer(&app_with_provider::set_out(&mut browser).await, &ada());
        answers.push(async move {
            app_with_provider::call_back(&mut browser, &back)
                .await
                .status
        });
    }
    let statuses = futures_util::future::join_all(answers).await;
    assert!(
        statuses
            .iter()
            .all(|status| *status == StatusCode::SEE_OTHER),
        "{statuses:?}"
    );
    assert_eq!(
        (
            users(&home).await,
            home.app.count("SELECT count(*) FROM auth_identity").await
        ),
        (1, 1)
    );
}

#[tokio::test]
async fn an_account_made_by_the_provider_has_no_password_to_guess() {
    let home = Household::new().await;
    home.log_in(&mut home.app.browser(), &ada()).await;
    for guess in ["", " ", "x", PASSWORD] {
        let page = home
            .app
            .browser()
            .post_form(
                "/login",
                &[("email", "ada@example.org"), ("password", guess)],
            )
            .await;
        assert!(
            page.status == StatusCode::UNAUTHORIZED
                || page.status == StatusCode::UNPROCESSABLE_ENTITY,
            "{guess:?}"
        );
    }
}
