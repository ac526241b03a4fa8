//! Creating the first administrator.

use axum::http::StatusCode;
use mediamanager_auth::{
    domain::{Email, Password},
    server::{
        db,
        flows::{
            Ctx,
            users::{
                Role,
                cli::{self, NewCliUser},
            },
        },
    },
};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{App, Browser, PASSWORD};

mod links;
mod password;

const BUTTON: &str = "Create administrator";
const USERS: &str = "SELECT COUNT(*) FROM \"user\"";

fn token_of(path: &str) -> &str {
    path.split_once("?token=").unwrap().1
}

/// Asserts that the link opens no form, and that a form from before is rejected.
async fn is_refused(app: &App, path: &str, status: StatusCode, heading: &str) {
    let users = app.count(USERS).await;
    let token = path.split_once("?token=").map_or("", |(_, token)| token);
    let page = app.browser().get(path).await;
    let answer = app
        .browser()
        .post_form(
            "/setup",
            &[
                ("token", token),
                ("email", "eve@example.org"),
                ("password", PASSWORD),
            ],
        )
        .await;
    for page in [page, answer] {
        assert_eq!(
            (page.status, page.heading().as_str()),
            (status, heading),
            "{path}"
        );
        assert_eq!(
            page.attribute("form", "action"),
            None,
            "{path}: no form that cannot work"
        );
        assert_eq!(page.header("set-cookie"), None, "{path}");
    }
    assert_eq!(app.count(USERS).await, users, "{path}");
}

#[tokio::test]
async fn the_setup_link_makes_the_first_administrator_and_logs_them_in() {
    let app = App::new().await;
    let path = app.setup_path().await.unwrap();
    let mut browser = app.browser();
    let page = browser.get(&path).await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (StatusCode::OK, "Set up the first administrator")
    );
    assert_eq!(
        page.attribute("#password", "autocomplete").as_deref(),
        Some("new-password")
    );

    // A local part of three letters is too short to be forbidden in the password.
    let answer = browser
        .submit_only(
            &page,
            BUTTON,
            &[
                ("email", " Ada@Example.org "),
                ("password", "ada likes violet kettles"),
            ],
        )
        .await;
    assert_eq!(
        (answer.status, answer.location().as_deref()),
        (StatusCode::SEE_OTHER, Some("/account"))
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    let me = browser.get("/api/v1/users/me").await.json();
    assert_eq!(
        (&me["email"], &me["is_superuser"], &me["is_verified"]),
        (&json!("ada@example.org"), &json!(true), &json!(true))
    );
    let account = browser.get("/account").await;
    assert!(account.body.contains("Administrator"));
    assert_eq!(
        app.count("SELECT COUNT(*) FROM auth_user_account WHERE email_verified_at IS NOT NULL")
            .await,
        1,
        "the address is proven"
    );
    assert_eq!(app.setup_path().await, None, "no link is printed any more");

    let page = app
        .browser()
        .log_in("ada@example.org", "ada likes violet kettles")
        .await;
    assert_eq!(
        page.path, "/account",
        "the password is the one that was typed"
    );
}

#[tokio::test]
async fn somebody_made_from_the_shell_ends_setup() {
    let app = App::new().await;
    let path = app.setup_path().await.unwrap();
    app.member("ada@example.org").await;
    is_refused(
        &app,
        &path,
        StatusCode::CONFLICT,
        "There is no administrator yet",
    )
    .await;
    app.user("boss@example.org", Role::Administrator).await;
    is_refused(&app, &path, StatusCode::CONFLICT, "Setup is done").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_first_setups_make_one_administrator() {
    let app = App::new().await;
    let path = app.setup_path().await.unwrap();
    let instances = [app.router.clone(), app.another("").await];
    let mut everybody = Vec::new();
    for n in 0..20 {
        let mut browser = Browser::new(instances[n % 2].clone());
        let page = browser.get(&path).await;
        everybody.push((browser, page, format!("ada{n}@example.org")));
    }
    let mut tries = JoinSet::new();
    for (mut browser, page, email) in everybody {
        tries.spawn(async move {
            let answer = browser
                .submit_only(&page, BUTTON, &[("email", &email), ("password", PASSWORD)])
                .await;
            (answer.status, browser.cookie("fastapiusersauth").is_some())
        });
    }
    let mut outcomes = tries.join_all().await;
    outcomes.sort();
    assert_eq!(
        outcomes[0],
        (StatusCode::SEE_OTHER, true),
        "one wins and is logged in"
    );
    assert_eq!(
        outcomes[1..],
        [(StatusCode::CONFLICT, false); 19],
        "the others are told, and that is no fault of ours"
    );
    assert_eq!(
        (
            app.count(USERS).await,
            app.count("SELECT COUNT(*) FROM auth_session").await
        ),
        (1, 1)
    );
}

#[tokio::test]
async fn the_shell_makes_nobody_while_a_setup_is_under_way() {
    let app = App::new().await;
    let setup = db::begin(&app.state.db).await.unwrap();
    db::serialize(&setup).await.unwrap();
    assert!(db::users::is_empty(&setup).await.unwrap());
    let boss = Email::parse("boss@example.org").unwrap();
    let new = NewCliUser {
        email: boss,
        password: Password::new(PASSWORD.to_owned()),
        role: Role::Administrator,
    };
    let cx = Ctx::cli(&app.state);
    let mut creating = std::pin::pin!(cli::create_user(&cx, new));
    // No other user may be created between the check for existing users and the creation.
    let waits = tokio::time::timeout(std::time::Duration::from_millis(300), &mut creating)
        .await
        .is_err();
    db::commit(setup).await.unwrap();
    assert!(
        waits,
        "or the setup would make a second first administrator"
    );
    assert!(creating.await.is_ok());
}
