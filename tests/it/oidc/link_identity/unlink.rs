//! Unlinking an identity (SR-076).

use axum::http::{Method, StatusCode};
use mediamanager_auth::server::{crypto::random, db};

use super::{START, ada, connect, connected, disconnect, logged_in, theirs, user};
use crate::support::{Account, App, Browser, Household, PASSWORD, Page};

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
    // An identity of a former provider is no login method.
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
    // Also if the current session was opened with the identity.
    connect(&home, &mut ada, &theirs).await;
    let mut ada = home.app.browser();
    home.log_in(&mut ada, &theirs).await;
    assert_eq!(
        disconnect(&mut ada).await.path,
        "/account?notice=provider_unlinked"
    );
    assert_eq!(ada.get("/account").await.path, "/account");
}

/// Unlinks the identity of the configured provider.
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
    // Eve's form, with another identity's id.
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
