use crate::support::{App, Browser, PASSWORD, Page, TOKEN_SECRET};
use axum::http::{Method, StatusCode, header};
use jsonwebtoken::{EncodingKey, Header, encode};
use mediamanager_auth::{
    domain::{Email, Password},
    server::{
        crypto::{random, tokens::Purpose},
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

const BUTTON: &str = "Create administrator";
const USERS: &str = "SELECT COUNT(*) FROM \"user\"";

fn token_of(path: &str) -> &str {
    path.split_once("?token=").unwrap().1
}

async fn set_up(browser: &mut Browser, path: &str, email: &str) -> Page {
    let page = browser.get(path).await;
    browser
        .submit(&page, BUTTON, &[("email", email), ("password", PASSWORD)])
        .await
}

/// The link opens no form, and what was typed into a form before is not taken either.
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

    // Three letters before the @ would forbid half the language, so they are allowed in the
    // password.
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
async fn a_setup_link_works_once() {
    let app = App::new().await;
    let path = app.setup_path().await.unwrap();
    assert_eq!(
        set_up(&mut app.browser(), &path, "ada@example.org")
            .await
            .path,
        "/account"
    );
    is_refused(&app, &path, StatusCode::CONFLICT, "Setup is done").await;
    is_refused(&app, "/setup", StatusCode::CONFLICT, "Setup is done").await;
    let page = app.browser().get(&path).await;
    assert_eq!(
        page.attribute("main a", "href").as_deref(),
        Some("/login"),
        "no dead end"
    );
}

#[tokio::test]
async fn a_setup_link_ends_after_a_day() {
    let app = App::new().await;
    let path = app.setup_path().await.unwrap();
    app.pass(86_390);
    assert_eq!(app.browser().get(&path).await.status, StatusCode::OK);
    app.pass(10);
    is_refused(&app, &path, StatusCode::GONE, "Open the setup link").await;
    let newer = app.setup_path().await.unwrap();
    assert_eq!(
        set_up(&mut app.browser(), &newer, "ada@example.org")
            .await
            .path,
        "/account"
    );
}

#[tokio::test]
async fn a_damaged_or_missing_setup_token_opens_nothing() {
    let app = App::new().await;
    let path = app.setup_path().await.unwrap();
    let token = token_of(&path);
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("{token}")
    };
    for damaged in [
        String::new(),
        "x".to_owned(),
        "..".to_owned(),
        token[1..].to_owned(),
        token[..token.len() - 4].to_owned(),
        format!("{token}A"),
        token.to_ascii_uppercase(),
        format!("{header}.{claims}."),
        format!("{header}.{claims}"),
        format!("{claims}.{header}.{signature}"),
        format!(
            "{header}.{claims}.{}",
            signature.chars().rev().collect::<String>()
        ),
        "%00%ff".to_owned(),
    ] {
        is_refused(
            &app,
            &format!("/setup?token={damaged}"),
            StatusCode::GONE,
            "Open the setup link",
        )
        .await;
    }
    is_refused(&app, "/setup", StatusCode::GONE, "Open the setup link").await;
    assert!(
        app.browser()
            .get("/setup")
            .await
            .body
            .contains("user create --admin"),
        "says what to do instead"
    );
}

#[tokio::test]
async fn a_token_for_something_else_is_no_setup_token() {
    let app = App::new().await;
    let now = app.state.clock.now();
    let (session, _) = app
        .state
        .tokens
        .sign_session(random::uuid(), random::uuid(), 86_400)
        .unwrap();
    // Everything right but the key: the session's key signs nothing else.
    let claims = json!({ "aud": ["mediamanager-auth:setup"], "iat": now, "exp": now + 60 });
    let forged = encode(
        &Header::default(),
        &claims,
        &EncodingKey::from_secret(TOKEN_SECRET.as_bytes()),
    )
    .unwrap();
    let purposes = [
        Purpose::Reset,
        Purpose::AdminReset,
        Purpose::Invitation,
        Purpose::EmailVerification,
        Purpose::EmailChange,
    ];
    let links = purposes.map(|purpose| {
        app.state
            .tokens
            .sign_link(purpose, random::uuid(), "x", 600)
            .unwrap()
    });
    for token in [session, forged].into_iter().chain(links) {
        is_refused(
            &app,
            &format!("/setup?token={token}"),
            StatusCode::GONE,
            "Open the setup link",
        )
        .await;
    }
}

#[tokio::test]
async fn a_link_of_before_a_restart_still_works() {
    let app = App::new().await;
    let path = app.setup_path().await.unwrap();
    let mut restarted = Browser::new(app.another("").await);
    assert_eq!(
        set_up(&mut restarted, &path, "ada@example.org").await.path,
        "/account"
    );
    is_refused(&app, &path, StatusCode::CONFLICT, "Setup is done").await;
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
async fn a_bad_first_password_is_refused_beside_its_field_and_the_link_still_works() {
    let app = App::new().await;
    let path = app.setup_path().await.unwrap();
    let mut browser = app.browser();
    let page = browser.get(&path).await;
    let too_long = "violet kettle harbour ".repeat(12);
    let cases = [
        ("", "Enter a password."),
        ("violet ket9", "Use at least 12 characters."),
        ("\u{1f600}\u{1f600}\u{1f600}", "Use at least 12 characters."),
        (
            &too_long[..257],
            "Enter a password of at most 256 characters.",
        ),
        (
            "passwordpassword",
            "This password is easy to guess. Use several unrelated words or a longer one.",
        ),
        (
            "mediamanager",
            "This password is easy to guess. Use several unrelated words or a longer one.",
        ),
        (
            "aaaaaaaaaaaaaaaaaaaa",
            "This password is easy to guess. Use several unrelated words or a longer one.",
        ),
        (
            "violet lovelace harbour 9",
            "Choose a password that does not contain your e-mail name.",
        ),
        (
            "violet LoveLace harbour 9",
            "Choose a password that does not contain your e-mail name.",
        ),
    ];
    for (password, message) in cases {
        let answer = browser
            .submit_only(
                &page,
                BUTTON,
                &[("email", "lovelace@example.org"), ("password", password)],
            )
            .await;
        assert_eq!(
            (answer.status, answer.path.as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "/setup"),
            "{password}"
        );
        assert_eq!(
            answer.text("#password-error").as_deref(),
            Some(message),
            "{password}"
        );
        assert_eq!(
            answer.text("#email-error").as_deref(),
            Some(""),
            "{password}"
        );
        assert_eq!(
            answer.attribute("#password", "aria-invalid").as_deref(),
            Some("true")
        );
        assert_eq!(
            answer.attribute("#password", "aria-describedby").as_deref(),
            Some("password-hint password-error")
        );
        assert_eq!(
            answer.attribute("#email", "value").as_deref(),
            Some("lovelace@example.org"),
            "nothing is lost"
        );
        assert_eq!(
            answer.attribute("input[name=token]", "value").as_deref(),
            Some(token_of(&path)),
            "the way on is kept"
        );
        assert_eq!(answer.attribute("#password", "value"), None);
        assert!(answer.text("title").unwrap().starts_with("Error: "));
        assert!(
            password.is_empty() || password == "mediamanager" || !answer.body.contains(password),
            "{password}: never shown again"
        );
        assert_eq!(
            (app.count(USERS).await, browser.cookie("fastapiusersauth")),
            (0, None)
        );
    }
    let answer = browser
        .submit_only(
            &page,
            BUTTON,
            &[("email", "not an address"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        answer.text("#email-error").as_deref(),
        Some("Enter an e-mail address like name@example.org.")
    );

    let answer = browser
        .submit(
            &answer,
            BUTTON,
            &[("email", "lovelace@example.org"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(
        answer.path, "/account",
        "the refusals did not use the link up"
    );
}

#[tokio::test]
async fn the_longest_password_counts_to_its_last_character() {
    let app = App::new().await;
    let path = app.setup_path().await.unwrap();
    let longest: String = "violet kettle h\u{e4}rbour 9 "
        .chars()
        .cycle()
        .take(256)
        .collect();
    let page = app.browser().get(&path).await;
    app.browser()
        .submit(
            &page,
            BUTTON,
            &[("email", "lovelace@example.org"), ("password", &longest)],
        )
        .await;
    let other_end: String = longest.chars().take(255).chain(['!']).collect();
    assert_eq!(
        app.browser()
            .log_in("lovelace@example.org", &other_end)
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        app.browser()
            .log_in("lovelace@example.org", &longest)
            .await
            .path,
        "/account"
    );
}

#[tokio::test]
async fn the_configured_length_is_said_before_and_asked_for_after() {
    let app = App::with("policy.password_min_length = 24").await;
    let path = app.setup_path().await.unwrap();
    let page = app.browser().get(&path).await;
    assert!(
        page.text("#password-hint")
            .unwrap()
            .contains("At least 24 characters")
    );
    let answer = app
        .browser()
        .submit(
            &page,
            BUTTON,
            &[("email", "ada@example.org"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(
        answer.text("#password-error").as_deref(),
        Some("Use at least 24 characters.")
    );
}

#[tokio::test]
async fn the_setup_token_is_in_no_redirect_and_reading_does_not_use_it_up() {
    let app = App::new().await;
    let path = app.setup_path().await.unwrap();
    let token = token_of(&path);
    let mut browser = app.browser();
    for other in [
        path.clone(),
        format!("{path}&__err=x&__path=y"),
        format!("/?token={token}"),
        format!("/account?token={token}"),
        format!("/setup/?token={token}"),
        format!("//setup?token={token}&__err=x"),
        format!("/setup/link?token={token}"),
        format!("/login?token={token}"),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let page = browser.call(method, &other, &[], "").await;
            let target = page.location().unwrap_or_default();
            assert!(!target.contains(token), "{other}: {target}");
        }
    }
    let page = browser.get(&path).await;
    let answer = browser
        .submit_only(
            &page,
            BUTTON,
            &[("email", "ada@example.org"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(answer.location().as_deref(), Some("/account"));
    assert!(
        !answer
            .headers
            .values()
            .any(|value| value.to_str().unwrap().contains(token))
    );
    assert_eq!(
        answer.header(header::REFERRER_POLICY.as_str()),
        Some("same-origin")
    );
    let page = browser.call(Method::GET, &path, &[], "").await;
    assert_eq!(
        (page.status, page.location()),
        (StatusCode::CONFLICT, None),
        "nor for somebody who is logged in"
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
    // Between looking whether anybody is there and making the first one, nobody else may come.
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
