//! Changes of administrators, and those over the API.

use axum::http::Method;
use mediamanager_auth::server::flows::users::Role;
use serde_json::json;

use super::{
    Change, House, NEW, Request, email, ended_sessions, form, logged_in, member, user_with,
};
use crate::support::{Browser, PASSWORD};

async fn administrator(house: &House, phase: &str) -> Browser {
    let ada = email("ada", phase);
    let mut browser = house.app.browser();
    if house.app.count(&user_with(&ada, "true")).await == 0 {
        house.app.user(&ada, Role::Administrator).await;
    }
    browser.log_in(&ada, PASSWORD).await;
    browser
}

pub async fn administration(house: &House, phase: &str) -> Vec<Change> {
    let ada = administrator(house, phase).await;
    let mut changes = Vec::new();
    for (name, action, button, check) in [
        ("disable", "disable", "Disable", "NOT is_active"),
        ("delete", "delete", "Delete", ""),
        ("end sessions", "end-sessions", "End all sessions", "-"),
    ] {
        let (email, user) = member(house, name, phase).await;
        house.app.browser().log_in(&email, PASSWORD).await;
        let check = match check {
            "" => format!("SELECT 1 - count(*) FROM \"user\" WHERE email = '{email}'"),
            "-" => ended_sessions(&email),
            condition => user_with(&email, condition),
        };
        let path = format!("/users/change?id={}&action={action}", user.id);
        changes.push(form(name, ada.clone(), (&path, button), check).await);
    }
    let (old, user) = member(house, "correct an address", phase).await;
    let target = email("corrected", phase);
    let corrected =
        format!("SELECT count(*) FROM \"user\" WHERE email = '{target}' AND email <> '{old}'");
    let path = format!("/users/address?id={}", user.id);
    changes.push(
        form(
            "correct an address",
            ada.clone(),
            (&path, "Change e-mail"),
            corrected,
        )
        .await
        .typing(&[("email", target)]),
    );
    let invited = email("invited", phase);
    changes.push(
        form(
            "invite",
            ada,
            ("/users/new", "Create user"),
            user_with(&invited, "true"),
        )
        .await
        .typing(&[("email", invited)]),
    );
    changes
}

pub async fn api(house: &House, phase: &str) -> Vec<Change> {
    let ada = administrator(house, phase).await;
    let call = |name, browser, (method, path), (body, check): (serde_json::Value, String)| Change {
        name,
        browser,
        request: Request::Api {
            method,
            path,
            body: body.to_string(),
        },
        check,
    };
    let pending = email("approve", phase);
    let user = house.app.user(&pending, Role::Pending).await;
    let approve = call(
        "approve",
        ada.clone(),
        (Method::PATCH, format!("/api/v1/users/{}", user.id)),
        (
            json!({ "is_verified": true }),
            user_with(&pending, "is_verified"),
        ),
    );
    let (promoted, user) = member(house, "promote", phase).await;
    let promote = call(
        "promote",
        ada,
        (Method::PATCH, format!("/api/v1/users/{}", user.id)),
        (
            json!({ "is_superuser": true, "current_password": PASSWORD }),
            user_with(&promoted, "is_superuser"),
        ),
    );
    let registered = email("register", phase);
    let register = call(
        "register",
        house.app.browser(),
        (Method::POST, "/api/v1/auth/register".to_owned()),
        (
            json!({ "email": registered, "password": PASSWORD }),
            user_with(&registered, "true"),
        ),
    );
    let (own, browser) = logged_in(house, "own settings", phase).await;
    let settings = call(
        "own settings",
        browser,
        (Method::PATCH, "/api/v1/users/me".to_owned()),
        (
            json!({ "password": NEW, "current_password": PASSWORD }),
            user_with(&own, "hashed_password LIKE '%m=65536%'"),
        ),
    );
    vec![approve, promote, register, settings]
}
