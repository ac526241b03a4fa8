//! From an identity at the provider to an account here (SR-070 to SR-076, SR-037).

use axum::http::StatusCode;
use mediamanager_auth::{
    domain::{AuthError, Password},
    server::{
        db::{self, events::AuditFilter},
        flows::{Ctx, login, users::Role},
    },
};
use serde_json::json;

use crate::support::{Account, Household, PASSWORD, SMTP, app_with_provider, log::Log};

fn ada() -> Account {
    Account::confirmed("ada@example.org")
}

async fn users(home: &Household) -> i64 {
    home.app.count("SELECT count(*) FROM \"user\"").await
}

/// What the administrators' page says of the events of a kind, the newest first.
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

/// Somebody registered before this program was there, so nobody has proven the address to it.
async fn unproven(home: &Household, email: &str) {
    home.app.member(email).await;
    home.app
        .sql("UPDATE auth_user_account SET email_verified_at = NULL")
        .await;
}

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
    // An account that has an address of its own keeps it at every login: that is a line and no row.
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
    // The attacker's own account at the provider, linked by MediaManager, must not survive either.
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
async fn an_unconfirmed_address_is_proven_once_with_the_password() {
    let home = Household::new().await;
    home.app.member("ada@example.org").await;
    let mut browser = home.app.browser();
    let away =
        app_with_provider::set_out_from(&mut browser, "/login?return_to=%2Faccount%3Ffrom%3Dhere")
            .await;
    let account = Account::unconfirmed("ada@example.org");
    let page = browser.get(&home.provider.answer(&away, &account)).await;
    assert_eq!(
        (page.path.as_str(), page.heading().as_str()),
        ("/login/connect", "An account with this address exists")
    );
    assert_eq!(
        page.attribute("#email", "value").as_deref(),
        Some("ada@example.org")
    );
    assert!(page.attribute("#email", "readonly").is_some());
    assert_eq!(
        details(&home, "link_confirmation_required").await,
        [
            "the provider does not say email_verified: true; let it confirm addresses, or set policy.openid_connect.trust_unverified_email = true if nobody can choose a stranger's address there"
        ]
    );

    let page = browser
        .submit(
            &page,
            "Connect and log in",
            &[("password", "not her password")],
        )
        .await;
    assert_eq!(
        (page.status, page.path.as_str()),
        (StatusCode::UNAUTHORIZED, "/login/connect")
    );
    let page = browser
        .submit(
            &page,
            "Connect and log in",
            &[("email", "eve@example.org"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(
        page.path, "/account?from=here",
        "the address in the form is only for show"
    );
    assert!(page.body.contains("ada@example.org"));

    assert_eq!(
        home.log_in(&mut home.app.browser(), &account).await.path,
        "/account",
        "from now on the provider is enough"
    );
    assert_eq!(
        browser.get("/login/connect").await.status,
        StatusCode::GONE,
        "it was for one use"
    );
}

#[tokio::test]
async fn what_is_pending_ends_after_ten_minutes_and_is_nobodys_without_its_cookie() {
    let home = Household::new().await;
    home.app.member("ada@example.org").await;
    let mut browser = home.app.browser();
    let page = home
        .log_in(&mut browser, &Account::unconfirmed("ada@example.org"))
        .await;
    home.app.pass(600);
    let late = browser
        .submit(&page, "Connect and log in", &[("password", PASSWORD)])
        .await;
    assert_eq!(late.status, StatusCode::GONE);
    assert!(late.body.contains("start again"));
    let strange = home
        .app
        .browser()
        .submit(&page, "Connect and log in", &[("password", PASSWORD)])
        .await;
    assert_eq!(strange.status, StatusCode::GONE);
    assert_eq!(
        home.app.count("SELECT count(*) FROM auth_identity").await,
        0
    );
}

#[tokio::test]
async fn guessing_on_the_connect_page_is_throttled_like_a_login() {
    let home = Household::new().await;
    home.app.member("ada@example.org").await;
    let mut browser = home.app.browser();
    let page = home
        .log_in(&mut browser, &Account::unconfirmed("ada@example.org"))
        .await;
    let mut last = None;
    for _ in 0..12 {
        last = Some(
            browser
                .submit(
                    &page,
                    "Connect and log in",
                    &[("password", "a guess of somebody")],
                )
                .await
                .status,
        );
    }
    assert_eq!(last, Some(StatusCode::TOO_MANY_REQUESTS));
    let elsewhere = home
        .app
        .browser()
        .at("198.51.100.1")
        .log_in("ada@example.org", PASSWORD)
        .await;
    assert_eq!(
        elsewhere.status,
        StatusCode::TOO_MANY_REQUESTS,
        "one budget for both pages"
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
    // The provider always sends role, groups and is_superuser.
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
    // The name may change now: the identity is issuer and subject.
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
    // The operator changes to another provider of the same name, where somebody else has this
    // number.
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
    // As MediaManager leaves it: the stranger's account, linked to its owner by the address.
    home.app.sql("DELETE FROM auth_user_account").await;
    home.app.sql("INSERT INTO oauth_account (id, user_id, oauth_name, access_token, account_id, account_email) SELECT id, id, 'Über ID 100%', 'x', 'subject-of-ada@example.org', 'a@b' FROM \"user\"").await;
    let mut owner = home.app.browser();
    home.log_in(&mut owner, &ada()).await;
    // The owner clicks on the mail, in a session in which nobody has shown the password.
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

#[tokio::test]
async fn nobody_is_asked_for_a_password_that_never_existed() {
    let home = Household::new().await;
    home.log_in(
        &mut home.app.browser(),
        &Account::unconfirmed("ada@example.org"),
    )
    .await;
    let page = home
        .come_back(&Account {
            subject: "of another issuer".into(),
            ..Account::unconfirmed("ada@example.org")
        })
        .await;
    assert!(
        page.text(".reference")
            .unwrap()
            .contains("login_not_allowed"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn a_password_that_becomes_void_while_it_is_checked_opens_nothing() {
    let home = Household::new().await;
    unproven(&home, "ada@example.org").await;
    let email = mediamanager_auth::domain::Email::parse("ada@example.org").unwrap();
    let attempt = login::PasswordLogin {
        email: Some(email),
        password: Password::parse(PASSWORD.to_owned()).unwrap(),
    };
    let cx = Ctx::cli(&home.app.state);
    let proven = login::verify_password(&cx, attempt).await.unwrap();
    // Now the owner comes, before the squatter's session has started.
    assert_eq!(
        home.log_in(&mut home.app.browser(), &ada()).await.path,
        "/account"
    );
    assert_eq!(
        login::recheck_credentials(&cx.transaction().await.unwrap(), &proven).await,
        Err(AuthError::BadCredentials)
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
