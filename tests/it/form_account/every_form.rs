//! Every form of every page, as rendered: it carries the account that it was rendered for, and acts
//! for no other. The pages are those of `paths::ALL`, so a new page without a line here fails.

use axum::http::{Method, StatusCode};
use mediamanager_auth::{
    app::paths::{self, Access},
    server::flows::users::Role,
};
use scraper::{ElementRef, Html, Selector};

use super::{FIELD, find, is_refused, logged_in, switch, traces};
use crate::support::{Account, Browser, Household, Page, SMTP};

/// A form of a page: where it is sent to, and its fields, filled in.
struct Form {
    page: String,
    action: String,
    fields: Vec<(String, String)>,
}

/// How a page is opened. `None` for pages that only redirect.
fn visits(pattern: &str, ids: &Ids) -> Option<Vec<String>> {
    let each_action = || {
        [
            "approve",
            "disable",
            "enable",
            "make-administrator",
            "make-member",
            "end-sessions",
            "create-reset-link",
            "delete",
        ]
        .iter()
        .flat_map(|action| {
            [&ids.member, &ids.pending].map(|id| format!("/users/change?id={id}&action={action}"))
        })
        .collect()
    };
    let visits = match pattern {
        "/" | "/login/oidc" | "/login/provider" | "/.well-known/change-password" => return None,
        "/account/connect/start" | "/web/login" | "/web/login/{page}" => return None,
        "/web/login/reset-password" => return None,
        "/account/disconnect" => vec![format!("/account/disconnect?identity={}", ids.identity)],
        "/users/{id}" => vec![
            format!("/users/{}", ids.member),
            format!("/users/{}", ids.pending),
        ],
        "/users/change" => each_action(),
        "/users/address" => vec![format!("/users/address?id={}", ids.member)],
        "/setup" => vec!["/setup?token=x".to_owned()],
        "/login"
        | "/logout"
        | "/login/signup"
        | "/login/forgot-password"
        | "/login/reset-password"
        | "/login/connect"
        | "/login/verify"
        | "/account"
        | "/account/confirm"
        | "/account/address"
        | "/account/new-address"
        | "/account/password"
        | "/account/connect"
        | "/account/connect/go"
        | "/account/delete"
        | "/account/log-in-again"
        | "/users"
        | "/users/new"
        | "/users/link"
        | "/users/events"
        | "/users/check" => vec![pattern.to_owned()],
        other => panic!("say here how {other} is opened, so that its forms are tried"),
    };
    Some(visits)
}

struct Ids {
    member: String,
    pending: String,
    identity: String,
}

/// Ada and Bob administer; Ada has a provider's account and three sessions.
async fn household() -> (Household, Browser, Ids) {
    let home = Household::with(&format!("auth.email_password_resets = true\n{SMTP}")).await;
    for email in ["ada@example.org", "bob@example.org"] {
        home.app.user(email, Role::Administrator).await;
    }
    let member = home.app.member("eve@example.org").await;
    let pending = home.app.user("will@example.org", Role::Pending).await;
    logged_in(&home.app, "eve@example.org").await;
    let mut ada = logged_in(&home.app, "ada@example.org").await;
    home.link(&mut ada, &Account::confirmed("ada@elsewhere.example"))
        .await;
    // Two sessions more, for the buttons that end them.
    logged_in(&home.app, "ada@example.org").await;
    let link = ada
        .get("/account")
        .await
        .attribute("a[href^='/account/disconnect']", "href")
        .unwrap();
    let ids = Ids {
        member: member.id.to_string(),
        pending: pending.id.to_string(),
        identity: link.split_once('=').unwrap().1.to_owned(),
    };
    (home, ada, ids)
}

/// The forms of a page that post, filled in as somebody would.
fn forms(page: &Page) -> Vec<Form> {
    let html = Html::parse_document(&page.body);
    let (forms, inputs) = (
        Selector::parse("form").unwrap(),
        Selector::parse("input, select, textarea, button[name]").unwrap(),
    );
    let filled = |input: ElementRef<'_>| {
        let name = input.attr("name")?.to_owned();
        let value = input.attr("value").unwrap_or_default();
        let value = match (name.as_str(), input.attr("type")) {
            ("email", _) if value.is_empty() => "new@example.org",
            ("password", _) => "copper lantern meadow 4",
            _ => value,
        };
        Some((name, value.to_owned()))
    };
    html.select(&forms)
        .filter(|form| form.attr("method") != Some("get"))
        .map(|form| {
            assert_eq!(form.attr("method"), Some("post"), "{}", page.path);
            Form {
                page: page.path.clone(),
                action: form.attr("action").unwrap().to_owned(),
                fields: form.select(&inputs).filter_map(filled).collect(),
            }
        })
        .collect()
}

/// Every form that Ada meets, each once.
async fn all_forms(ada: &mut Browser, ids: &Ids) -> Vec<Form> {
    let mut found: Vec<Form> = Vec::new();
    for page in paths::ALL {
        for path in visits(page.path, ids).unwrap_or_default() {
            let opened = ada.get(&path).await;
            let is_shown = opened.status.is_success() && opened.path == path;
            let needs_login = !matches!(page.access, Access::Public | Access::SignedOutOnly);
            assert!(
                is_shown || !needs_login || ["/users/link", "/login/verify"].contains(&&*path),
                "{path}: {} {}",
                opened.status,
                opened.path
            );
            found.extend(forms(&opened));
        }
    }
    found
}

async fn send(browser: &mut Browser, form: &Form) -> Page {
    let fields: Vec<_> = form
        .fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    browser.post_exactly(&form.action, &fields).await
}

#[tokio::test]
async fn no_form_that_one_person_has_opened_acts_for_another() {
    let (home, mut ada, ids) = household().await;
    let forms = all_forms(&mut ada, &ids).await;
    let kinds: std::collections::BTreeSet<&str> = forms
        .iter()
        .map(|form| form.action.split('?').next().unwrap())
        .collect();
    switch(&mut ada, "bob@example.org").await;
    let before = traces(&home.app).await;
    let mut refused = std::collections::BTreeSet::new();
    for form in &forms {
        let path = form.action.split('?').next().unwrap();
        let page = paths::find(path).unwrap_or_else(|| panic!("{path} is no page"));
        if matches!(page.access, Access::Public | Access::SignedOutOnly) {
            // These act for whoever fills them in: there is no account that they are about.
            assert!(
                [
                    "/login",
                    "/logout",
                    "/login/signup",
                    "/login/forgot-password"
                ]
                .contains(&path),
                "{}: the form for {path} acts for nobody in particular",
                form.page
            );
            continue;
        }
        let answer = send(&mut ada, form).await;
        is_refused(&answer, "bob@example.org");
        assert_eq!(
            traces(&home.app).await,
            before,
            "{}: the form for {}",
            form.page,
            form.action
        );
        refused.insert(path);
    }
    assert!(refused.len() >= 12, "{refused:?} of {kinds:?}");
    for email in ["ada@example.org", "bob@example.org", "eve@example.org"] {
        assert!(
            find(&home.app, email)
                .await
                .is_some_and(|user| user.is_active)
        );
        logged_in(&home.app, email).await;
    }
}

/// The same without any page: a server function of a page for somebody who is logged in takes no
/// form that does not say for whom.
#[tokio::test]
async fn no_endpoint_acts_without_the_account_of_a_form() {
    let (home, mut ada, _) = household().await;
    let before = traces(&home.app).await;
    let mut tried = 0;
    for (path, method) in leptos::server_fn::axum::server_fn_paths() {
        let page = paths::find(path).unwrap_or_else(|| panic!("{path} is no page"));
        if method != Method::POST || matches!(page.access, Access::Public | Access::SignedOutOnly) {
            continue;
        }
        for fields in [&[][..], &[("account", "")]] {
            let answer = ada.post_exactly(path, fields).await;
            assert_eq!(answer.status, StatusCode::CONFLICT, "{path}");
        }
        tried += 1;
    }
    assert!(tried >= 12, "{tried} endpoints");
    assert_eq!(traces(&home.app).await, before);
    assert_eq!(ada.get("/account").await.path, "/account");
}

/// The field of a form is the page's, whichever session it was opened in; that of somebody else is
/// none of theirs.
#[tokio::test]
async fn the_owner_of_a_form_may_still_send_it() {
    let (home, mut ada, ids) = household().await;
    let form = ada.get("/users/new").await;
    assert!(form.attribute(FIELD, "value").is_some());
    switch(&mut ada, "ada@example.org").await;
    let page = ada
        .submit(&form, "Create user", &[("email", "new@example.org")])
        .await;
    assert!(page.path.starts_with("/users/"), "{}", page.path);
    assert!(find(&home.app, "new@example.org").await.is_some());
    let page = ada
        .get(&format!("/users/change?id={}&action=disable", ids.member))
        .await;
    switch(&mut ada, "ada@example.org").await;
    ada.submit(&page, "Disable", &[]).await;
    assert!(
        find(&home.app, "eve@example.org")
            .await
            .is_some_and(|user| !user.is_active)
    );
}
