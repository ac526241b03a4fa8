//! Linking is bound to the session that requested it (SR-058).

use axum::http::{Method, StatusCode};
use mediamanager_auth::server::db;

use super::{ASKED, ada, connect, connected, is_refused, logged_in, say, set_out, under_way, user};
use crate::support::{Account, PASSWORD, app_with_provider::call_back};

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
    // The callback URL of one user, in the browser of another user and in a browser without a
    // session.
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
    // Another session of Ada, even with all cookies of the first browser.
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
    // The same browser after Eve has logged in; then Ada again, in another session.
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
async fn an_ordinary_login_never_connects_what_comes_back_with_whoever_is_logged_in() {
    let (home, mut ada, theirs) = ada().await;
    let before = ada.clone();
    // An attacker has put a link to the provider's login into Ada's browser, which has a session.
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
    // Ada's own address, unverified at the provider, requires her password.
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thief_whose_session_is_ended_while_the_provider_answers_connects_nothing() {
    let (home, mut thief, theirs) = ada().await;
    let back = under_way(&home, &mut thief, &theirs).await;
    // The token request is slow; meanwhile Ada revokes the session.
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
