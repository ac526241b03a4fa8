//! Connecting an account at the provider with one's own, and disconnecting it (SR-058, SR-076).

use crate::support::{
    Account, App, Browser, Household, PASSWORD, Page, app_with_provider::call_back,
};
use axum::{
    http::{Method, StatusCode},
    response::IntoResponse,
};
use mediamanager_auth::{
    domain::{Email, User},
    server::{crypto::random, db},
};

const START: &str = "/account/connect/start";
const ASKED: &str = "link-request";

/// Ada, a member with a password, and what she has at the provider, under another address.
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

/// Says with the form that the account shall be connected.
async fn say(browser: &mut Browser) {
    let page = browser.get("/account/connect").await;
    assert_eq!(page.heading(), "Connect Über ID 100%");
    assert_eq!(
        browser.submit(&page, "Go to Über ID 100%", &[]).await.path,
        "/account/connect/go"
    );
}

/// Sets out; the address at the provider.
async fn set_out(browser: &mut Browser) -> String {
    let answer = browser.call(Method::GET, START, &[], "").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    answer.location().unwrap()
}

/// The form, the way there, and what the browser would bring back.
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

/// How many accounts at the provider belong to somebody.
async fn connected(home: &Household, email: &str) -> usize {
    db::identities::list_for_user(&home.app.state.db, user(home, email).await.id)
        .await
        .unwrap()
        .len()
}

/// A page that says why not.
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
    // What is asked for is asked for once.
    say(&mut ada).await;
    assert!(set_out(&mut ada).await.starts_with(home.provider.origin()));
    assert_eq!(set_out(&mut ada).await, "/account/connect");
}

#[tokio::test]
async fn what_another_session_has_said_does_not_count() {
    let (home, mut ada, _) = ada().await;
    home.app.member("eve@example.org").await;
    let (mut eve, mut elsewhere) = (
        logged_in(&home.app, "eve@example.org").await,
        logged_in(&home.app, "ada@example.org").await,
    );
    say(&mut eve).await;
    say(&mut elsewhere).await;
    for planted in [
        eve.cookie(ASKED).unwrap(),
        elsewhere.cookie(ASKED).unwrap(),
        "nonsense",
        "",
    ] {
        ada.set_cookie(ASKED, planted);
        assert_eq!(set_out(&mut ada).await, "/account/connect");
    }
    assert!(
        ada.cookie_names()
            .all(|name| !name.starts_with("oidc-attempt-"))
    );
}

#[tokio::test]
async fn an_answer_that_comes_back_to_nobody_connects_nothing() {
    let (home, mut ada, theirs) = ada().await;
    let back = under_way(&home, &mut ada, &theirs).await;
    ada.post_form("/logout", &[]).await;
    is_refused(&call_back(&mut ada, &back).await, 400, "unknown_state");
    assert_eq!(
        (
            connected(&home, "ada@example.org").await,
            ada.cookie("fastapiusersauth")
        ),
        (0, None),
        "and nobody is logged in by it"
    );
    assert_eq!(
        home.app.count("SELECT count(*) FROM \"user\"").await,
        1,
        "nor is an account made"
    );
}

#[tokio::test]
async fn an_answer_in_another_browser_connects_nothing() {
    let (home, mut ada, theirs) = ada().await;
    home.app.member("eve@example.org").await;
    let back = under_way(&home, &mut ada, &theirs).await;
    // Eve has set out with her own account at the provider, and gives Ada's browser the answer;
    // then a stranger's.
    let mut victim = logged_in(&home.app, "eve@example.org").await;
    assert_eq!(
        call_back(&mut victim, &back).await.location().as_deref(),
        Some("/account")
    );
    is_refused(
        &call_back(&mut home.app.browser(), &back).await,
        400,
        "unknown_state",
    );
    // Another session of Ada's, even with all that the first browser carries.
    let handshake = ada
        .cookie_names()
        .find(|name| name.starts_with("oidc-attempt-"))
        .unwrap()
        .to_owned();
    let mut elsewhere = logged_in(&home.app, "ada@example.org").await;
    for browser in [&mut victim, &mut elsewhere] {
        browser.set_cookie(&handshake, ada.cookie(&handshake).unwrap());
        assert_ne!(
            call_back(browser, &back).await.location().as_deref(),
            Some("/account?notice=provider_linked")
        );
    }
    assert_eq!(
        (
            connected(&home, "ada@example.org").await,
            connected(&home, "eve@example.org").await
        ),
        (0, 0)
    );
}

#[tokio::test]
async fn an_answer_to_somebody_else_connects_nothing() {
    let (home, mut ada, theirs) = ada().await;
    home.app.member("eve@example.org").await;
    let back = under_way(&home, &mut ada, &theirs).await;
    // The same browser, but Eve has logged in meanwhile; and then Ada again, in another session.
    for email in ["eve@example.org", "ada@example.org"] {
        let mut browser = ada.clone();
        browser
            .post_form("/login", &[("email", email), ("password", PASSWORD)])
            .await;
        assert_eq!(
            call_back(&mut browser, &back).await.status,
            StatusCode::BAD_REQUEST,
            "{email} is told"
        );
        assert_eq!(connected(&home, email).await, 0, "{email}");
    }
}

#[tokio::test]
async fn ten_minutes_are_the_end_of_it() {
    let (home, mut ada, theirs) = ada().await;
    say(&mut ada).await;
    home.app.pass(600);
    assert_eq!(set_out(&mut ada).await, "/account/connect");
    // Counted from what was said, too.
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
    // The same when there is no setting out.
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
    // To oneself again is no harm.
    let back = under_way(&home, &mut eve, &theirs).await;
    assert_eq!(eve.get(&back).await.path, "/account?notice=provider_linked");
    assert_eq!(connected(&home, "eve@example.org").await, 1);
}

#[tokio::test]
async fn an_ordinary_login_never_connects_what_comes_back_with_whoever_is_logged_in() {
    let (home, mut ada, theirs) = ada().await;
    let before = ada.clone();
    // Somebody has put a link to the provider's login into Ada's browser, where she is logged in.
    let answer = ada.call(Method::GET, "/login/oidc", &[], "").await;
    let back = home.provider.answer(&answer.location().unwrap(), &theirs);
    let page = ada.get(&back).await;
    assert!(
        page.text("dl.facts")
            .unwrap()
            .contains("ada@elsewhere.example"),
        "an account of its own: {}",
        page.body
    );
    assert_eq!(
        (
            connected(&home, "ada@example.org").await,
            connected(&home, "ada@elsewhere.example").await
        ),
        (0, 1)
    );
    // Under her own address, but not confirmed, it takes her password.
    let mut ada = before;
    let answer = ada.call(Method::GET, "/login/oidc", &[], "").await;
    let back = home.provider.answer(
        &answer.location().unwrap(),
        &Account {
            subject: "eve".into(),
            ..Account::unconfirmed("ada@example.org")
        },
    );
    assert_eq!(
        ada.call(Method::GET, &back, &[], "")
            .await
            .location()
            .as_deref(),
        Some("/login/connect")
    );
    assert_eq!(connected(&home, "ada@example.org").await, 0);
}

#[tokio::test]
async fn the_last_way_in_stays_until_there_is_a_password() {
    let home = Household::new().await;
    let mut ada = home.app.browser();
    home.log_in(&mut ada, &theirs()).await;
    let page = disconnect(&mut ada).await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (StatusCode::CONFLICT, "Disconnect Über ID 100%")
    );
    assert_eq!(
        page.text("[role=alert]").as_deref(),
        Some("This is the only way into your account. Choose a password first.")
    );
    assert_eq!(connected(&home, "ada@elsewhere.example").await, 1);
    // An account at a provider of former times lets nobody in either.
    let former = "SELECT user_id AS id, user_id, 'https://former.example', subject, email, created_at, last_login_at FROM auth_identity";
    home.app
        .sql(&format!("INSERT INTO auth_identity {former}"))
        .await;
    assert_eq!(connected(&home, "ada@elsewhere.example").await, 2);
    assert_eq!(
        disconnect_known(&home, &mut ada).await.status,
        StatusCode::CONFLICT
    );

    let page = ada.get("/account").await;
    assert_eq!(
        page.text("a[href='/account/password']").as_deref(),
        Some("Choose a password")
    );
    let page = ada.get("/account/password").await;
    assert_eq!(
        ada.submit(&page, "Change password", &[("password", PASSWORD)])
            .await
            .path,
        "/account?notice=password_changed"
    );
    assert_eq!(
        disconnect_known(&home, &mut ada).await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        home.app
            .browser()
            .log_in("ada@elsewhere.example", PASSWORD)
            .await
            .path,
        "/account"
    );
}

#[tokio::test]
async fn whoever_came_in_by_what_is_disconnected_is_out() {
    let (home, mut ada, theirs) = ada().await;
    connect(&home, &mut ada, &theirs).await;
    let (mut thief, mut elsewhere) = (
        home.app.browser(),
        logged_in(&home.app, "ada@example.org").await,
    );
    home.log_in(&mut thief, &theirs).await;
    assert_eq!(
        disconnect(&mut ada).await.path,
        "/account?notice=provider_unlinked"
    );
    assert_eq!(
        thief.get("/account").await.path,
        "/login?return_to=%2Faccount"
    );
    assert_eq!(
        (
            ada.get("/account").await.path,
            elsewhere.get("/account").await.path
        ),
        ("/account".to_owned(), "/account".to_owned())
    );
    // Also if the session that asks came in by it.
    connect(&home, &mut ada, &theirs).await;
    let mut ada = home.app.browser();
    home.log_in(&mut ada, &theirs).await;
    assert_eq!(
        disconnect(&mut ada).await.path,
        "/account?notice=provider_unlinked"
    );
    assert_eq!(ada.get("/account").await.path, "/account");
}

/// Disconnects what the configured provider has made.
async fn disconnect_known(home: &Household, browser: &mut Browser) -> Page {
    let known = db::identities::list_for_user(
        &home.app.state.db,
        user(home, "ada@elsewhere.example").await.id,
    )
    .await
    .unwrap();
    let known = known
        .into_iter()
        .find(|known| known.issuer == home.provider.origin())
        .unwrap();
    let id = known.id.to_string();
    browser
        .post_form(
            &format!("/account/disconnect?identity={id}"),
            &[("identity", &id)],
        )
        .await
}

#[tokio::test]
async fn what_is_disconnected_does_not_come_back_by_mediamanagers_own_link() {
    let (home, mut ada, theirs) = ada().await;
    let link = "INSERT INTO oauth_account (id, user_id, oauth_name, access_token, account_id, account_email) SELECT id, id, 'Über ID 100%', 'x', 'subject-of-ada@elsewhere.example', 'a@b' FROM \"user\"";
    home.app.sql(link).await;
    connect(&home, &mut ada, &theirs).await;
    disconnect(&mut ada).await;
    assert_eq!(
        home.app.count("SELECT count(*) FROM oauth_account").await,
        0
    );
    home.log_in(&mut home.app.browser(), &theirs).await;
    assert_eq!(
        connected(&home, "ada@example.org").await,
        0,
        "who logs in there is somebody new"
    );
    assert_eq!(home.app.count("SELECT count(*) FROM \"user\"").await, 2);
}

#[tokio::test]
async fn a_stolen_cookie_adds_no_way_in_and_takes_none_away() {
    let (home, mut thief, theirs) = ada().await;
    connect(&home, &mut thief, &theirs).await;
    home.app.pass(300);
    let identity =
        db::identities::list_for_user(&home.app.state.db, user(&home, "ada@example.org").await.id)
            .await
            .unwrap()[0]
            .id
            .to_string();
    for path in [
        "/account/connect".to_owned(),
        format!("/account/disconnect?identity={identity}"),
    ] {
        let page = thief.get(&path).await;
        assert!(
            page.path
                .starts_with("/account/log-in-again?return_to=%2Faccount%2F"),
            "{}",
            page.path
        );
        let page = thief.post_form(&path, &[("identity", &identity)]).await;
        assert_eq!(
            (page.status, thief.cookie(ASKED)),
            (StatusCode::FORBIDDEN, None),
            "{path}"
        );
        assert!(
            page.text("[role=alert]")
                .unwrap()
                .starts_with("Your login is older than five minutes."),
            "{path}"
        );
    }
    assert_eq!(connected(&home, "ada@example.org").await, 1);
}

#[tokio::test]
async fn what_is_not_ones_own_cannot_be_disconnected() {
    let (home, mut ada, theirs) = ada().await;
    home.app.member("eve@example.org").await;
    let mut eve = logged_in(&home.app, "eve@example.org").await;
    connect(&home, &mut ada, &theirs).await;
    let foreign =
        db::identities::list_for_user(&home.app.state.db, user(&home, "ada@example.org").await.id)
            .await
            .unwrap()[0]
            .id
            .to_string();
    // Eve's form, with another number in it.
    connect(
        &home,
        &mut eve,
        &Account::confirmed("eve@elsewhere.example"),
    )
    .await;
    let own =
        db::identities::list_for_user(&home.app.state.db, user(&home, "eve@example.org").await.id)
            .await
            .unwrap()[0]
            .id;
    let form = format!("/account/disconnect?identity={own}");
    for id in [foreign.as_str(), &random::uuid().to_string(), "x", ""] {
        let path = format!("/account/disconnect?identity={id}");
        assert_eq!(eve.get(&path).await.status, StatusCode::NOT_FOUND, "{id}");
        for path in [path.as_str(), &form, "/account/disconnect"] {
            let page = eve.post_form(path, &[("identity", id)]).await;
            assert_eq!(
                (page.status, page.body.contains("ada@")),
                (StatusCode::NOT_FOUND, false),
                "{id}"
            );
        }
    }
    assert_eq!(
        (
            connected(&home, "ada@example.org").await,
            connected(&home, "eve@example.org").await
        ),
        (1, 1)
    );
    let alone = App::new().await;
    alone.member("ada@example.org").await;
    let mut ada = logged_in(&alone, "ada@example.org").await;
    assert_eq!(
        ada.get("/account/connect").await.status,
        StatusCode::NOT_FOUND,
        "where there is no provider"
    );
    assert_eq!(
        ada.post_form("/account/connect", &[]).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        ada.call(Method::GET, START, &[], "")
            .await
            .location()
            .as_deref(),
        Some("/account/connect")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thief_whose_session_is_ended_while_the_provider_answers_connects_nothing() {
    let (home, mut thief, theirs) = ada().await;
    let back = under_way(&home, &mut thief, &theirs).await;
    // The provider takes its time over the code; meanwhile Ada ends the session.
    let (arrived, has_arrived) = std::sync::mpsc::channel();
    let (go, may_go) = std::sync::mpsc::channel::<()>();
    home.provider.twist("token", move |_| {
        arrived.send(()).unwrap();
        may_go.recv().unwrap();
    });
    let mut ada = thief.clone();
    let answer = tokio::spawn(async move { thief.get(&back).await.path });
    tokio::task::spawn_blocking(move || has_arrived.recv().unwrap())
        .await
        .unwrap();
    ada.post_form("/logout", &[]).await;
    go.send(()).unwrap();
    assert_eq!(connected(&home, "ada@example.org").await, 0);
    assert!(
        answer.await.unwrap().contains("/callback?"),
        "and is told so"
    );
}
