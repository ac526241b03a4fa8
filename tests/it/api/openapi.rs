//! The description of the contract, and every route for every kind of visitor.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use mediamanager_auth::server::flows::users::Role;
use serde_json::Value;

use crate::support::{App, Browser, PASSWORD};

/// Every route of the contract, and what it answers to: nobody, somebody who waits, a member, an
/// administrator, somebody disabled, an ended session, a session that was revoked, and an
/// administrator whose approval was withdrawn. The requests change nothing that another one needs.
const ROUTES: [(&str, &str, &str, [u16; 8]); 29] = [
    (
        "POST",
        "/auth/cookie/login",
        "{}",
        [422, 422, 422, 422, 422, 422, 422, 422],
    ),
    (
        "POST",
        "/auth/jwt/login",
        "{}",
        [422, 422, 422, 422, 422, 422, 422, 422],
    ),
    (
        "GET",
        "/auth/metadata",
        "",
        [200, 200, 200, 200, 200, 200, 200, 200],
    ),
    (
        "POST",
        "/auth/register",
        "{}",
        [422, 422, 422, 422, 422, 422, 422, 422],
    ),
    (
        "POST",
        "/auth/forgot-password",
        r#"{"email":"x@y"}"#,
        [202, 202, 202, 202, 202, 202, 202, 202],
    ),
    (
        "POST",
        "/auth/reset-password",
        r#"{"token":"x","password":"y"}"#,
        [400, 400, 400, 400, 400, 400, 400, 400],
    ),
    (
        "POST",
        "/auth/request-verify-token",
        r#"{"email":"x@y"}"#,
        [202, 202, 202, 202, 202, 202, 202, 202],
    ),
    (
        "POST",
        "/auth/verify",
        r#"{"token":"x"}"#,
        [401, 400, 400, 400, 401, 401, 401, 400],
    ),
    (
        "GET",
        "/auth/cookie/OpenID/authorize",
        "",
        [404, 404, 404, 404, 404, 404, 404, 404],
    ),
    (
        "GET",
        "/auth/cookie/OpenID/callback",
        "",
        [404, 404, 404, 404, 404, 404, 404, 404],
    ),
    (
        "GET",
        "/auth/oauth/authorize",
        "",
        [404, 404, 404, 404, 404, 404, 404, 404],
    ),
    (
        "GET",
        "/auth/oauth/callback",
        "",
        [404, 404, 404, 404, 404, 404, 404, 404],
    ),
    (
        "POST",
        "/auth/oidc/backchannel-logout",
        "",
        [404, 404, 404, 404, 404, 404, 404, 404],
    ),
    (
        "GET",
        "/openapi.json",
        "",
        [200, 200, 200, 200, 200, 200, 200, 200],
    ),
    (
        "GET",
        "/users/me",
        "",
        [401, 200, 200, 200, 401, 401, 401, 200],
    ),
    (
        "PATCH",
        "/users/me",
        "{}",
        [401, 200, 200, 200, 401, 401, 401, 200],
    ),
    (
        "PATCH",
        "/users/me",
        "{",
        [422, 422, 422, 422, 422, 422, 422, 422],
    ),
    (
        "PATCH",
        "/users/me",
        r#"{"is_superuser":true,"is_verified":true}"#,
        [401, 200, 200, 200, 401, 401, 401, 200],
    ),
    (
        "DELETE",
        "/users/me",
        "",
        [401, 403, 403, 404, 401, 401, 401, 403],
    ),
    (
        "GET",
        "/users/all",
        "",
        [401, 403, 403, 200, 401, 401, 401, 403],
    ),
    (
        "GET",
        "/users/{other}",
        "",
        [401, 403, 403, 200, 401, 401, 401, 403],
    ),
    (
        "GET",
        "/users/{self}",
        "",
        [401, 403, 403, 200, 401, 401, 401, 403],
    ),
    (
        "GET",
        "/users/{nobody}",
        "",
        [401, 403, 403, 404, 401, 401, 401, 403],
    ),
    (
        "PATCH",
        "/users/{other}",
        r#"{"is_verified":true}"#,
        [401, 403, 403, 200, 401, 401, 401, 403],
    ),
    (
        "PATCH",
        "/users/{self}",
        r#"{"is_superuser":true}"#,
        [401, 403, 403, 200, 401, 401, 401, 403],
    ),
    (
        "PATCH",
        "/users/{nobody}",
        "{}",
        [401, 403, 403, 404, 401, 401, 401, 403],
    ),
    (
        "DELETE",
        "/users/{nobody}",
        "",
        [401, 403, 403, 404, 401, 401, 401, 403],
    ),
    (
        "POST",
        "/auth/cookie/logout",
        "",
        [401, 204, 204, 204, 401, 401, 401, 204],
    ),
    (
        "POST",
        "/auth/jwt/logout",
        "",
        [401, 204, 204, 204, 401, 401, 401, 204],
    ),
];

/// The pages, and where or with what a `GET` of each kind of visitor ends; 303 is the way to the
/// login page.
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

/// What a form of somebody else's is answered with.
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

/// One browser of each kind, with the id of its person, and somebody they may wish to know about.
struct Visitors {
    app: App,
    browsers: Vec<(Browser, String)>,
    other: String,
}

impl Visitors {
    async fn new() -> Self {
        // The ended session is a minute older than the others.
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
        // As if in another browser: this one keeps its cookie.
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
            // What a log-out ended is not asked for again.
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

#[tokio::test]
async fn the_description_is_of_the_routes_that_there_are() {
    let app = App::new().await;
    let page = app.browser().get("/api/v1/openapi.json").await;
    let description = page.json();
    assert_eq!(
        (page.header("content-type"), description["openapi"].as_str()),
        (Some("application/json"), Some("3.1.0"))
    );
    let described: BTreeMap<String, Vec<String>> = description["paths"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(path, methods)| {
            (
                path.strip_prefix("/api/v1").unwrap().to_owned(),
                methods
                    .as_object()
                    .unwrap()
                    .keys()
                    .map(|method| method.to_uppercase())
                    .collect(),
            )
        })
        .collect();
    let tested = |method: &str, path: &str| {
        ROUTES
            .iter()
            .any(|(known, route, ..)| *known == method && fits(path, route))
    };
    for (path, methods) in &described {
        let filled = path
            .replace("{id}", "00000000-0000-4000-8000-000000000000")
            .replace("{name}", "OpenID");
        for method in methods {
            assert!(
                tested(method, path),
                "{method} {path} is not in the table above"
            );
            let page = app
                .browser()
                .call(
                    Method::from_bytes(method.as_bytes()).unwrap(),
                    &format!("/api/v1{filled}"),
                    &[("sec-fetch-site", "same-origin")],
                    "",
                )
                .await;
            assert_ne!(
                page.status,
                StatusCode::METHOD_NOT_ALLOWED,
                "{method} {path}"
            );
        }
        let page = app
            .browser()
            .call(Method::OPTIONS, &format!("/api/v1{filled}"), &[], "")
            .await;
        let mut allowed: Vec<&str> = page
            .header("allow")
            .unwrap_or_default()
            .split(',')
            .filter(|method| !method.is_empty() && *method != "HEAD")
            .collect();
        allowed.sort_unstable();
        let mut methods: Vec<&str> = methods.iter().map(String::as_str).collect();
        methods.sort_unstable();
        assert_eq!(
            allowed, methods,
            "{path} answers to what is described and nothing else"
        );
    }
    for (method, route, ..) in ROUTES.iter().filter(|(method, ..)| *method != "DELETE") {
        assert!(
            described
                .iter()
                .any(|(path, methods)| fits(path, route)
                    && methods.iter().any(|known| known == method)),
            "{method} {route} is not described"
        );
    }
    let user = &description["components"]["schemas"]["User"]["properties"];
    assert_eq!(
        user.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["email", "id", "is_active", "is_superuser", "is_verified"]
    );
    assert_ne!(
        description["paths"]["/api/v1/users/{id}"]["patch"]["responses"]["409"],
        Value::Null
    );
}

/// Whether a route of the table is this one of the description.
fn fits(described: &str, route: &str) -> bool {
    let route = route
        .replace("OpenID", "{name}")
        .replace("{other}", "{id}")
        .replace("{self}", "{id}")
        .replace("{nobody}", "{id}");
    described == route
}
