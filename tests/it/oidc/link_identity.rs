//! Linking and unlinking an identity of the provider (SR-058, SR-076).

use axum::{
    http::{Method, StatusCode},
    response::IntoResponse,
};
use mediamanager_auth::{
    domain::{Email, User},
    server::db,
};

use crate::support::{
    Account, App, Browser, Household, PASSWORD, Page, app_with_provider::call_back,
};

mod session_binding;
mod unlink;

const START: &str = "/account/connect/start";
const ASKED: &str = "link-request";

/// Ada, a member with a password, and her account at the provider, which has another address.
async fn ada() -> (Household, Browser, Account) {
    let home = Household::new().await;
    home.app.member("ada@example.org").await;
    let browser = logged_in(&home.app, "ada@example.org").await;
    (home, browser, theirs())
}

fn theirs() -> Account {
    Account::confirmed("ada@elsewhere.example")
}

async fn logged_in(app: &App, email: &str) -> Browser {
    let mut browser = app.browser();
    assert_eq!(browser.log_in(email, PASSWORD).await.path, "/account");
    browser
}

/// Submits the form that requests the link.
async fn say(browser: &mut Browser) {
    let page = browser.get("/account/connect").await;
    assert_eq!(page.heading(), "Connect Über ID 100%");
    assert_eq!(
        browser.submit(&page, "Go to Über ID 100%", &[]).await.path,
        "/account/connect/go"
    );
}

/// Starts the login; returns the authorization URL.
async fn set_out(browser: &mut Browser) -> String {
    let answer = browser.call(Method::GET, START, &[], "").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    answer.location().unwrap()
}

/// Submits the form and starts the login; returns the URL of the callback.
async fn under_way(home: &Household, browser: &mut Browser, account: &Account) -> String {
    say(browser).await;
    home.provider.answer(&set_out(browser).await, account)
}

async fn connect(home: &Household, browser: &mut Browser, account: &Account) {
    let back = under_way(home, browser, account).await;
    assert_eq!(
        browser.get(&back).await.path,
        "/account?notice=provider_linked"
    );
}

async fn disconnect(browser: &mut Browser) -> Page {
    let page = browser.get("/account").await;
    let link = page
        .attribute("a[href^='/account/disconnect']", "href")
        .unwrap_or_else(|| panic!("nothing to disconnect: {}", page.body));
    let page = browser.get(&link).await;
    assert_eq!(page.heading(), "Disconnect Über ID 100%");
    browser.submit(&page, "Disconnect Über ID 100%", &[]).await
}

async fn user(home: &Household, email: &str) -> User {
    db::users::find_by_email(&home.app.state.db, &Email::parse(email).unwrap())
        .await
        .unwrap()
        .unwrap()
        .user
}

/// The number of identities of a user.
async fn connected(home: &Household, email: &str) -> usize {
    db::identities::list_for_user(&home.app.state.db, user(home, email).await.id)
        .await
        .unwrap()
        .len()
}

/// Asserts an error page with this code.
fn is_refused(page: &Page, status: u16, code: &str) {
    assert_eq!(page.status.as_u16(), status, "{}", page.body);
    assert!(
        page.text(".reference")
            .unwrap()
            .ends_with(&format!("({code})")),
        "{:?}",
        page.text(".reference")
    );
}

#[tokio::test]
async fn an_account_at_the_provider_becomes_another_way_in_and_stops_being_one() {
    let (home, mut ada, theirs) = ada().await;
    let before = ada.cookie("fastapiusersauth").unwrap().to_owned();
    say(&mut ada).await;
    let page = ada.get("/account/connect/go").await;
    assert_eq!(
        (
            page.text("a.button").as_deref(),
            page.attribute("a.button", "href").as_deref()
        ),
        (Some("Continue with Über ID 100%"), Some(START))
    );
    assert_eq!(
        page.attribute("meta[http-equiv=refresh]", "content")
            .as_deref(),
        Some("0;url=/account/connect/start")
    );
    let back = home.provider.answer(&set_out(&mut ada).await, &theirs);
    let page = ada.get(&back).await;
    assert_eq!(
        page.text("[role=status]").as_deref(),
        Some("Your account at the provider is connected.")
    );
    assert!(
        page.text("main")
            .unwrap()
            .contains("Über ID 100%, ada@elsewhere.example."),
        "{}",
        page.body
    );
    assert!(
        page.text("a[href='/account/connect']").is_none(),
        "there is nothing more to connect"
    );
    assert_eq!(
        ada.cookie("fastapiusersauth"),
        Some(before.as_str()),
        "nobody was logged in by it"
    );
    let page = home.log_in(&mut home.app.browser(), &theirs).await;
    assert!(
        page.text("dl.facts").unwrap().contains("ada@e"),
        "{}",
        page.body
    );
    assert_eq!(home.app.count("SELECT count(*) FROM \"user\"").await, 1);

    let page = disconnect(&mut ada).await;
    assert_eq!(
        (
            page.path.as_str(),
            connected(&home, &mail_of(&home).await).await
        ),
        ("/account?notice=provider_unlinked", 0)
    );
    assert_eq!(
        page.text("a[href='/account/connect']").as_deref(),
        Some("Connect Über ID 100%")
    );
}

/// Ada's address, which may have followed the provider's.
async fn mail_of(home: &Household) -> String {
    let is_the_old = home
        .app
        .count("SELECT count(*) FROM \"user\" WHERE email = 'ada@example.org'")
        .await
        == 1;
    if is_the_old {
        "ada@example.org".to_owned()
    } else {
        "ada@elsewhere.example".to_owned()
    }
}

#[tokio::test]
async fn a_link_alone_sets_out_for_nowhere() {
    let (home, mut ada, _) = ada().await;
    for path in [
        START,
        "/account/connect/start?user=x",
        "/account/connect/go",
    ] {
        let answer = ada.call(Method::GET, path, &[], "").await;
        assert!(
            answer
                .location()
                .is_none_or(|target| target == "/account/connect"),
            "{path}"
        );
        assert!(!answer.headers.contains_key("set-cookie"), "{path}");
    }
    let headers = [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let answer = ada
        .call(Method::POST, "/account/connect", &headers, "")
        .await;
    assert_eq!(
        (answer.status, ada.cookie(ASKED)),
        (StatusCode::FORBIDDEN, None),
        "nor does another site's form"
    );
    let mut nobody = home.app.browser();
    assert_eq!(
        nobody
            .call(Method::GET, START, &[], "")
            .await
            .location()
            .as_deref(),
        Some("/account/connect")
    );
    assert_eq!(
        nobody.get("/account/connect").await.path,
        "/login?return_to=%2Faccount%2Fconnect"
    );
    assert_eq!(
        nobody.post_form("/account/connect", &[]).await.status,
        StatusCode::UNAUTHORIZED
    );
    // A link request is single use.
    say(&mut ada).await;
    assert!(set_out(&mut ada).await.starts_with(home.provider.origin()));
    assert_eq!(set_out(&mut ada).await, "/account/connect");
}

#[tokio::test]
async fn ten_minutes_are_the_end_of_it() {
    let (home, mut ada, theirs) = ada().await;
    say(&mut ada).await;
    home.app.pass(600);
    assert_eq!(set_out(&mut ada).await, "/account/connect");
    // The ten minutes also count from the link request.
    for (before, after) in [(0, 600), (599, 1)] {
        let mut ada = logged_in(&home.app, "ada@example.org").await;
        say(&mut ada).await;
        home.app.pass(before);
        let back = home.provider.answer(&set_out(&mut ada).await, &theirs);
        home.app.pass(after);
        assert_ne!(
            call_back(&mut ada, &back).await.location().as_deref(),
            Some("/account?notice=provider_linked")
        );
        assert_eq!(
            connected(&home, "ada@example.org").await,
            0,
            "{before} and {after}"
        );
    }
}

#[tokio::test]
async fn an_answer_counts_once() {
    let (home, mut ada, theirs) = ada().await;
    let back = under_way(&home, &mut ada, &theirs).await;
    let mut copy = ada.clone();
    assert_eq!(ada.get(&back).await.path, "/account?notice=provider_linked");
    disconnect(&mut ada).await;
    assert_eq!(
        call_back(&mut ada, &back).await.location().as_deref(),
        Some("/account"),
        "the Back button is no error"
    );
    assert_eq!(
        call_back(&mut copy, &back).await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        connected(&home, "ada@example.org").await,
        0,
        "and connects nothing again"
    );
}

#[tokio::test]
async fn trying_again_after_a_refused_connection_connects_and_makes_no_second_account() {
    let (home, mut ada, theirs) = ada().await;
    let back = under_way(&home, &mut ada, &theirs).await;
    let (path, query) = back.split_once('?').unwrap();
    let state = query
        .split('&')
        .find(|pair| pair.starts_with("state="))
        .unwrap();
    let page = call_back(&mut ada, &format!("{path}?{state}&error=access_denied")).await;
    is_refused(&page, 403, "access_denied");
    assert_eq!(
        page.attribute("a.button", "href").as_deref(),
        Some("/account/connect")
    );
    assert!(
        page.attribute("a[href='/login']", "href").is_none()
            && page.attribute("a[href='/account']", "href").is_some(),
        "{}",
        page.body
    );
    assert_eq!(
        ada.get("/account/connect").await.heading(),
        "Connect Über ID 100%"
    );
    // The same if the login cannot start.
    say(&mut ada).await;
    home.provider
        .replace("/.well-known/openid-configuration", || {
            StatusCode::BAD_GATEWAY.into_response()
        });
    home.app.pass(61);
    let page = ada.call(Method::GET, START, &[], "").await;
    is_refused(&page, 503, "provider_unreachable");
    assert_eq!(
        page.attribute("a.button", "href").as_deref(),
        Some("/account/connect")
    );
    assert_eq!(home.app.count("SELECT count(*) FROM \"user\"").await, 1);
}

#[tokio::test]
async fn what_belongs_to_somebody_else_stays_theirs() {
    let (home, mut ada, theirs) = ada().await;
    home.app.member("eve@example.org").await;
    let mut eve = logged_in(&home.app, "eve@example.org").await;
    connect(&home, &mut eve, &theirs).await;
    let back = under_way(&home, &mut ada, &theirs).await;
    let page = call_back(&mut ada, &back).await;
    is_refused(&page, 403, "identity_already_linked");
    assert!(
        !page.body.contains("eve@"),
        "whose it is, is nobody's business: {}",
        page.body
    );
    assert_eq!(
        (
            connected(&home, "ada@example.org").await,
            connected(&home, "eve@example.org").await
        ),
        (0, 1)
    );
    assert_eq!(
        ada.get("/account").await.path,
        "/account",
        "still logged in, as before"
    );
    // Linking the same identity to the same account again succeeds.
    let back = under_way(&home, &mut eve, &theirs).await;
    assert_eq!(eve.get(&back).await.path, "/account?notice=provider_linked");
    assert_eq!(connected(&home, "eve@example.org").await, 1);
}
