//! The users' routes of the contract: who may do what to whom, in MediaManager's bodies and codes.

use axum::http::{Method, StatusCode};
use mediamanager_auth::{domain::User, server::flows::users::Role};
use serde_json::{Value, json};

use crate::support::{App, Browser, PASSWORD, Page, SMTP};

const ME: &str = "/api/v1/users/me";
const NEW: &str = "copper lantern meadow 4";

async fn logged_in(app: &App, email: &str) -> Browser {
    let mut browser = app.browser();
    let page = browser.log_in(email, PASSWORD).await;
    assert!(
        page.status.is_success() || page.status == StatusCode::NOT_FOUND,
        "{}",
        page.status
    );
    browser
}

async fn send(browser: &mut Browser, method: Method, path: &str, body: &Value) -> Page {
    browser
        .call(
            method,
            path,
            &[
                ("content-type", "application/json"),
                ("sec-fetch-site", "same-origin"),
            ],
            &body.to_string(),
        )
        .await
}

async fn patch(browser: &mut Browser, path: &str, body: Value) -> Page {
    send(browser, Method::PATCH, path, &body).await
}

async fn delete(browser: &mut Browser, path: &str) -> Page {
    browser
        .call(
            Method::DELETE,
            path,
            &[("sec-fetch-site", "same-origin")],
            "",
        )
        .await
}

fn path_of(user: &User) -> String {
    format!("/api/v1/users/{}", user.id)
}

/// An administrator in a browser, and Bob.
async fn household(toml: &str) -> (App, Browser, User, User) {
    let app = App::with(toml).await;
    let ada = app.user("ada@example.org", Role::Administrator).await;
    let bob = app.member("bob@example.org").await;
    let browser = logged_in(&app, "ada@example.org").await;
    (app, browser, ada, bob)
}

#[tokio::test]
async fn an_administrator_sees_everybody_in_five_fields() {
    let (_app, mut ada, _, bob) = household("").await;
    let all = ada.get("/api/v1/users/all").await;
    assert_eq!(all.status, StatusCode::OK);
    let emails: Vec<_> = all
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["email"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(emails, ["ada@example.org", "bob@example.org"]);
    assert_eq!(
        all.json()[1].as_object().unwrap().len(),
        5,
        "and nothing else: {}",
        all.body
    );
    let one = format!(
        r#"{{"id":"{}","email":"bob@example.org","is_active":true,"is_superuser":false,"is_verified":true}}"#,
        bob.id
    );
    for id in [
        bob.id.to_string(),
        bob.id.simple().to_string(),
        format!("{{{}}}", bob.id),
        format!("urn:uuid:{}", bob.id),
        bob.id.to_string().to_uppercase(),
    ] {
        let page = ada
            .get(&format!(
                "/api/v1/users/{}",
                id.replace('{', "%7B").replace('}', "%7D")
            ))
            .await;
        assert_eq!(
            (page.status, page.body.as_str()),
            (StatusCode::OK, one.as_str()),
            "{id}"
        );
    }
}

#[tokio::test]
async fn an_administrator_whose_approval_was_withdrawn_has_no_power_over_the_api() {
    let (app, mut ada, user, bob) = household("").await;
    app.user("boss@example.org", Role::Administrator).await;
    app.sql("UPDATE \"user\" SET is_verified = false WHERE email = 'ada@example.org'")
        .await;
    let rights = json!({ "is_superuser": true, "is_verified": true });
    let attempts = [
        ada.get("/api/v1/users/all").await,
        ada.get(&path_of(&bob)).await,
        patch(&mut ada, &path_of(&bob), rights.clone()).await,
        patch(&mut ada, &path_of(&user), rights).await,
        delete(&mut ada, &path_of(&bob)).await,
        delete(&mut ada, ME).await,
    ];
    for page in attempts {
        assert_eq!(
            (page.status, &page.json()["detail"]),
            (StatusCode::FORBIDDEN, &json!("Forbidden")),
            "{}",
            page.path
        );
    }
    assert_eq!(
        app.count("SELECT count(*) FROM \"user\" WHERE is_superuser AND is_verified")
            .await,
        1,
        "the boss alone"
    );
    assert_eq!(
        ada.get(ME).await.json()["is_superuser"],
        json!(true),
        "she keeps her account"
    );
}

#[tokio::test]
async fn what_is_no_user_is_not_found_without_a_word() {
    let (_app, mut ada, ..) = household("").await;
    for id in [
        "nobody",
        "00000000-0000-4000-8000-000000000000",
        "me%00",
        "%ff",
        "1",
    ] {
        let path = format!("/api/v1/users/{id}");
        for page in [
            ada.get(&path).await,
            patch(&mut ada, &path, json!({ "is_active": "?" })).await,
            delete(&mut ada, &path).await,
        ] {
            assert_eq!(
                (page.status, page.body.as_str()),
                (StatusCode::NOT_FOUND, "Not Found"),
                "{id}"
            );
        }
    }
    assert_eq!(
        delete(&mut ada, ME).await.status,
        StatusCode::NOT_FOUND,
        "read as an id"
    );
}

#[tokio::test]
async fn an_administrator_changes_rights_as_mediamanagers_table_does() {
    let (app, mut ada, _, bob) = household("").await;
    let mut his = logged_in(&app, "bob@example.org").await;
    let page = patch(&mut ada, &path_of(&bob), json!({ "id": "x", "is_active": true, "is_superuser": "yes", "is_verified": 1, "other": [1] })).await;
    assert_eq!(
        (page.status, &page.json()["is_superuser"]),
        (StatusCode::OK, &json!(true))
    );
    assert_eq!(
        his.get("/api/v1/users/all").await.status,
        StatusCode::OK,
        "at once"
    );
    let page = patch(
        &mut ada,
        &path_of(&bob),
        json!({ "is_superuser": "off", "is_verified": false }),
    )
    .await;
    assert_eq!(
        (&page.json()["is_superuser"], &page.json()["is_verified"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(
        his.get("/api/v1/users/all").await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        patch(&mut ada, &path_of(&bob), json!({ "is_active": 0 }))
            .await
            .json()["is_active"],
        json!(false)
    );
    assert_eq!(
        his.get(ME).await.status,
        StatusCode::UNAUTHORIZED,
        "a disabled account has no sessions"
    );
    assert_eq!(
        patch(&mut ada, &path_of(&bob), json!({ "is_active": "TRUE" }))
            .await
            .json()["is_active"],
        json!(true)
    );
    assert_eq!(
        his.get(ME).await.status,
        StatusCode::UNAUTHORIZED,
        "and gets none back"
    );
    let unchanged = ada.get(&path_of(&bob)).await.body;
    assert_eq!(
        patch(&mut ada, &path_of(&bob), json!({})).await.body,
        unchanged
    );
    assert_eq!(
        patch(&mut ada, &path_of(&bob), json!({ "password": null }))
            .await
            .body,
        unchanged
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_told_field_by_field() {
    let (_app, mut ada, _, bob) = household("").await;
    for (body, kind, at) in [
        (
            json!({ "is_active": "perhaps" }),
            "bool_parsing",
            json!(["body", "is_active"]),
        ),
        (
            json!({ "is_verified": 2 }),
            "bool_parsing",
            json!(["body", "is_verified"]),
        ),
        (
            json!({ "is_superuser": [] }),
            "bool_parsing",
            json!(["body", "is_superuser"]),
        ),
        (
            json!({ "email": 7 }),
            "string_type",
            json!(["body", "email"]),
        ),
        (
            json!({ "email": "no address" }),
            "value_error",
            json!(["body", "email"]),
        ),
        (
            json!({ "password": 7 }),
            "string_type",
            json!(["body", "password"]),
        ),
        (json!([1]), "model_attributes_type", json!(["body"])),
    ] {
        let page = patch(&mut ada, &path_of(&bob), body.clone()).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!(
            (
                &page.json()["detail"][0]["type"],
                &page.json()["detail"][0]["loc"]
            ),
            (&json!(kind), &at),
            "{body}"
        );
    }
    for body in [
        json!({ "email": null }),
        json!({ "is_active": null }),
        json!({ "is_superuser": null }),
        json!({ "is_verified": null }),
    ] {
        let page = patch(&mut ada, &path_of(&bob), body.clone()).await;
        assert_eq!(
            (page.status, page.json()["detail"].is_string()),
            (StatusCode::CONFLICT, true),
            "{body}"
        );
    }
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    let broken = ada.call(Method::PATCH, ME, &headers, "{").await;
    assert_eq!(broken.json()["detail"][0]["type"], json!("json_invalid"));
    let page = Browser::new(_app.router.clone())
        .call(Method::PATCH, ME, &headers, "{")
        .await;
    assert_eq!(
        page.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "looked at before the session, as in the original"
    );
    assert_eq!(
        ada.get(&path_of(&bob)).await.json()["is_active"],
        json!(true),
        "and nothing was changed"
    );
}

#[tokio::test]
async fn a_password_that_an_administrator_sets_ends_everything_before_it() {
    let (app, mut ada, _, bob) = household(SMTP).await;
    let mut his = logged_in(&app, "bob@example.org").await;
    for (password, code) in [
        ("", "UPDATE_USER_INVALID_PASSWORD"),
        ("short", "UPDATE_USER_INVALID_PASSWORD"),
        ("passwordpassword", "UPDATE_USER_INVALID_PASSWORD"),
    ] {
        let page = patch(
            &mut ada,
            &path_of(&bob),
            json!({ "password": password, "is_verified": false }),
        )
        .await;
        assert_eq!(
            (page.status, &page.json()["detail"]["code"]),
            (StatusCode::BAD_REQUEST, &json!(code)),
            "{password:?}"
        );
        assert!(page.json()["detail"]["reason"].is_string());
    }
    assert_eq!(
        ada.get(&path_of(&bob)).await.json()["is_verified"],
        json!(true),
        "all of it or nothing"
    );
    assert_eq!(
        patch(&mut ada, &path_of(&bob), json!({ "password": NEW }))
            .await
            .status,
        StatusCode::OK
    );
    assert_eq!(his.get(ME).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        app.browser().log_in("bob@example.org", NEW).await.path,
        "/account"
    );
    let mail = app.mail().await;
    assert_eq!(
        (mail.to.as_str(), mail.subject.as_str()),
        (
            "bob@example.org",
            "Your password for MediaManager was changed"
        )
    );
    assert!(mail.text.contains("an administrator has set the password"));
}

#[tokio::test]
async fn an_address_that_an_administrator_gives_is_proven_by_nobody() {
    let (app, mut ada, _, bob) =
        household(&format!("auth.admin_emails = ['boss@example.org']\n{SMTP}")).await;
    let taken = patch(
        &mut ada,
        &path_of(&bob),
        json!({ "email": "ADA@example.org" }),
    )
    .await;
    assert_eq!(
        (taken.status, &taken.json()["detail"]),
        (
            StatusCode::BAD_REQUEST,
            &json!("UPDATE_USER_EMAIL_ALREADY_EXISTS")
        )
    );
    app.sql("UPDATE \"user\" SET is_verified = false WHERE email = 'bob@example.org'")
        .await;
    let page = patch(
        &mut ada,
        &path_of(&bob),
        json!({ "email": " Boss@Example.org " }),
    )
    .await;
    assert_eq!(
        (&page.json()["email"], &page.json()["is_verified"]),
        (&json!("boss@example.org"), &json!(false)),
        "an address approves nobody"
    );
    let mail = app.mail().await;
    assert_eq!(
        (mail.to.as_str(), mail.subject.as_str()),
        (
            "bob@example.org",
            "Your address for MediaManager was changed"
        ),
        "the old mailbox is told"
    );
    let mut boss = logged_in(&app, "boss@example.org").await;
    assert_eq!(
        boss.get(ME).await.json()["is_superuser"],
        json!(false),
        "admin_emails needs a proof"
    );
    assert_eq!(
        patch(
            &mut ada,
            &path_of(&bob),
            json!({ "email": "boss@example.org" })
        )
        .await
        .status,
        StatusCode::OK,
        "the same once more"
    );
    assert!(app.mails().await.is_empty());
}

#[tokio::test]
async fn deleting_takes_sessions_links_and_the_providers_account_with_it() {
    let (app, mut ada, _, bob) = household("").await;
    let mut his = logged_in(&app, "bob@example.org").await;
    let (id, account) = (bob.id, "0b0b0b0b-0000-4000-8000-000000000000");
    let (id, account) = if app.database.is_postgres() {
        (format!("'{id}'"), format!("'{account}'"))
    } else {
        (
            format!("x'{}'", id.simple()),
            format!("x'{}'", account.replace('-', "")),
        )
    };
    app.sql(&format!(
        "INSERT INTO oauth_account (id, user_id, oauth_name, access_token, account_id, account_email) VALUES ({account}, {id}, 'OpenID', 't', 's', 'e')"
    ))
    .await;
    let page = delete(&mut ada, &path_of(&bob)).await;
    assert_eq!(
        (page.status, page.body.as_str()),
        (StatusCode::NO_CONTENT, ""),
        "the original says 409 here"
    );
    assert_eq!(his.get(ME).await.status, StatusCode::UNAUTHORIZED);
    for table in [
        "oauth_account",
        "auth_session WHERE user_id NOT IN (SELECT id FROM \"user\")",
        "auth_user_account WHERE user_id NOT IN (SELECT id FROM \"user\")",
    ] {
        assert_eq!(
            app.count(&format!("SELECT count(*) FROM {table}")).await,
            0,
            "{table}"
        );
    }
    app.member("bob@example.org").await;
    assert_eq!(
        his.get(ME).await.status,
        StatusCode::UNAUTHORIZED,
        "a later account with the address inherits nothing"
    );
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let (app, mut ada, user, bob) = household("").await;
    let own = path_of(&user);
    for body in [
        json!({ "is_superuser": false }),
        json!({ "is_active": false }),
        json!({ "is_superuser": false, "is_verified": true }),
    ] {
        let page = patch(&mut ada, &own, body.clone()).await;
        assert_eq!(
            (page.status, &page.json()["detail"]),
            (StatusCode::CONFLICT, &json!("LAST_ADMINISTRATOR")),
            "{body}"
        );
    }
    assert_eq!(delete(&mut ada, &own).await.status, StatusCode::CONFLICT);
    patch(
        &mut ada,
        &path_of(&bob),
        json!({ "is_superuser": true, "is_active": false }),
    )
    .await;
    assert_eq!(
        delete(&mut ada, &own).await.status,
        StatusCode::CONFLICT,
        "a disabled one is none"
    );
    patch(&mut ada, &path_of(&bob), json!({ "is_active": true })).await;
    assert_eq!(delete(&mut ada, &own).await.status, StatusCode::NO_CONTENT);
    assert_eq!(
        app.count("SELECT count(*) FROM \"user\" WHERE is_superuser")
            .await,
        1
    );
}

#[tokio::test]
async fn two_administrators_who_demote_each_other_at_once_leave_one() {
    let (app, ada, user, bob) = household("").await;
    for round in 0..4 {
        app.sql("UPDATE \"user\" SET is_superuser = true, is_active = true")
            .await;
        let his = logged_in(&app, "bob@example.org").await;
        let (mut ada, mut his) = (ada.clone(), his);
        let (hers, theirs) = (path_of(&user), path_of(&bob));
        let body = if round % 2 == 0 {
            json!({ "is_superuser": false })
        } else {
            json!({ "is_active": false })
        };
        let (one, other) = futures_util::future::join(
            patch(&mut ada, &theirs, body.clone()),
            patch(&mut his, &hers, body),
        )
        .await;
        let statuses = [one.status, other.status];
        assert!(statuses.contains(&StatusCode::OK), "{statuses:?}");
        assert_eq!(
            app.count("SELECT count(*) FROM \"user\" WHERE is_superuser AND is_active")
                .await,
            1,
            "{statuses:?}"
        );
        app.sql("UPDATE auth_session SET ended_at = NULL").await;
    }
}

#[tokio::test]
async fn nobody_gives_themselves_anything_by_patch() {
    let app = App::with("auth.admin_emails = ['boss@example.org']").await;
    app.user("eve@example.org", Role::Pending).await;
    let mut eve = logged_in(&app, "eve@example.org").await;
    let page = patch(
        &mut eve,
        ME,
        json!({ "is_verified": true, "is_superuser": true, "is_active": true, "id": "x" }),
    )
    .await;
    assert_eq!(
        (
            page.status,
            &page.json()["is_verified"],
            &page.json()["is_superuser"]
        ),
        (StatusCode::OK, &json!(false), &json!(false))
    );
    for body in [
        json!({ "email": "eve@example.org", "is_verified": true }),
        json!({ "email": "EVE@example.org" }),
        json!({ "password": NEW }),
    ] {
        let page = patch(&mut eve, ME, body.clone()).await;
        assert_eq!(
            (page.status, &page.json()["is_verified"]),
            (StatusCode::OK, &json!(false)),
            "{body}: weakness 1 of the original"
        );
    }
    for body in [
        json!({ "hashed_password": "x" }),
        json!({ "user": { "is_superuser": true } }),
        json!({ "role": "admin", "email": "eve@example.org" }),
    ] {
        let page = patch(&mut eve, ME, body.clone()).await;
        assert_eq!(
            (page.status, &page.json()["detail"][0]["type"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("extra_forbidden")),
            "{body}"
        );
    }
    assert_eq!(
        app.count("SELECT count(*) FROM \"user\" WHERE is_superuser OR is_verified")
            .await,
        0
    );
    // An administrator who was never approved, as MediaManager's own table may hold one.
    app.sql("UPDATE \"user\" SET is_superuser = true").await;
    let id = eve.get(ME).await.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        patch(
            &mut eve,
            &format!("/api/v1/users/{id}"),
            json!({ "is_verified": true })
        )
        .await
        .status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn ones_own_password_takes_a_young_login_or_the_present_one() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let (mut here, mut there) = (
        logged_in(&app, "ada@example.org").await,
        logged_in(&app, "ada@example.org").await,
    );
    app.pass(300);
    let page = patch(&mut here, ME, json!({ "password": NEW })).await;
    assert_eq!(
        (page.status, &page.json()["detail"]["code"]),
        (StatusCode::FORBIDDEN, &json!("UPDATE_USER_LOGIN_TOO_OLD")),
        "a stolen cookie is not enough"
    );
    let page = patch(
        &mut here,
        ME,
        json!({ "password": NEW, "current_password": "a wild guess" }),
    )
    .await;
    assert_eq!(
        (page.status, &page.json()["detail"]["code"]),
        (
            StatusCode::BAD_REQUEST,
            &json!("UPDATE_USER_BAD_CURRENT_PASSWORD")
        )
    );
    let page = patch(
        &mut here,
        ME,
        json!({ "password": "short", "current_password": PASSWORD }),
    )
    .await;
    assert_eq!(
        page.json()["detail"]["code"],
        json!("UPDATE_USER_INVALID_PASSWORD")
    );
    let page = patch(
        &mut here,
        ME,
        json!({ "password": NEW, "current_password": PASSWORD }),
    )
    .await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert_eq!(
        here.get(ME).await.status,
        StatusCode::OK,
        "this session stays"
    );
    assert_eq!(
        there.get(ME).await.status,
        StatusCode::UNAUTHORIZED,
        "the others end"
    );
    assert_eq!(
        app.browser().log_in("ada@example.org", NEW).await.path,
        "/account"
    );
}

#[tokio::test]
async fn guessing_the_present_password_is_throttled_like_a_login() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut thief = logged_in(&app, "ada@example.org").await;
    app.pass(300);
    let mut last = StatusCode::OK;
    for _ in 0..12 {
        last = patch(
            &mut thief,
            ME,
            json!({ "password": NEW, "current_password": "a wild guess" }),
        )
        .await
        .status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn an_administrators_own_address_and_password_take_the_same() {
    let (app, mut ada, user, _) = household("").await;
    app.pass(300);
    for body in [
        json!({ "password": NEW }),
        json!({ "email": "new@example.org" }),
    ] {
        let page = patch(&mut ada, &path_of(&user), body.clone()).await;
        assert_eq!(
            (page.status, &page.json()["detail"]["code"]),
            (StatusCode::FORBIDDEN, &json!("UPDATE_USER_LOGIN_TOO_OLD")),
            "{body}"
        );
    }
    let page = patch(
        &mut ada,
        &path_of(&user),
        json!({ "password": NEW, "current_password": PASSWORD }),
    )
    .await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(
        ada.get(ME).await.status,
        StatusCode::OK,
        "this session stays"
    );
}

#[tokio::test]
async fn without_mail_an_address_is_an_administrators_business() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut ada = logged_in(&app, "ada@example.org").await;
    let page = patch(
        &mut ada,
        ME,
        json!({ "email": "new@example.org", "password": NEW }),
    )
    .await;
    assert_eq!(
        (page.status, &page.json()["detail"]["code"]),
        (
            StatusCode::FORBIDDEN,
            &json!("UPDATE_USER_EMAIL_NEEDS_ADMINISTRATOR")
        )
    );
    assert_eq!(
        app.browser().log_in("ada@example.org", PASSWORD).await.path,
        "/account",
        "the password is as it was, too"
    );
}

#[tokio::test]
async fn a_slash_too_many_leads_to_the_route_that_is_meant() {
    let app = App::new().await;
    for (path, target) in [
        ("/api/v1/users/me/", "http://localhost:8000/api/v1/users/me"),
        (
            "/api/v1/auth/oauth/authorize/?scopes=email",
            "http://localhost:8000/api/v1/auth/oauth/authorize?scopes=email",
        ),
        ("/api/v1/users/x/", "http://localhost:8000/api/v1/users/x"),
    ] {
        let page = app
            .browser()
            .call(Method::GET, path, &[("host", "evil.example")], "")
            .await;
        assert_eq!(
            (page.status, page.location().as_deref(), page.body.as_str()),
            (StatusCode::TEMPORARY_REDIRECT, Some(target), ""),
            "{path}"
        );
    }
    assert_eq!(
        app.browser()
            .call(Method::GET, "/api/v1/users//", &[], "")
            .await
            .status,
        StatusCode::NOT_FOUND
    );
}
