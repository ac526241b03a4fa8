//! The page of one user.

use axum::http::StatusCode;
use mediamanager_auth::server::{db, flows::users::Role};

use super::{act, fact, logged_in, path_of, search, texts};
use crate::support::{Account, App, Household, PASSWORD};

#[tokio::test]
async fn the_page_of_a_user_says_where_each_right_comes_from() {
    let app = App::with("auth.admin_emails = ['listed@example.org']").await;
    let mut ada = app.browser();
    let setup = app.setup_path().await.unwrap();
    let page = ada
        .post_form(
            "/setup",
            &[
                ("token", setup.split("token=").nth(1).unwrap()),
                ("email", "ada@example.org"),
                ("password", PASSWORD),
            ],
        )
        .await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    let find = async |email: &str| {
        db::users::find_by_email(
            &app.state.db,
            &mediamanager_auth::domain::Email::parse(email).unwrap(),
        )
        .await
        .unwrap()
        .unwrap()
        .user
    };
    let first = find("ada@example.org").await;
    let (bob, carol) = (
        app.user("bob@example.org", Role::Pending).await,
        app.user("carol@example.org", Role::Administrator).await,
    );
    act(&mut ada, &bob, "Approve").await;
    let dave = app.user("dave@example.org", Role::Pending).await;
    act(
        &mut logged_in(&app, "carol@example.org").await,
        &dave,
        "Make administrator",
    )
    .await;
    act(&mut ada, &carol, "Delete").await;
    let listed = app.user("listed@example.org", Role::Pending).await;
    logged_in(&app, "listed@example.org").await;
    let old = app.user("old@example.org", Role::Administrator).await;
    app.sql("DELETE FROM auth_user_account WHERE user_id IN (SELECT id FROM \"user\" WHERE email = 'old@example.org')").await;
    let shell = app.user("shell@example.org", Role::Administrator).await;
    for (user, state, role) in [
        (
            &first,
            "Active, with the setup link, ",
            "Administrator, with the setup link, ",
        ),
        (&bob, "Active, by ada@example.org, ", "Member"),
        (
            &dave,
            "Active, by somebody whose account is deleted, ",
            "Administrator, by somebody whose account is deleted, ",
        ),
        (
            &listed,
            "Active, by auth.admin_emails, ",
            "Administrator, by auth.admin_emails, ",
        ),
        (
            &old,
            "Active, by MediaManager or before this was written down",
            "Administrator, by MediaManager or before this was written down",
        ),
        (
            &shell,
            "Active, from the shell, ",
            "Administrator, from the shell, ",
        ),
    ] {
        let page = ada.get(&path_of(user)).await;
        assert!(
            fact(&page, "State").starts_with(state),
            "{}: {}",
            user.email,
            fact(&page, "State")
        );
        assert!(
            fact(&page, "Role").starts_with(role),
            "{}: {}",
            user.email,
            fact(&page, "Role")
        );
        assert_eq!(
            fact(&page, "Role").ends_with("; the address is in admin_emails"),
            user.id == listed.id
        );
    }
    assert_eq!(
        fact(&ada.get(&path_of(&old)).await, "Known since"),
        "Made by MediaManager, not been here yet"
    );
    assert_eq!(fact(&ada.get(&path_of(&old)).await, "Last login"), "Never");
}

#[tokio::test]
async fn somebody_whom_the_provider_vouches_for_is_shown_as_that() {
    let home = Household::new().await;
    home.app.user("ada@example.org", Role::Administrator).await;
    home.log_in(
        &mut home.app.browser(),
        &Account::confirmed("eve@example.org"),
    )
    .await;
    let mut ada = logged_in(&home.app, "ada@example.org").await;
    let page = search(&mut ada, "eve", "").await;
    let page = ada
        .get(&page.attribute("tbody th a", "href").unwrap())
        .await;
    assert!(
        fact(&page, "State").starts_with("Active, because the provider vouches for them, "),
        "{}",
        fact(&page, "State")
    );
    assert_eq!(
        (
            fact(&page, "Role").as_str(),
            fact(&page, "Password").as_str()
        ),
        ("Member", "None")
    );
    assert!(
        texts(&page, ".lines li")[0].starts_with("Über ID 100%, eve@example.org"),
        "{:?}",
        texts(&page, ".lines li")
    );
    assert!(page.body.contains("With Über ID 100%"));
}
