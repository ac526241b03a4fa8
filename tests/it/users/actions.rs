//! What administrators do to others, over the pages (SR-098, SR-099, SR-142 to SR-145). The same
//! over the contract is in `users_api`.

use axum::http::{Method, StatusCode};
use mediamanager_auth::{
    domain::{Email, User},
    server::{
        db,
        flows::{Ctx, sessions, users::Role},
    },
};

use super::{act, fact, household, is_in, logged_in, path_of, texts};
use crate::support::{App, Browser, PASSWORD, Page, SMTP};

/// Sends the form of a page that was opened a while ago.
async fn post(admin: &mut Browser, user: &User, action: &str) -> Page {
    let id = user.id.to_string();
    admin
        .post_form(
            &format!("/users/change?id={id}&action={action}"),
            &[("id", &id), ("action", action)],
        )
        .await
}

async fn administrators(app: &App) -> i64 {
    app.count("SELECT count(*) FROM \"user\" WHERE is_superuser AND is_active")
        .await
}

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
    // His form is open when he is made a member again.
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
    // A session of somebody else is none of his, and neither is one that has ended or never was.
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
async fn the_last_administrator_stays() {
    let (app, mut ada, user, bob) = household("").await;
    act(&mut ada, &bob, "Make administrator").await;
    act(&mut ada, &bob, "Disable").await;
    let events = app.count("SELECT count(*) FROM auth_event").await;
    for verb in ["Make member", "Disable", "Delete"] {
        let page = act(&mut ada, &user, verb).await;
        assert_eq!(
            (page.status, page.heading()),
            (StatusCode::CONFLICT, format!("{verb}?")),
            "a disabled one is none"
        );
        assert!(
            page.text("[role=alert]")
                .unwrap()
                .starts_with("This is the last active administrator."),
            "{verb}"
        );
    }
    assert_eq!((administrators(&app).await, is_in(&ada).await), (1, true));
    assert_eq!(
        app.count("SELECT count(*) FROM auth_event").await,
        events,
        "what did not happen is not written down"
    );
    act(&mut ada, &bob, "Enable").await;
    let page = act(&mut ada, &user, "Make member").await;
    assert_eq!(
        (page.status, administrators(&app).await),
        (StatusCode::FORBIDDEN, 1),
        "she may not see the page any more"
    );
}

#[tokio::test]
async fn two_administrators_who_turn_on_each_other_at_once_leave_one() {
    let (app, mut ada, user, bob) = household("").await;
    act(&mut ada, &bob, "Make administrator").await;
    for action in ["make-member", "disable", "delete"] {
        let his = logged_in(&app, "bob@example.org").await;
        let hers = logged_in(&app, "ada@example.org").await;
        let (mut ada, mut his) = (hers, his);
        let (one, other) =
            futures_util::future::join(post(&mut ada, &bob, action), post(&mut his, &user, action))
                .await;
        let statuses = [one.status, other.status];
        assert!(
            statuses.contains(&StatusCode::SEE_OTHER)
                && statuses.iter().all(|status| status.as_u16() < 500),
            "{action}: {statuses:?}"
        );
        assert_eq!(administrators(&app).await, 1, "{action}: {statuses:?}");
        app.sql("UPDATE \"user\" SET is_superuser = true, is_active = true")
            .await;
    }
}

#[tokio::test]
async fn an_administrator_gives_somebody_another_address() {
    let (app, mut ada, _, bob) = household(SMTP).await;
    let his = logged_in(&app, "bob@example.org").await;
    let page = ada.get(&format!("/users/address?id={}", bob.id)).await;
    assert!(
        page.text(".lead")
            .unwrap()
            .starts_with("bob@example.org logs in with the new address")
    );
    for (email, status, reason) in [
        (
            "ADA@example.org",
            StatusCode::CONFLICT,
            "There is an account with this e-mail address already.",
        ),
        (
            "nonsense",
            StatusCode::UNPROCESSABLE_ENTITY,
            "Enter an e-mail address",
        ),
    ] {
        let page = ada
            .submit(&page, "Change e-mail", &[("email", email)])
            .await;
        assert_eq!(
            (page.status, page.heading().as_str()),
            (status, "Change e-mail")
        );
        assert!(
            page.text("#email-error").unwrap().contains(reason),
            "{email}: {}",
            page.body
        );
        assert_eq!(page.attribute("#email", "value").as_deref(), Some(email));
    }
    assert_eq!(app.mails().await.len(), 0);
    let page = ada
        .submit(&page, "Change e-mail", &[("email", " Bob@New.example ")])
        .await;
    assert_eq!(
        (page.heading().as_str(), page.path),
        (
            "bob@new.example",
            format!("{}?notice=user_updated", path_of(&bob))
        )
    );
    assert_eq!(
        fact(&ada.get(&path_of(&bob)).await, "Address proven"),
        "No",
        "an administrator's word is no proof"
    );
    let notice = app.mail().await;
    assert_eq!(
        (notice.to.as_str(), notice.subject.as_str()),
        (
            "bob@example.org",
            "Your address for MediaManager was changed"
        )
    );
    assert!(is_in(&his).await);
    assert_eq!(
        app.browser().log_in("bob@new.example", PASSWORD).await.path,
        "/account"
    );
    assert_eq!(
        app.browser()
            .log_in("bob@example.org", PASSWORD)
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_stolen_cookie_of_an_administrator_does_not_take_over_their_account() {
    let (app, ada, user, bob) = household("").await;
    let mut thief = ada.clone();
    act(&mut thief, &bob, "Make administrator").await;
    app.pass(300);
    let id = user.id.to_string();
    let page = thief
        .post_form(
            "/users/address",
            &[("id", &id), ("email", "thief@example.org")],
        )
        .await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "another address");
    // A link for a new password for oneself is a change of one's own password, and all that a thief
    // needs to keep the account.
    let link = post(&mut thief, &user, "create-reset-link").await;
    // Deleting one's own takes a young login on the account page, too.
    let deleted = post(&mut thief, &user, "delete").await;
    assert_eq!(
        [link.status, deleted.status],
        [StatusCode::FORBIDDEN; 2],
        "a link for oneself, and deleting oneself"
    );
    assert!(
        is_in(&ada).await
            && app.browser().log_in("ada@example.org", PASSWORD).await.path == "/account"
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
