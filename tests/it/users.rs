//! The administrators' pages of users (SR-140, SR-146).

use axum::http::{Method, StatusCode};
use mediamanager_auth::{domain::User, server::flows::users::Role};
use scraper::{Html, Selector};

use crate::support::{App, Browser, PASSWORD, Page};

mod access;
mod actions;
mod admin_emails;
mod details;
mod invite;
mod list;
mod recent_login;

async fn logged_in(app: &App, email: &str) -> Browser {
    let mut browser = app.browser();
    assert!(browser.log_in(email, PASSWORD).await.status.is_success());
    browser
}

/// Ada, an administrator, in a browser; and Bob, a member.
async fn household(toml: &str) -> (App, Browser, User, User) {
    let app = App::with(toml).await;
    let ada = app.user("ada@example.org", Role::Administrator).await;
    let bob = app.member("bob@example.org").await;
    let browser = logged_in(&app, "ada@example.org").await;
    (app, browser, ada, bob)
}

fn path_of(user: &User) -> String {
    format!("/users/{}", user.id)
}

/// Performs an action as an administrator does: from the list of actions, through the confirmation
/// page.
async fn act(admin: &mut Browser, user: &User, verb: &str) -> Page {
    let page = admin.get(&path_of(user)).await;
    let link = texts(&page, ".card a")
        .into_iter()
        .zip(attributes(&page, ".card a", "href"))
        .find(|(text, _)| text == verb);
    let page = admin
        .get(
            &link
                .unwrap_or_else(|| panic!("no way to {verb:?}: {}", page.body))
                .1,
        )
        .await;
    assert_eq!(page.heading(), format!("{verb}?"));
    admin.submit(&page, verb, &[]).await
}

/// Submits the form of a page that was opened before.
async fn post(admin: &mut Browser, user: &User, action: &str) -> Page {
    let id = user.id.to_string();
    admin
        .post_form(
            &format!("/users/change?id={id}&action={action}"),
            &[("id", &id), ("action", action)],
        )
        .await
}

async fn is_in(browser: &Browser) -> bool {
    browser
        .clone()
        .call(Method::GET, "/api/v1/users/me", &[], "")
        .await
        .status
        == StatusCode::OK
}

fn texts(page: &Page, selector: &str) -> Vec<String> {
    let html = Html::parse_document(&page.body);
    let fold = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    html.select(&Selector::parse(selector).unwrap())
        .map(|element| fold(element.text().collect()))
        .collect()
}

fn attributes(page: &Page, selector: &str, name: &str) -> Vec<String> {
    let html = Html::parse_document(&page.body);
    html.select(&Selector::parse(selector).unwrap())
        .map(|element| element.attr(name).unwrap().to_owned())
        .collect()
}

/// The addresses in the list.
fn listed(page: &Page) -> Vec<String> {
    assert_eq!(page.status, StatusCode::OK);
    texts(page, "tbody th")
}

/// The value beside a label on the page of a user.
fn fact(page: &Page, word: &str) -> String {
    let place = texts(page, "dl.facts dt")
        .iter()
        .position(|term| term == word);
    texts(page, "dl.facts dd").remove(place.unwrap_or_else(|| panic!("no {word}: {}", page.body)))
}

async fn search(admin: &mut Browser, text: &str, which: &str) -> Page {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("q", text)
        .append_pair("which", which)
        .finish();
    admin.get(&format!("/users?{query}")).await
}
