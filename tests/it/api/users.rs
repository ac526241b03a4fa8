//! The users' routes of the API: permissions, and MediaManager's bodies and status codes.

use axum::http::{Method, StatusCode};
use mediamanager_auth::{domain::User, server::flows::users::Role};
use serde_json::{Value, json};

use crate::support::{App, Browser, PASSWORD, Page};

mod deletion;
mod last_admin;
mod me;
mod update;

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

/// A signed-in administrator, and Bob.
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
