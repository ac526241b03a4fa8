//! Access to every page, by GET and by POST, for every kind of user, from the declarations in
//! `app::paths` (SR-002, SR-140).

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use mediamanager_auth::{
    app::paths::{self, Access, Page as Declared},
    domain::ReturnTo,
    server::flows::users::Role,
};

use crate::support::{App, Browser, PASSWORD, Page};

/// Outcome of opening a page.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Login,
    Reauthentication,
    LandingPage,
    Forbidden,
    /// The page itself, or an error that it declares.
    Open,
}

/// A kind of user, and the access rules that admit it.
struct Viewer {
    name: &'static str,
    browser: Browser,
    is_signed_in: bool,
    is_admin: bool,
}

async fn viewers(app: &App) -> Vec<Viewer> {
    app.user("admin@example.org", Role::Administrator).await;
    app.user("withdrawn@example.org", Role::Administrator).await;
    app.member("member@example.org").await;
    app.member("disabled@example.org").await;
    app.member("ended@example.org").await;
    app.user("pending@example.org", Role::Pending).await;
    let mut viewers = vec![Viewer {
        name: "nobody",
        browser: app.browser(),
        is_signed_in: false,
        is_admin: false,
    }];
    for (name, is_signed_in, is_admin) in [
        ("pending", true, false),
        ("member", true, false),
        ("admin", true, true),
        ("withdrawn", true, false),
        ("disabled", false, false),
        ("ended", false, false),
    ] {
        let mut browser = app.browser();
        browser
            .log_in(&format!("{name}@example.org"), PASSWORD)
            .await;
        viewers.push(Viewer {
            name,
            browser,
            is_signed_in,
            is_admin,
        });
    }
    app.sql("UPDATE \"user\" SET is_verified = false WHERE email = 'withdrawn@example.org'")
        .await;
    app.sql("UPDATE \"user\" SET is_active = false WHERE email = 'disabled@example.org'")
        .await;
    app.sql("UPDATE auth_session SET ended_at = 1 WHERE user_id = (SELECT id FROM \"user\" WHERE email = 'ended@example.org')").await;
    viewers
}

fn path_of(page: &Declared) -> String {
    page.path
        .replace("{id}", "00000000-0000-4000-8000-000000000000")
        .replace("{page}", "signup")
}

fn outcome(page: &Page) -> Outcome {
    let location = page.header("location").unwrap_or_default();
    let leads_to =
        |page: &Declared| location == page.path || location.starts_with(&format!("{}?", page.path));
    match page.status {
        StatusCode::SEE_OTHER
            if location == paths::LOGIN.path || location.starts_with("/login?return_to=") =>
        {
            Outcome::Login
        }
        StatusCode::SEE_OTHER if leads_to(&paths::REAUTHENTICATE) => Outcome::Reauthentication,
        StatusCode::SEE_OTHER
            if [&paths::ACCOUNT, &paths::PENDING_APPROVAL]
                .into_iter()
                .any(leads_to) =>
        {
            Outcome::LandingPage
        }
        StatusCode::UNAUTHORIZED => Outcome::Login,
        StatusCode::FORBIDDEN => Outcome::Forbidden,
        _ => Outcome::Open,
    }
}

fn expected(access: Access, viewer: &Viewer, is_recent: bool) -> Outcome {
    match access {
        Access::SignedOutOnly if viewer.is_signed_in => Outcome::LandingPage,
        Access::Public | Access::SignedOutOnly => Outcome::Open,
        _ if !viewer.is_signed_in => Outcome::Login,
        Access::RecentLogin if !is_recent => Outcome::Reauthentication,
        Access::Admin | Access::RecentAdmin if !viewer.is_admin => Outcome::Forbidden,
        Access::RecentAdmin if !is_recent => Outcome::Reauthentication,
        Access::SignedIn | Access::RecentLogin | Access::Admin | Access::RecentAdmin => {
            Outcome::Open
        }
    }
}

/// Pages that redirect; the access rules of the target apply.
const REDIRECTS: [&Declared; 5] = [
    &paths::INDEX,
    &paths::OIDC_ERROR,
    &paths::CHANGE_PASSWORD_URL,
    &paths::LEGACY_LOGIN,
    &paths::LEGACY_LOGIN_PAGE,
];

#[tokio::test]
async fn every_page_opens_for_those_it_declares_and_nobody_else() {
    let app = App::with("policy.registration = true").await;
    for mut viewer in viewers(&app).await {
        for (seconds, is_recent) in [(0, true), (301, false)] {
            app.pass(seconds);
            for page in paths::ALL
                .into_iter()
                .filter(|page| !REDIRECTS.contains(page) && **page != paths::PENDING_APPROVAL)
            {
                let request = viewer
                    .browser
                    .request(Method::GET, &path_of(page))
                    .body(Body::empty())
                    .unwrap();
                let answer = viewer.browser.send(request).await;
                assert_eq!(
                    outcome(&answer),
                    expected(page.access, &viewer, is_recent),
                    "{} at {}: {}",
                    viewer.name,
                    page.path,
                    answer.status
                );
            }
            app.pass(-seconds);
        }
    }
}

#[tokio::test]
async fn a_form_is_refused_to_those_who_may_not_open_its_page() {
    let app = App::with("policy.registration = true").await;
    for mut viewer in viewers(&app).await {
        let closed = paths::ALL.into_iter().filter(|page| {
            matches!(
                page.access,
                Access::SignedIn | Access::RecentLogin | Access::Admin | Access::RecentAdmin
            )
        });
        for page in closed {
            let answer = viewer.browser.post_form(&path_of(page), &[]).await;
            let is_refused = matches!(outcome(&answer), Outcome::Login | Outcome::Forbidden);
            let may_open = viewer.is_signed_in
                && (viewer.is_admin || !matches!(page.access, Access::Admin | Access::RecentAdmin));
            assert!(
                may_open || is_refused,
                "{} posts to {}: {}",
                viewer.name,
                page.path,
                answer.status
            );
        }
    }
}

#[tokio::test]
async fn a_bearer_token_opens_no_page() {
    let app = App::new().await;
    app.user("admin@example.org", Role::Administrator).await;
    let mut browser = app.browser();
    browser.log_in("admin@example.org", PASSWORD).await;
    let token = format!("Bearer {}", browser.cookie("fastapiusersauth").unwrap());
    for page in paths::ALL.into_iter().filter(|page| {
        matches!(
            page.access,
            Access::SignedIn | Access::RecentLogin | Access::Admin | Access::RecentAdmin
        )
    }) {
        let answer = app
            .browser()
            .call(
                Method::GET,
                &path_of(page),
                &[("authorization", &token)],
                "",
            )
            .await;
        assert_eq!(outcome(&answer), Outcome::Login, "{}", page.path);
    }
}

#[test]
fn a_login_returns_to_the_pages_of_somebody_who_is_logged_in_and_to_no_other() {
    for page in paths::ALL
        .into_iter()
        .filter(|page| **page != paths::INDEX && !page.path.starts_with("/web/"))
    {
        let is_destination = matches!(
            page.access,
            Access::SignedIn | Access::RecentLogin | Access::Admin | Access::RecentAdmin
        ) && *page != paths::PENDING_APPROVAL;
        assert_eq!(
            ReturnTo::parse(&path_of(page)).is_some(),
            is_destination || *page == paths::LINK_START,
            "{}",
            page.path
        );
    }
}
