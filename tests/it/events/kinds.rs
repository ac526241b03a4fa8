//! One row for each thing that people and administrators do, in the same transaction, under the
//! number of the answer.

use super::*;

/// Kind, whom it is about, who did it, how, and what.
type Written<'a> = (&'a str, Option<Uuid>, Option<Uuid>, &'a str, &'a str);

/// What an answer has caused is these rows and no others.
async fn is_written(app: &App, answer: &Page, expected: &[Written<'_>]) {
    let reference = answer.header("x-correlation-id").unwrap().to_owned();
    let mut rows = find(
        app,
        AuditFilter {
            request_id: Some(reference.clone()),
            ..AuditFilter::default()
        },
    )
    .await;
    rows.reverse();
    let written: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.kind.as_str(),
                row.user_id,
                row.actor_id,
                row.method.as_str(),
                row.detail.as_str(),
            )
        })
        .collect();
    assert_eq!(
        written, expected,
        "{} {}: {}",
        answer.path, answer.status, answer.body
    );
    assert!(
        rows.iter().all(|row| row.client_ip == NETWORK
            && row.occurred_at == app.state.clock.now()
            && row.request_id == reference),
        "{rows:?}"
    );
}

fn token_of(link: &str) -> String {
    link.split("token=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap()
        .to_owned()
}

async fn id_of(app: &App, email: &str) -> Uuid {
    db::users::find_by_email(
        &app.state.db,
        &mediamanager_auth::domain::Email::parse(email).unwrap(),
    )
    .await
    .unwrap()
    .unwrap()
    .user
    .id
}

#[tokio::test]
async fn everything_that_people_do_leaves_one_row() {
    let app = App::with(&format!("{RESETS}{SMTP}")).await;
    let mut browser = app.browser();
    let setup = token_of(&app.setup_path().await.unwrap());
    let page = browser
        .post_form(
            "/setup",
            &[
                ("token", &setup),
                ("email", "boss@example.org"),
                ("password", PASSWORD),
            ],
        )
        .await;
    let boss = id_of(&app, "boss@example.org").await;
    is_written(
        &app,
        &page,
        &[
            ("setup_done", Some(boss), None, "", ""),
            ("logged_in", Some(boss), None, "setup", ""),
        ],
    )
    .await;

    let mut ada = app.browser();
    let page = ada
        .post_form(
            "/login/signup",
            &[("email", "ada@example.org"), ("password", PASSWORD)],
        )
        .await;
    let id = Some(id_of(&app, "ada@example.org").await);
    is_written(&app, &page, &[("signed_up", id, None, "", "")]).await;
    let page = app
        .browser()
        .post_form(
            "/login/signup",
            &[("email", "ada@example.org"), ("password", PASSWORD)],
        )
        .await;
    is_written(
        &app,
        &page,
        &[("signup_duplicate_email", None, None, "", "")],
    )
    .await;
    let proof = app
        .mails()
        .await
        .iter()
        .find(|mail| mail.text.contains("/account/confirm"))
        .unwrap()
        .link();
    let page = ada
        .post_form(
            "/login",
            &[("email", "ada@example.org"), ("password", "wrong")],
        )
        .await;
    is_written(&app, &page, &[("login_failed", id, None, "password", "")]).await;
    let page = ada
        .post_form(
            "/login",
            &[("email", "ada@example.org"), ("password", PASSWORD)],
        )
        .await;
    is_written(&app, &page, &[("logged_in", id, None, "password", "")]).await;
    ada.get(&proof).await;
    let page = ada.post_form("/account/confirm", &[]).await;
    is_written(&app, &page, &[("email_verified", id, None, "", "")]).await;
    app.mails().await;

    let page = ada
        .post_form("/account/log-in-again", &[("password", "wrong")])
        .await;
    is_written(&app, &page, &[("login_failed", id, None, "password", "")]).await;
    let page = ada
        .post_form("/account/log-in-again", &[("password", PASSWORD)])
        .await;
    is_written(&app, &page, &[("logged_in", id, None, "password", "")]).await;
    logged_in(&app, "ada@example.org").await;
    let page = ada.post_form("/account", &[("session", "others")]).await;
    is_written(&app, &page, &[("sessions_ended", id, None, "", "")]).await;
    let page = ada.post_form("/account", &[("session", "others")]).await;
    is_written(&app, &page, &[]).await;
    logged_in(&app, "ada@example.org").await;
    let page = ada.get("/account").await;
    let page = ada
        .submit_only(&page, "End the session of an unknown program", &[])
        .await;
    is_written(&app, &page, &[("sessions_ended", id, None, "", "")]).await;
    let page = ada
        .post_form("/account/address", &[("email", "new@example.org")])
        .await;
    is_written(&app, &page, &[("email_change_requested", id, None, "", "")]).await;
    let link = app.mail().await.link();
    ada.get(&link).await;
    let page = ada
        .post_form("/account/new-address", &[("address", "new@example.org")])
        .await;
    is_written(&app, &page, &[("email_changed", id, None, "", "")]).await;
    let page = ada
        .post_form("/account/password", &[("password", NEW)])
        .await;
    is_written(&app, &page, &[("password_changed", id, None, "", "")]).await;
    let page = ada
        .post_form("/account/password", &[("password", "short")])
        .await;
    is_written(&app, &page, &[]).await;
    app.mails().await;
    let page = ada
        .post_form("/login/forgot-password", &[("email", "new@example.org")])
        .await;
    is_written(&app, &page, &[("reset_requested", None, None, "", "")]).await;
    let mut elsewhere = app.browser();
    let form = elsewhere.get(&app.mail().await.link()).await;
    let page = elsewhere
        .submit_only(&form, "Set password", &[("password", PASSWORD)])
        .await;
    is_written(&app, &page, &[("password_reset", id, None, "", "")]).await;
    elsewhere.log_in("new@example.org", PASSWORD).await;
    let page = elsewhere.get("/users").await;
    is_written(&app, &page, &[("access_denied", id, None, "", "")]).await;
    let page = elsewhere.post_form("/logout", &[]).await;
    is_written(&app, &page, &[("logged_out", id, None, "", "")]).await;
    elsewhere.log_in("new@example.org", PASSWORD).await;
    let page = elsewhere.post_form("/account/delete", &[]).await;
    is_written(&app, &page, &[("user_deleted", id, None, "", "")]).await;
    let page = post_from_another_site(&app).await;
    is_written(
        &app,
        &page,
        &[(
            "csrf_rejected",
            None,
            None,
            "",
            "from \"https://evil.example\" instead of \"http://localhost:8000\"",
        )],
    )
    .await;
    let mut sent: Vec<_> = find(
        &app,
        AuditFilter {
            kind: Some(AuditEvent::MailSent),
            ..AuditFilter::default()
        },
    )
    .await
    .into_iter()
    .map(|row| row.method)
    .collect();
    // Two that are due in the same second go in any order.
    sent.sort();
    assert_eq!(
        sent,
        [
            "account_exists",
            "email_change",
            "email_changed",
            "email_verification",
            "password_changed",
            "pending_approval",
            "reset"
        ],
        "and one for each mail"
    );
}

#[tokio::test]
async fn everything_that_administrators_do_leaves_one_row() {
    let (app, mut ada, user, _) = household("").await;
    let (by, eve) = (
        Some(user.id),
        app.user("eve@example.org", Role::Pending).await,
    );
    let (about, id) = (Some(eve.id), eve.id.to_string());
    for (action, expected) in [
        ("approve", &[("user_approved", about, by, "", "")][..]),
        ("approve", &[]),
        (
            "make-administrator",
            &[("role_changed", about, by, "", "administrator")],
        ),
        ("make-member", &[("role_changed", about, by, "", "member")]),
        ("disable", &[("user_disabled", about, by, "", "")]),
        ("create-reset-link", &[]),
        ("enable", &[("user_enabled", about, by, "", "")]),
        (
            "create-reset-link",
            &[("reset_link_created", about, by, "handed_over", "")],
        ),
        ("end-sessions", &[("sessions_ended", about, by, "", "all")]),
        ("explode", &[]),
    ] {
        let page = ada
            .post_form("/users/change", &[("id", &id), ("action", action)])
            .await;
        is_written(&app, &page, expected).await;
    }
    logged_in(&app, "eve@example.org").await;
    let page = ada.get(&format!("/users/{id}")).await;
    let page = ada
        .submit_only(&page, "End the session of an unknown program", &[])
        .await;
    is_written(&app, &page, &[("sessions_ended", about, by, "", "")]).await;
    let page = ada
        .post_form(
            "/users/address",
            &[("id", &id), ("email", "eve@new.example")],
        )
        .await;
    is_written(&app, &page, &[("email_changed", about, by, "", "")]).await;
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    for (body, expected) in [
        (
            r#"{"is_verified":false}"#,
            &[("approval_revoked", about, by, "", "")][..],
        ),
        (
            r#"{"is_verified":true,"is_superuser":true}"#,
            &[
                ("user_approved", about, by, "", ""),
                ("role_changed", about, by, "", "administrator"),
            ],
        ),
        (
            r#"{"password":"copper lantern meadow 4"}"#,
            &[("password_changed", about, by, "", "")],
        ),
        (r#"{"password":"short","is_active":false}"#, &[]),
    ] {
        let page = ada
            .call(
                Method::PATCH,
                &format!("/api/v1/users/{id}"),
                &headers,
                body,
            )
            .await;
        is_written(&app, &page, expected).await;
    }
    let page = ada
        .post_form("/users/change", &[("id", &id), ("action", "delete")])
        .await;
    is_written(&app, &page, &[("user_deleted", about, by, "", "")]).await;
    let page = ada
        .post_form("/users/new", &[("email", "new@example.org")])
        .await;
    let new = Some(id_of(&app, "new@example.org").await);
    is_written(
        &app,
        &page,
        &[
            ("user_created", new, by, "", "member"),
            ("reset_link_created", new, by, "handed_over", ""),
        ],
    )
    .await;
    // What is refused leaves nothing: the row is a part of the change.
    for action in ["make-member", "disable", "delete"] {
        let page = ada
            .post_form(
                "/users/change",
                &[("id", &user.id.to_string()), ("action", action)],
            )
            .await;
        assert_eq!(page.status, StatusCode::CONFLICT, "{action}");
        is_written(&app, &page, &[]).await;
    }
    let made = find(
        &app,
        AuditFilter {
            user: Some(user.id),
            kind: Some(AuditEvent::UserCreated),
            ..AuditFilter::default()
        },
    )
    .await;
    assert_eq!(
        (
            made[0].method.as_str(),
            made[0].client_ip.as_str(),
            made[0].detail.as_str()
        ),
        ("shell", "shell", "administrator")
    );
}

#[tokio::test]
async fn everything_that_happens_with_the_provider_leaves_one_row() {
    let home = Household::new().await;
    let app = &home.app;
    let ada = Account::confirmed("ada@example.org");
    let page = home.come_back(&ada).await;
    let id = Some(id_of(app, "ada@example.org").await);
    let first = [
        ("user_created", id, None, "provider", "member"),
        ("identity_linked", id, None, "oidc", ""),
        ("logged_in", id, None, "oidc", ""),
    ];
    is_written(app, &page, &first).await;
    let page = home
        .come_back(&Account {
            email: "ada@new.example".into(),
            ..ada.clone()
        })
        .await;
    is_written(
        app,
        &page,
        &[
            ("email_synced", id, None, "oidc", ""),
            ("logged_in", id, None, "oidc", ""),
        ],
    )
    .await;

    app.member("eve@example.org").await;
    let eve_id = id_of(app, "eve@example.org").await;
    let eves = Some(eve_id);
    let mut eve = logged_in(app, "eve@example.org").await;
    eve.post_form("/account/connect", &[]).await;
    let away = eve
        .call(Method::GET, "/account/connect/start", &[], "")
        .await
        .location()
        .unwrap();
    let there = Account::confirmed("eve@elsewhere.example");
    let page = eve
        .call(Method::GET, &home.provider.answer(&away, &there), &[], "")
        .await;
    is_written(app, &page, &[("identity_linked", eves, None, "", "")]).await;
    let identity = db::identities::list_for_user(&app.state.db, eve_id)
        .await
        .unwrap()[0]
        .id
        .to_string();
    let page = eve
        .post_form(
            &format!("/account/disconnect?identity={identity}"),
            &[("identity", &identity)],
        )
        .await;
    is_written(app, &page, &[("identity_unlinked", eves, None, "", "")]).await;
    let mut browser = app.browser();
    let page = home
        .log_in(
            &mut browser,
            &Account {
                subject: "x".into(),
                ..Account::unconfirmed("eve@example.org")
            },
        )
        .await;
    let asked = find(
        app,
        AuditFilter {
            kind: Some(AuditEvent::LinkConfirmationRequired),
            user: eves,
            ..AuditFilter::default()
        },
    )
    .await;
    assert_eq!(asked.len(), 1);
    let page = browser
        .submit_only(&page, "Connect and log in", &[("password", PASSWORD)])
        .await;
    is_written(
        app,
        &page,
        &[
            ("identity_linked", eves, None, "password", ""),
            ("logged_in", eves, None, "oidc", ""),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_the_program_does_by_itself_leaves_one_row() {
    let home = Household::with(&format!("{RESETS}{SMTP}")).await;
    let app = &home.app;
    let eve = app.member("eve@example.org").await;
    for _ in 0..4 {
        app.browser()
            .post_form("/login/forgot-password", &[("email", "eve@example.org")])
            .await;
    }
    assert_eq!(app.mails().await.len(), 3);
    let withheld = find(
        app,
        AuditFilter {
            kind: Some(AuditEvent::MailRateLimited),
            ..AuditFilter::default()
        },
    )
    .await;
    assert_eq!(
        (
            withheld.len(),
            withheld[0].user_id,
            withheld[0].method.as_str(),
            withheld[0].client_ip.as_str()
        ),
        (1, Some(eve.id), "reset", NETWORK)
    );
    // Nobody has proven this address, so that its owner, who comes from the provider, finds nothing
    // of whoever made the account.
    app.sql("UPDATE auth_user_account SET email_verified_at = NULL")
        .await;
    let eves = Account::confirmed("eve@example.org");
    let page = home.come_back(&eves).await;
    let id = Some(eve.id);
    is_written(
        app,
        &page,
        &[
            ("unverified_credentials_revoked", id, None, "oidc", ""),
            ("identity_linked", id, None, "oidc", ""),
            ("logged_in", id, None, "oidc", ""),
        ],
    )
    .await;
    let page = home
        .come_back(&Account {
            email: "eve@new.example".into(),
            ..Account {
                email_verified: false.into(),
                ..eves
            }
        })
        .await;
    let why = "the provider does not say email_verified: true for its address";
    is_written(
        app,
        &page,
        &[
            ("email_sync_skipped", id, None, "oidc", why),
            ("logged_in", id, None, "oidc", ""),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_request_that_brings_its_own_number_is_found_by_it() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let number = random::uuid().to_string();
    let headers = [
        ("x-correlation-id", number.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "same-origin"),
    ];
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("username", "ada@example.org")
        .append_pair("password", PASSWORD)
        .finish();
    let page = app
        .browser()
        .call(Method::POST, "/api/v1/auth/cookie/login", &headers, &body)
        .await;
    assert_eq!(page.header("x-correlation-id"), Some(number.as_str()));
    is_written(
        &app,
        &page,
        &[(
            "logged_in",
            Some(id_of(&app, "ada@example.org").await),
            None,
            "password",
            "",
        )],
    )
    .await;
}
