//! Access to the pages of users, and what they never contain.

use axum::http::{Method, StatusCode};
use mediamanager_auth::server::{crypto::random, db, flows::users::Role};

use super::{household, logged_in, path_of};
use crate::support::TOKEN_SECRET;

#[tokio::test]
async fn no_page_holds_a_hash_a_token_or_a_secret() {
    let (app, mut ada, user, bob) = household("").await;
    let his = logged_in(&app, "bob@example.org").await;
    let hash = db::users::find_with_hash(&app.state.db, bob.id)
        .await
        .unwrap()
        .unwrap()
        .hashed_password;
    let paths = [
        "/users",
        "/users/new",
        "/users/events",
        &path_of(&bob),
        &path_of(&user),
        &format!("/users/change?id={}&action=delete", bob.id),
    ]
    .map(str::to_owned);
    for path in paths.into_iter().chain([
        format!("/users/address?id={}", bob.id),
        "/account".to_owned(),
    ]) {
        let page = ada.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        for secret in [
            hash.as_str(),
            "$argon2",
            his.cookie("fastapiusersauth").unwrap(),
            ada.cookie("fastapiusersauth").unwrap(),
            TOKEN_SECRET,
        ] {
            assert!(!page.body.contains(secret), "{path}: {secret}");
        }
    }
}

#[tokio::test]
async fn whoever_is_no_administrator_gets_no_page_and_no_data() {
    let (app, _, ada, bob) = household("").await;
    app.user("eve@example.org", Role::Pending).await;
    app.user("withdrawn@example.org", Role::Administrator).await;
    app.sql("UPDATE \"user\" SET is_verified = false WHERE email = 'withdrawn@example.org'")
        .await;
    let id = ada.id.to_string();
    let pages = [
        "/users",
        "/users?q=ada",
        "/users/new",
        "/users/events",
        "/users/link",
        "/users/x",
        &format!("/users/{id}"),
    ]
    .map(str::to_owned);
    let more =
        ["/users/address", "/users/change"].map(|page| format!("{page}?id={id}&action=delete"));
    let actions = [
        "approve",
        "disable",
        "enable",
        "make-administrator",
        "make-member",
        "end-sessions",
        "end-session",
        "create-reset-link",
        "delete",
    ];
    let forms: Vec<_> = actions
        .iter()
        .map(|action| {
            (
                "/users/change",
                vec![("id", id.as_str()), ("action", *action)],
            )
        })
        .collect();
    let forms: Vec<_> = forms
        .into_iter()
        .chain([
            (
                "/users/address",
                vec![("id", id.as_str()), ("email", "eve2@example.org")],
            ),
            ("/users/new", vec![("email", "eve2@example.org")]),
        ])
        .collect();
    for email in [
        "bob@example.org",
        "eve@example.org",
        "withdrawn@example.org",
    ] {
        let mut browser = logged_in(&app, email).await;
        for path in pages.iter().chain(&more) {
            let page = browser.get(path).await;
            assert!(
                [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&page.status),
                "{email} {path}: {}",
                page.status
            );
            assert!(
                !page.body.contains("ada@")
                    && !page.body.contains("waiting</span>")
                    && !page.body.contains("href=\"/users\""),
                "{email} {path}: {}",
                page.body
            );
        }
        for (path, fields) in &forms {
            let page = browser.post_form(path, fields).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{email} {fields:?}");
            assert!(
                !page.body.contains("ada@"),
                "{email} {fields:?}: {}",
                page.body
            );
            // As the page's script would send it, with the user in the URL.
            let headers = [
                ("accept", "application/json"),
                ("content-type", "application/x-www-form-urlencoded"),
                ("sec-fetch-site", "same-origin"),
            ];
            let body = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish();
            let page = browser
                .call(
                    Method::POST,
                    &format!("{path}?id={id}&action=delete"),
                    &headers,
                    &body,
                )
                .await;
            assert_eq!(
                (page.status, page.body.contains("ada@")),
                (StatusCode::FORBIDDEN, false),
                "{email} {fields:?}"
            );
        }
    }
    let mut nobody = app.browser();
    for path in pages.iter().chain(&more) {
        let page = nobody.get(path).await;
        assert!(
            page.path.starts_with("/login?return_to=%2Fusers") && !page.body.contains("ada@"),
            "{path}: {}",
            page.path
        );
    }
    for (path, fields) in &forms {
        let page = nobody.post_form(path, fields).await;
        assert_eq!(
            (page.status, page.body.contains("ada@")),
            (StatusCode::UNAUTHORIZED, false),
            "{fields:?}"
        );
    }
    assert_eq!(
        app.count("SELECT count(*) FROM \"user\" WHERE is_active")
            .await,
        4,
        "nothing is made, disabled or deleted"
    );
    assert_eq!(
        app.count("SELECT count(*) FROM \"user\" WHERE is_superuser")
            .await,
        2
    );
    let refused = db::events::AuditFilter {
        user: Some(bob.id),
        kind: Some(mediamanager_auth::domain::AuditEvent::AccessDenied),
        ..Default::default()
    };
    assert!(
        db::events::find_page(&app.state.db, &refused, 0, 1)
            .await
            .unwrap()
            .1
            > 0,
        "and it is written down"
    );
}

#[tokio::test]
async fn what_is_no_user_and_no_action_is_not_found() {
    let (_app, mut ada, _, bob) = household("").await;
    let stranger = random::uuid();
    for (action, status) in [
        ("delete", StatusCode::NOT_FOUND),
        ("disable", StatusCode::NOT_FOUND),
        ("create-reset-link", StatusCode::NOT_FOUND),
        ("", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(
            ada.post_form(
                "/users/change",
                &[("id", &stranger.to_string()), ("action", action)]
            )
            .await
            .status,
            status,
            "{action}"
        );
    }
    for path in [
        "/users/x".to_owned(),
        "/users/link".to_owned(),
        format!("/users/{stranger}"),
        format!("/users/{}x", bob.id),
        format!("/users/change?id={stranger}&action=delete"),
        format!("/users/change?id={}&action=explode", bob.id),
        format!("/users/address?id={stranger}"),
        "/users/address".to_owned(),
        "/users/change?action=delete".to_owned(),
    ] {
        let page = ada.get(&path).await;
        assert_eq!(
            (page.status, page.heading().as_str()),
            (StatusCode::NOT_FOUND, "Page not found"),
            "{path}"
        );
    }
}
