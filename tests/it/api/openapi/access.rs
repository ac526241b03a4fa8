//! Access to every route, page and form, for every kind of user and session.

use axum::http::{Method, StatusCode};
use mediamanager_auth::server::flows::users::Role;

use super::ROUTES;
use crate::support::{App, Browser, PASSWORD};

/// The pages, and the status of a `GET` for each kind of user; 303 is the redirect to the login
/// page.
const PAGES: [(&str, [u16; 8]); 19] = [
    ("/account", [303, 200, 200, 200, 303, 303, 303, 200]),
    ("/account/address", [303, 200, 200, 200, 303, 303, 303, 200]),
    ("/account/delete", [303, 200, 200, 200, 303, 303, 303, 200]),
    (
        "/account/disconnect?identity=x",
        [303, 404, 404, 404, 303, 303, 303, 404],
    ),
    (
        "/account/log-in-again",
        [303, 200, 200, 200, 303, 303, 303, 200],
    ),
    (
        "/account/password",
        [303, 200, 200, 200, 303, 303, 303, 200],
    ),
    ("/account/connect", [303, 404, 404, 404, 303, 303, 303, 404]),
    ("/users", [303, 403, 403, 200, 303, 303, 303, 403]),
    (
        "/users?which=pending&q=%25%00&page=-1",
        [303, 403, 403, 200, 303, 303, 303, 403],
    ),
    ("/users/new", [303, 403, 403, 200, 303, 303, 303, 403]),
    ("/users/events", [303, 403, 403, 200, 303, 303, 303, 403]),
    (
        "/users/events?kind=x&user=%00&reference=%27%00&page=99999999999999999999",
        [303, 403, 403, 200, 303, 303, 303, 403],
    ),
    ("/users/link", [303, 403, 403, 404, 303, 303, 303, 403]),
    ("/users/check", [303, 403, 403, 200, 303, 303, 303, 403]),
    (
        "/users/change?id={other}&action=disable",
        [303, 403, 403, 200, 303, 303, 303, 403],
    ),
    (
        "/users/change?id={nobody}&action=disable",
        [303, 403, 403, 404, 303, 303, 303, 403],
    ),
    (
        "/users/change?id={other}&action=x",
        [303, 403, 403, 404, 303, 303, 303, 403],
    ),
    ("/users/{other}", [303, 403, 403, 200, 303, 303, 303, 403]),
    ("/users/{nobody}", [303, 403, 403, 404, 303, 303, 303, 403]),
];

type Fields = &'static [(&'static str, &'static str)];

/// Forms with another user as their target, and the status for each kind of user.
const FORMS: [(&str, Fields, [u16; 8]); 6] = [
    (
        "/users/change",
        &[("id", "{other}"), ("action", "delete")],
        [401, 403, 403, 303, 401, 401, 401, 403],
    ),
    (
        "/users/change",
        &[("id", "{other}"), ("action", "make-administrator")],
        [401, 403, 403, 404, 401, 401, 401, 403],
    ),
    (
        "/users/address",
        &[("id", "{nobody}"), ("email", "x@y")],
        [401, 403, 403, 404, 401, 401, 401, 403],
    ),
    (
        "/users/new",
        &[("email", "no address")],
        [401, 403, 403, 422, 401, 401, 401, 403],
    ),
    (
        "/account",
        &[("session", "{other}")],
        [401, 404, 404, 404, 401, 401, 401, 404],
    ),
    (
        "/account/disconnect",
        &[("identity", "{other}")],
        [401, 404, 404, 404, 401, 401, 401, 404],
    ),
];

const KINDS: [&str; 8] = [
    "nobody",
    "waiting",
    "member",
    "administrator",
    "disabled",
    "ended",
    "revoked",
    "withdrawn",
];

/// One browser for each kind of user, the user's id, and another user as the target.
struct Visitors {
    app: App,
    browsers: Vec<(Browser, String)>,
    other: String,
}

impl Visitors {
    async fn new() -> Self {
        // The expired session is one minute older than the others.
        let app = App::with("auth.session_lifetime = 90").await;
        let nobody = "00000000-0000-4000-8000-000000000000";
        let ended_id = app.member("ended@example.org").await.id.to_string();
        let mut ended = app.browser();
        ended.log_in("ended@example.org", PASSWORD).await;
        app.pass(60);
        let mut browsers = vec![(app.browser(), nobody.to_owned())];
        let other = app
            .user("other@example.org", Role::Pending)
            .await
            .id
            .to_string();
        for (kind, role) in [
            ("waiting", Role::Pending),
            ("member", Role::Member),
            ("administrator", Role::Administrator),
            ("disabled", Role::Member),
            ("revoked", Role::Member),
            ("withdrawn", Role::Administrator),
        ] {
            let user = app.user(&format!("{kind}@example.org"), role).await;
            let mut browser = app.browser();
            browser.log_in(&user.email, PASSWORD).await;
            browsers.push((browser, user.id.to_string()));
        }
        browsers.insert(5, (ended, ended_id));
        app.sql("UPDATE \"user\" SET is_active = false WHERE email = 'disabled@example.org'")
            .await;
        app.sql("UPDATE \"user\" SET is_verified = false WHERE email = 'withdrawn@example.org'")
            .await;
        // A clone logs out, because this browser must keep its cookie.
        let (revoked, _) = &browsers[6];
        revoked.clone().post_form("/logout", &[]).await;
        app.pass(45);
        Self {
            app,
            browsers,
            other,
        }
    }

    fn fill(&self, text: &str, own: &str) -> String {
        text.replace("{other}", &self.other)
            .replace("{self}", own)
            .replace("{nobody}", "00000000-0000-4000-8000-000000000000")
    }
}

#[tokio::test]
async fn every_route_answers_every_kind_of_visitor_as_the_contract_says() {
    let visitors = Visitors::new().await;
    let mut faults = Vec::new();
    for (kind, name) in KINDS.iter().enumerate() {
        let (browser, own) = &visitors.browsers[kind];
        for (method, path, body, expected) in ROUTES {
            let path = format!("/api/v1{}", visitors.fill(path, own));
            let token = browser
                .cookie("fastapiusersauth")
                .map(|token| format!("Bearer {token}"));
            let address = format!("198.51.100.{kind}");
            let (mut with_cookie, mut with_bearer) = (
                browser.clone().at(&address),
                visitors.app.browser().at(&address),
            );
            let mut headers = vec![
                ("content-type", "application/json"),
                ("sec-fetch-site", "same-origin"),
            ];
            let by_cookie = with_cookie
                .call(
                    Method::from_bytes(method.as_bytes()).unwrap(),
                    &path,
                    &headers,
                    body,
                )
                .await;
            // Logout has revoked the session, so the request is not repeated with the bearer token.
            if !path.ends_with("logout") {
                headers.extend(token.as_deref().map(|token| ("authorization", token)));
                let by_bearer = with_bearer
                    .call(
                        Method::from_bytes(method.as_bytes()).unwrap(),
                        &path,
                        &headers,
                        body,
                    )
                    .await;
                if by_bearer.status != by_cookie.status {
                    faults.push(format!(
                        "{method} {path} of {name}: {} by bearer, {} by cookie",
                        by_bearer.status, by_cookie.status
                    ));
                }
            } else if by_cookie.status == StatusCode::NO_CONTENT {
                visitors.app.sql("UPDATE auth_session SET ended_at = NULL WHERE ended_at = (SELECT max(ended_at) FROM auth_session)").await;
            }
            if by_cookie.status.as_u16() != expected[kind] {
                faults.push(format!(
                    "{method} {path} of {name}: {} instead of {}: {}",
                    by_cookie.status, expected[kind], by_cookie.body
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn every_page_is_for_whom_it_is_for() {
    let visitors = Visitors::new().await;
    visitors.app.pass(-45);
    let mut faults = Vec::new();
    for (kind, name) in KINDS
        .iter()
        .enumerate()
        .filter(|(_, name)| **name != "ended")
    {
        let (browser, own) = &visitors.browsers[kind];
        for (path, expected) in PAGES {
            let page = browser
                .clone()
                .call(Method::GET, &visitors.fill(path, own), &[], "")
                .await;
            if page.status.as_u16() != expected[kind]
                || (page.status == StatusCode::SEE_OTHER
                    && !page.location().unwrap().starts_with("/login?return_to="))
            {
                faults.push(format!(
                    "{path} of {name}: {} {:?} instead of {}",
                    page.status,
                    page.location(),
                    expected[kind]
                ));
            }
            let is_told =
                page.status == StatusCode::FORBIDDEN && page.body.contains("other@example.org");
            if is_told {
                faults.push(format!("{path} tells {name} about somebody"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn every_form_asks_again_who_sends_it() {
    let visitors = Visitors::new().await;
    visitors.app.pass(-45);
    let mut faults = Vec::new();
    for (path, fields, expected) in FORMS {
        for (kind, name) in KINDS
            .iter()
            .enumerate()
            .filter(|(_, name)| **name != "ended")
        {
            let (browser, own) = &visitors.browsers[kind];
            let fields: Vec<(&str, String)> = fields
                .iter()
                .map(|(field, value)| (*field, visitors.fill(value, own)))
                .collect();
            let fields: Vec<(&str, &str)> = fields
                .iter()
                .map(|(field, value)| (*field, value.as_str()))
                .collect();
            let page = browser.clone().post_form(path, &fields).await;
            if page.status.as_u16() != expected[kind] {
                faults.push(format!(
                    "{path} {fields:?} of {name}: {} instead of {}",
                    page.status, expected[kind]
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
