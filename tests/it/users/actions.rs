//! Actions of administrators on other users, over the pages (SR-098, SR-099, SR-142 to SR-145). The
//! same over the API is in `api/users.rs`.

use axum::http::{Method, StatusCode};
use mediamanager_auth::{
    domain::Email,
    server::{
        db,
        flows::{Ctx, sessions, users::Role},
    },
};

use super::{act, fact, household, is_in, logged_in, path_of, post, texts};
use crate::support::{PASSWORD, SMTP};

mod email;
mod last_admin;

#[tokio::test]
async fn somebody_who_is_disabled_is_out_at_once_and_old_links_stay_dead() {
    let (app, mut ada, _, bob) =
        household(&format!("auth.email_password_resets = true\n{SMTP}")).await;
    let his = logged_in(&app, "bob@example.org").await;
    app.browser()
        .post_form("/login/forgot-password", &[("email", "bob@example.org")])
        .await;
    let mailed = app.mail().await.link();
    let page = act(&mut ada, &bob, "Make a link for a new password").await;
    let handed_over = page
        .text("pre.copy code")
        .unwrap()
        .strip_prefix("http://localhost:8000")
        .unwrap()
        .to_owned();
    let page = act(&mut ada, &bob, "Disable").await;
    assert_eq!(
        (page.path, page.status),
        (
            format!("{}?notice=user_updated", path_of(&bob)),
            StatusCode::OK
        )
    );
    let page = ada.get(&path_of(&bob)).await;
    assert!(fact(&page, "State").starts_with("Disabled"));
    assert!(
        !texts(&page, ".card a")
            .iter()
            .any(|text| text == "Make a link for a new password"),
        "there is no use for one"
    );
    assert_eq!(
        (
            is_in(&his).await,
            app.browser()
                .log_in("bob@example.org", PASSWORD)
                .await
                .status
        ),
        (false, StatusCode::UNAUTHORIZED)
    );
    act(&mut ada, &bob, "Enable").await;
    assert!(!is_in(&his).await, "the sessions do not come back");
    for link in [mailed, handed_over] {
        assert_eq!(
            app.browser().get(&link).await.status,
            StatusCode::GONE,
            "nor do the links"
        );
    }
    assert_eq!(
        app.browser().log_in("bob@example.org", PASSWORD).await.path,
        "/account"
    );
}

#[tokio::test]
async fn whoever_waits_and_is_disabled_waits_again_when_enabled() {
    let (app, mut ada, ..) = household("").await;
    let eve = app.user("eve@example.org", Role::Pending).await;
    act(&mut ada, &eve, "Disable").await;
    act(&mut ada, &eve, "Enable").await;
    assert_eq!(
        app.browser().log_in("eve@example.org", PASSWORD).await.path,
        "/login/verify",
        "enabling approves nobody"
    );
}

#[tokio::test]
async fn a_right_is_there_and_gone_with_the_next_click() {
    let (app, mut ada, _, bob) = household("").await;
    let mut his = logged_in(&app, "bob@example.org").await;
    assert_eq!(his.get("/users").await.status, StatusCode::FORBIDDEN);
    act(&mut ada, &bob, "Make administrator").await;
    assert_eq!(his.get("/users").await.status, StatusCode::OK);
    let page = ada.get(&path_of(&bob)).await;
    assert!(
        fact(&page, "Role").starts_with("Administrator, by ada@example.org, "),
        "{}",
        fact(&page, "Role")
    );
    // Bob's form is still open when he becomes a member again.
    let eve = app.member("eve@example.org").await;
    let open = his
        .get(&format!("/users/change?id={}&action=delete", eve.id))
        .await;
    act(&mut ada, &bob, "Make member").await;
    assert_eq!(
        his.submit(&open, "Delete", &[]).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        (his.get("/users").await.status, is_in(&his).await),
        (StatusCode::FORBIDDEN, true)
    );
    assert_eq!(
        fact(&ada.get(&path_of(&bob)).await, "Role"),
        "Member",
        "and nothing is said of who had made him one"
    );
    assert_eq!(
        app.count("SELECT count(*) FROM auth_user_account WHERE admin_granted_by IS NOT NULL")
            .await,
        1
    );
}

#[tokio::test]
async fn whoever_is_in_admin_emails_comes_back_and_the_page_says_so() {
    let (app, mut ada, _, bob) = household("auth.admin_emails = ['bob@example.org']").await;
    logged_in(&app, "bob@example.org").await;
    let page = ada
        .get(&format!("/users/change?id={}&action=make-member", bob.id))
        .await;
    assert!(
        page.text(".warning").unwrap().contains("auth.admin_emails"),
        "{}",
        page.body
    );
    let eve = app.member("eve@example.org").await;
    assert_eq!(
        ada.get(&format!("/users/change?id={}&action=make-member", eve.id))
            .await
            .text(".warning"),
        None
    );
}

#[tokio::test]
async fn an_administrator_ends_one_session_or_all_of_somebody() {
    let (app, mut ada, _, bob) = household("").await;
    let (first, second, hers) = (
        logged_in(&app, "bob@example.org").await,
        logged_in(&app, "bob@example.org").await,
        ada.clone(),
    );
    let id = bob.id.to_string();
    let page = ada.get(&path_of(&bob)).await;
    let page = ada
        .submit(&page, "End the session of an unknown program", &[])
        .await;
    assert_eq!(
        page.text("[role=status]").as_deref(),
        Some("That session is ended.")
    );
    assert_eq!(
        [is_in(&first).await, is_in(&second).await]
            .iter()
            .filter(|is_in| **is_in)
            .count(),
        1
    );
    // Sessions of another user, ended ones and unknown ones cannot be revoked here.
    let cx = Ctx::cli(&app.state);
    let own = sessions::list_for_user(
        &cx,
        db::users::find_by_email(&app.state.db, &Email::parse("ada@example.org").unwrap())
            .await
            .unwrap()
            .unwrap()
            .user
            .id,
    );
    let own = own.await.unwrap()[0].id.to_string();
    for session in [own.as_str(), &id, "x", ""] {
        let page = ada
            .post_form(
                "/users/change",
                &[("id", &id), ("action", "end-session"), ("session", session)],
            )
            .await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{session}");
    }
    assert!(is_in(&hers).await);
    let page = act(&mut ada, &bob, "End all sessions").await;
    assert!(
        page.body.contains("Not logged in anywhere."),
        "{}",
        page.body
    );
    assert_eq!(
        (
            is_in(&first).await,
            is_in(&second).await,
            is_in(&hers).await
        ),
        (false, false, true)
    );
}

#[tokio::test]
async fn somebody_who_is_deleted_is_gone() {
    let (app, mut ada, _, bob) = household(SMTP).await;
    let mut his = logged_in(&app, "bob@example.org").await;
    his.post_form("/account/address", &[("email", "bob@new.example")])
        .await;
    let page = act(&mut ada, &bob, "Delete").await;
    assert_eq!(
        (page.path.as_str(), page.text("[role=status]").as_deref()),
        (
            "/users?notice=user_deleted",
            Some("The account is deleted.")
        )
    );
    assert!(!page.body.contains("bob@example.org"));
    assert_eq!((is_in(&his).await, app.mails().await.len()), (false, 0));
    assert_eq!(ada.get(&path_of(&bob)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        post(&mut ada, &bob, "delete").await.status,
        StatusCode::NOT_FOUND,
        "once"
    );
    app.member("bob@example.org").await;
    assert!(
        !is_in(&his).await,
        "a later account with the address inherits nothing"
    );
}

#[tokio::test]
async fn a_link_or_another_site_makes_an_administrator_do_nothing() {
    let (app, mut ada, _, bob) = household("").await;
    let path = format!("/users/change?id={}&action=delete", bob.id);
    for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
        ada.call(method, &path, &[], "").await;
    }
    let body = format!("id={}&action=delete", bob.id);
    for site in ["cross-site", "same-site", "none"] {
        let headers = [
            ("sec-fetch-site", site),
            ("origin", "https://evil.example"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        assert_eq!(
            ada.call(Method::POST, "/users/change", &headers, &body)
                .await
                .status,
            StatusCode::FORBIDDEN,
            "{site}"
        );
    }
    let twice = ada
        .post_form(
            "/users/change",
            &[
                ("id", &bob.id.to_string()),
                ("action", "approve"),
                ("action", "delete"),
            ],
        )
        .await;
    assert_eq!(twice.status, StatusCode::BAD_REQUEST);
    assert_eq!(app.count("SELECT count(*) FROM \"user\"").await, 2);
}
