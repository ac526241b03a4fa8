//! What somebody does with their own account, and what a thief with their cookie cannot (SR-094,
//! SR-098, SR-099, SR-142 to SR-145).

use crate::support::{App, Browser, PASSWORD, Page, SMTP};
use axum::http::{Method, StatusCode};
use mediamanager_auth::{
    domain::{Email, User},
    server::{
        crypto::random,
        flows::{Ctx, password_reset, sessions, users::Role},
    },
};

mod email;

const NEW: &str = "copper lantern meadow 4";
const COOKIE: &str = "fastapiusersauth";
const RESETS: &str = "auth.email_password_resets = true\n";
/// The pages that change the account itself, without those about a provider.
const RECENT_LOGIN_PAGES: [(&str, &str); 3] = [
    ("/account/address", "Change e-mail"),
    ("/account/delete", "Delete your account"),
    ("/account/password", "Change password"),
];

async fn logged_in(app: &App, email: &str) -> Browser {
    let mut browser = app.browser();
    assert!(browser.log_in(email, PASSWORD).await.status.is_success());
    browser
}

/// Logs in as a program that says this of itself.
async fn logged_in_with(app: &App, email: &str, user_agent: &str) -> Browser {
    let mut browser = app.browser();
    let headers = [
        ("user-agent", user_agent),
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "same-origin"),
    ];
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("email", email)
        .append_pair("password", PASSWORD)
        .finish();
    assert_eq!(
        browser
            .call(Method::POST, "/login", &headers, &body)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    browser
}

/// Whether the session of this browser opens anything.
async fn is_in(browser: &Browser) -> bool {
    browser
        .clone()
        .call(Method::GET, "/api/v1/users/me", &[], "")
        .await
        .status
        == StatusCode::OK
}

async fn may_log_in(app: &App, email: &str, password: &str) -> bool {
    app.browser()
        .post_form("/login", &[("email", email), ("password", password)])
        .await
        .status
        == StatusCode::SEE_OTHER
}

async fn change_password(browser: &mut Browser, password: &str) -> Page {
    let page = browser.get("/account/password").await;
    browser
        .submit(&page, "Change password", &[("password", password)])
        .await
}

/// The path of a link for a new password, as an operator hands it over.
async fn handed_over(app: &App, email: &str) -> String {
    let made = password_reset::create_reset_link_by_email(
        &Ctx::cli(&app.state),
        &Email::parse(email).unwrap(),
    )
    .await
    .unwrap()
    .unwrap();
    made.link
        .strip_prefix("http://localhost:8000")
        .unwrap()
        .to_owned()
}

/// The path of a link for a new password, as it is mailed.
async fn mailed(app: &App, email: &str) -> String {
    app.browser()
        .post_form("/login/forgot-password", &[("email", email)])
        .await;
    app.mail().await.link()
}

async fn sessions_of(app: &App, user: &User) -> Vec<String> {
    sessions::list_for_user(&Ctx::cli(&app.state), user.id)
        .await
        .unwrap()
        .iter()
        .map(|session| session.id.to_string())
        .collect()
}

#[tokio::test]
async fn whoever_changes_the_password_stays_logged_in_here_and_nowhere_else() {
    let app = App::with(&format!("{RESETS}{SMTP}")).await;
    app.member("ada@example.org").await;
    app.member("eve@example.org").await;
    let (mut here, there, eves) = (
        logged_in(&app, "ada@example.org").await,
        logged_in(&app, "ada@example.org").await,
        logged_in(&app, "eve@example.org").await,
    );
    let links = [
        mailed(&app, "ada@example.org").await,
        handed_over(&app, "ada@example.org").await,
    ];
    let page = change_password(&mut here, NEW).await;
    assert_eq!(
        (page.status, page.path.as_str()),
        (StatusCode::OK, "/account?notice=password_changed")
    );
    assert!(
        page.text("[role=status]")
            .unwrap()
            .starts_with("Your password is changed."),
        "{}",
        page.body
    );
    assert_eq!(
        (is_in(&here).await, is_in(&there).await, is_in(&eves).await),
        (true, false, true)
    );
    let notice = app.mail().await;
    assert_eq!(
        (notice.to.as_str(), notice.subject.as_str()),
        (
            "ada@example.org",
            "Your password for MediaManager was changed"
        )
    );
    assert!(
        notice.text.contains("203.0.113.7") && !notice.text.contains(NEW),
        "{}",
        notice.text
    );
    for link in links {
        assert_eq!(
            app.browser().get(&link).await.status,
            StatusCode::GONE,
            "links for a new password die with the old one"
        );
    }
    assert_eq!(
        (
            may_log_in(&app, "ada@example.org", PASSWORD).await,
            may_log_in(&app, "ada@example.org", NEW).await
        ),
        (false, true)
    );
}

#[tokio::test]
async fn after_five_minutes_the_page_leads_over_a_new_login_and_back() {
    let app = App::with(SMTP).await;
    app.member("ada@example.org").await;
    app.user("new@example.org", Role::Pending).await;
    // Somebody who waits may change or delete their account, too.
    for email in ["ada@example.org", "new@example.org"] {
        for (path, heading) in RECENT_LOGIN_PAGES {
            let mut browser = logged_in(&app, email).await;
            app.pass(299);
            assert_eq!(browser.get(path).await.heading(), heading, "{email}");
            app.pass(1);
            let page = browser.get(&format!("{path}?x=1")).await;
            assert_eq!(
                page.path,
                format!(
                    "/account/log-in-again?return_to=%2Faccount%2F{}%3Fx%3D1",
                    path.rsplit('/').next().unwrap()
                )
            );
            assert_eq!(page.heading(), "Confirm that it is you");
            assert_eq!(
                (
                    page.attribute("#email", "value").as_deref(),
                    page.attribute("#email", "readonly").is_some()
                ),
                (Some(email), true)
            );
            let page = browser
                .submit(&page, "Go on", &[("password", PASSWORD)])
                .await;
            assert_eq!(
                (page.heading().as_str(), page.path),
                (heading, format!("{path}?x=1")),
                "{email}"
            );
        }
    }
}

#[tokio::test]
async fn a_stolen_cookie_cannot_change_the_account() {
    let app = App::with(SMTP).await;
    app.member("ada@example.org").await;
    let mut thief = logged_in(&app, "ada@example.org").await;
    // A login from the future is none either: the clock has been set back.
    for seconds in [300, -301] {
        app.pass(seconds);
        for (path, heading) in RECENT_LOGIN_PAGES {
            let page = thief
                .post_form(path, &[("password", NEW), ("email", "thief@example.org")])
                .await;
            assert_eq!(
                (page.status, page.heading().as_str()),
                (StatusCode::FORBIDDEN, heading),
                "{path} after {seconds}"
            );
            assert!(
                page.text("[role=alert]")
                    .unwrap()
                    .starts_with("Your login is older than five minutes."),
                "{path}: {}",
                page.body
            );
            assert!(!page.body.contains(NEW));
        }
    }
    assert!(may_log_in(&app, "ada@example.org", PASSWORD).await);
    let events = app
        .count("SELECT count(*) FROM auth_event WHERE kind NOT IN ('user_created', 'logged_in')")
        .await;
    assert_eq!(
        (events, app.count("SELECT count(*) FROM auth_outbox").await),
        (0, 0),
        "nothing has happened, and nobody is written to"
    );
}

#[tokio::test]
async fn the_rule_for_new_passwords_stands_beside_the_field_and_nothing_typed_comes_back() {
    let app = App::new().await;
    app.member("ada.lovelace@example.org").await;
    let (mut here, there) = (
        logged_in(&app, "ada.lovelace@example.org").await,
        logged_in(&app, "ada.lovelace@example.org").await,
    );
    let page = here.get("/account/password").await;
    assert!(
        page.text("#password-hint")
            .unwrap()
            .contains("At least 12 characters")
    );
    assert_eq!(
        page.attribute("#password", "autocomplete").as_deref(),
        Some("new-password")
    );
    for (password, reason) in [
        ("q7", "Use at least 12 characters."),
        ("passwordpassword", "easy to guess"),
        (
            "my ada.lovelace password",
            "does not contain your e-mail name",
        ),
    ] {
        let page = change_password(&mut here, password).await;
        assert_eq!(
            (page.status, page.path.as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "/account/password")
        );
        assert!(
            page.text("#password-error").unwrap().contains(reason),
            "{password}: {:?}",
            page.text("#password-error")
        );
        assert_eq!(
            (
                page.attribute("#password", "value"),
                page.attribute("#email", "value").as_deref()
            ),
            (None, Some("ada.lovelace@example.org"))
        );
        assert!(
            !page.body.contains(&format!("\"{password}\"")),
            "{password}"
        );
    }
    assert!(is_in(&there).await, "a refused change ends nothing");
    assert!(may_log_in(&app, "ada.lovelace@example.org", PASSWORD).await);
}

#[tokio::test]
async fn logging_in_again_ends_what_a_thief_has_copied() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut ada = logged_in(&app, "ada@example.org").await;
    let other = logged_in(&app, "ada@example.org").await;
    let thief = ada.clone();
    app.pass(300);
    let page = ada.get("/account/password").await;
    let wrong = ada
        .submit(&page, "Go on", &[("password", "not her password")])
        .await;
    assert_eq!(
        (wrong.status, wrong.path.as_str()),
        (StatusCode::UNAUTHORIZED, "/account/log-in-again")
    );
    assert!(wrong.text("[role=alert]").unwrap().contains("do not match"));
    assert_eq!(
        (is_in(&ada).await, ada.cookie(COOKIE)),
        (true, thief.cookie(COOKIE)),
        "a wrong one changes nothing"
    );
    let page = ada.submit(&wrong, "Go on", &[("password", PASSWORD)]).await;
    assert_eq!(
        page.path, "/account/password",
        "the way back survives a mistake"
    );
    assert_ne!(ada.cookie(COOKIE), thief.cookie(COOKIE));
    assert_eq!(
        (is_in(&ada).await, is_in(&thief).await, is_in(&other).await),
        (true, false, true)
    );
}

#[tokio::test]
async fn guessing_behind_a_stolen_cookie_is_throttled_like_every_login() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut thief = logged_in(&app, "ada@example.org").await;
    for _ in 0..10 {
        assert_eq!(
            thief
                .post_form("/account/log-in-again", &[("password", "a wild guess")])
                .await
                .status,
            StatusCode::UNAUTHORIZED
        );
    }
    for password in ["a wild guess", PASSWORD] {
        let page = thief
            .post_form("/account/log-in-again", &[("password", password)])
            .await;
        assert_eq!(
            (page.status, page.heading().as_str()),
            (StatusCode::TOO_MANY_REQUESTS, "Confirm that it is you")
        );
        assert!(page.header("retry-after").is_some());
    }
    let login = app
        .browser()
        .post_form(
            "/login",
            &[("email", "ada@example.org"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(
        login.status,
        StatusCode::TOO_MANY_REQUESTS,
        "it is one budget"
    );
    assert_eq!(
        app.browser()
            .at("198.51.100.1")
            .log_in("ada@example.org", PASSWORD)
            .await
            .path,
        "/account",
        "not that of the owner elsewhere"
    );
}

#[tokio::test]
async fn logging_in_again_leads_nowhere_but_to_this_site() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut browser = logged_in(&app, "ada@example.org").await;
    for (return_to, target) in [
        ("/account/password?x=%2F", "/account/password?x=%2F"),
        ("https://evil.example/", "/account"),
        ("//evil.example/", "/account"),
        ("/\\evil.example/", "/account"),
        ("/%2f/evil.example/", "/account"),
        ("javascript:alert(1)", "/account"),
        ("/logout", "/account"),
        ("", "/account"),
    ] {
        let page = browser
            .post_form(
                "/account/log-in-again",
                &[("password", PASSWORD), ("return_to", return_to)],
            )
            .await;
        assert_eq!(
            (page.status, page.location().as_deref()),
            (StatusCode::SEE_OTHER, Some(target)),
            "{return_to}"
        );
    }
    let page = browser
        .get("/account/log-in-again?return_to=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        .await;
    assert!(!page.body.contains("<script>alert(1)"), "{}", page.body);
}

#[tokio::test]
async fn another_persons_address_in_the_form_changes_nothing() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    app.member("eve@example.org").await;
    change_password(&mut logged_in(&app, "ada@example.org").await, NEW).await;
    let mut eve = logged_in(&app, "eve@example.org").await;
    let page = eve
        .post_form(
            "/account/log-in-again",
            &[("email", "ada@example.org"), ("password", NEW)],
        )
        .await;
    assert_eq!(
        page.status,
        StatusCode::UNAUTHORIZED,
        "it asks for the password of who is logged in"
    );
    let page = eve
        .post_form(
            "/account/log-in-again",
            &[("email", "ada@example.org"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    assert_eq!(
        eve.get("/api/v1/users/me").await.json()["email"],
        "eve@example.org"
    );
    // A password is changed for whoever is logged in, too.
    eve.post_form(
        "/account/password",
        &[
            ("email", "ada@example.org"),
            ("password", "granite willow compass 7"),
        ],
    )
    .await;
    assert!(may_log_in(&app, "ada@example.org", NEW).await);
    let mut nobody = app.browser();
    let page = nobody
        .post_form(
            "/account/log-in-again",
            &[("email", "ada@example.org"), ("password", NEW)],
        )
        .await;
    assert_eq!(
        (page.status, nobody.cookie(COOKIE)),
        (StatusCode::UNAUTHORIZED, None),
        "nobody logs in here who is not logged in"
    );
}

#[tokio::test]
async fn somebody_sees_where_they_are_logged_in_and_ends_what_they_do_not_know() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let (firefox, iphone) = (
        "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
        "Mozilla/5.0 (iPhone) Version/26.0 Safari/604.1",
    );
    let mut here = logged_in_with(&app, "ada@example.org", firefox).await;
    app.pass(1);
    let (curl, phone) = (
        logged_in_with(&app, "ada@example.org", "curl/8.5.0").await,
        logged_in_with(&app, "ada@example.org", iphone).await,
    );
    let odd = logged_in_with(&app, "ada@example.org", "<script>alert(1)</script>").await;
    let page = here.get("/account").await;
    for words in [
        "Firefox on Linux",
        "Safari on iPhone",
        "curl",
        "an unknown program",
        "With the password, from 203.0.113.7",
    ] {
        assert!(
            page.body.replace("<!>", "").contains(words),
            "{words}: {}",
            page.body
        );
    }
    assert_eq!(
        (
            page.body.matches("This browser").count(),
            page.body.contains("<script>alert")
        ),
        (1, false)
    );
    let oldest = page.text(".lines li:last-child").unwrap();
    assert!(
        oldest.starts_with("Firefox on Linux") && oldest.ends_with("This browser"),
        "the newest first: {oldest}"
    );
    let page = here.submit(&page, "End the session of curl", &[]).await;
    assert_eq!(
        page.text("[role=status]").as_deref(),
        Some("That session is ended.")
    );
    assert_eq!(
        (
            is_in(&here).await,
            is_in(&curl).await,
            is_in(&phone).await,
            is_in(&odd).await
        ),
        (true, false, true, true)
    );
    let page = here.submit(&page, "End all other sessions", &[]).await;
    assert_eq!(
        (is_in(&here).await, is_in(&phone).await, is_in(&odd).await),
        (true, false, false)
    );
    assert!(
        !page.body.contains("End all other sessions") && !page.body.contains("iPhone"),
        "there are none: {}",
        page.body
    );
}

#[tokio::test]
async fn a_session_that_is_not_ones_own_is_not_there() {
    let app = App::new().await;
    let (ada, eve) = (
        app.member("ada@example.org").await,
        app.member("eve@example.org").await,
    );
    let (mut adas, other, eves) = (
        logged_in(&app, "ada@example.org").await,
        logged_in(&app, "ada@example.org").await,
        logged_in(&app, "eve@example.org").await,
    );
    let own = sessions_of(&app, &ada).await;
    assert_eq!(
        adas.post_form("/account", &[("session", "others")])
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    let ended = own
        .iter()
        .filter(|id| !adas_own(&adas, id))
        .cloned()
        .collect::<Vec<_>>();
    assert_eq!((ended.len(), is_in(&other).await), (1, false));
    let foreign = sessions_of(&app, &eve).await.remove(0);
    let events = app.count("SELECT count(*) FROM auth_event").await;
    for id in [
        foreign.as_str(),
        &ended[0],
        &random::uuid().to_string(),
        &eve.id.to_string(),
        "x",
        "",
        "OTHERS",
        "' OR 1=1 --",
    ] {
        let page = adas.post_form("/account", &[("session", id)]).await;
        assert_eq!(
            (page.status, page.heading().as_str()),
            (StatusCode::NOT_FOUND, "Your account"),
            "{id}"
        );
    }
    assert_eq!((is_in(&adas).await, is_in(&eves).await), (true, true));
    assert_eq!(
        app.count("SELECT count(*) FROM auth_event").await,
        events,
        "and nothing is written down as ended"
    );
    assert_eq!(
        app.browser()
            .post_form("/account", &[("session", &foreign)])
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );
}

/// Whether this session's id is the one inside the browser's token.
fn adas_own(browser: &Browser, id: &str) -> bool {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let claims = URL_SAFE_NO_PAD
        .decode(browser.cookie(COOKIE).unwrap().split('.').nth(1).unwrap())
        .unwrap();
    String::from_utf8(claims).unwrap().contains(id)
}

#[tokio::test]
async fn ending_the_present_session_logs_out() {
    let app = App::new().await;
    let ada = app.member("ada@example.org").await;
    let mut browser = logged_in(&app, "ada@example.org").await;
    let copy = browser.clone();
    let own = sessions_of(&app, &ada).await.remove(0);
    let page = browser.post_form("/account", &[("session", &own)]).await;
    assert_eq!(
        (page.status, browser.cookie(COOKIE)),
        (StatusCode::SEE_OTHER, None)
    );
    assert!(page.header("clear-site-data").is_some());
    assert!(!is_in(&copy).await);
}

#[tokio::test]
async fn who_deletes_their_account_is_gone_and_a_later_one_inherits_nothing() {
    // MediaManager may have stored the address with capital letters.
    for stored in ["ada@example.org", "Ada@Example.org"] {
        let app = App::with(&format!("{RESETS}{SMTP}")).await;
        app.user("boss@example.org", Role::Administrator).await;
        app.member("ada@example.org").await;
        app.sql(&format!(
            "UPDATE \"user\" SET email = '{stored}' WHERE email = 'ada@example.org'"
        ))
        .await;
        let (mut here, there) = (
            logged_in(&app, "ada@example.org").await,
            logged_in(&app, "ada@example.org").await,
        );
        let links = [
            mailed(&app, "ada@example.org").await,
            handed_over(&app, "ada@example.org").await,
        ];
        // These mails are still waiting when the account goes.
        app.browser()
            .post_form("/login/forgot-password", &[("email", "ada@example.org")])
            .await;
        here.post_form("/account/address", &[("email", "new@example.org")])
            .await;
        let page = here.get("/account/delete").await;
        assert!(page.text(".lead").unwrap().contains(stored));
        let page = here.submit(&page, "Delete my account", &[]).await;
        assert_eq!(
            (page.path.as_str(), here.cookie(COOKIE)),
            ("/login?notice=account_deleted", None)
        );
        assert!(!is_in(&there).await && !may_log_in(&app, "ada@example.org", PASSWORD).await);
        for table in ["auth_session", "auth_user_account"] {
            assert_eq!(
                app.count(&format!(
                    "SELECT count(*) FROM {table} WHERE user_id NOT IN (SELECT id FROM \"user\")"
                ))
                .await,
                0,
                "{table}"
            );
        }
        app.user("ada@example.org", Role::Pending).await;
        assert!(!is_in(&there).await);
        assert_eq!(
            app.mails()
                .await
                .iter()
                .map(|mail| mail.to.clone())
                .collect::<Vec<_>>(),
            Vec::<String>::new(),
            "{stored}: mails to somebody who is gone"
        );
        for link in links {
            assert_eq!(app.browser().get(&link).await.status, StatusCode::GONE);
        }
    }
}

#[tokio::test]
async fn the_last_administrator_cannot_leave() {
    let app = App::new().await;
    app.user("ada@example.org", Role::Administrator).await;
    app.user("bob@example.org", Role::Administrator).await;
    app.member("eve@example.org").await;
    app.sql("UPDATE \"user\" SET is_active = false WHERE email = 'bob@example.org'")
        .await;
    let mut ada = logged_in(&app, "ada@example.org").await;
    let page = ada.get("/account/delete").await;
    let page = ada.submit(&page, "Delete my account", &[]).await;
    assert_eq!(
        (page.status, page.heading().as_str()),
        (StatusCode::CONFLICT, "Delete your account"),
        "a disabled one is none"
    );
    assert!(
        page.text("[role=alert]")
            .unwrap()
            .starts_with("This is the last active administrator.")
    );
    assert!(is_in(&ada).await);
    app.sql("UPDATE \"user\" SET is_active = true WHERE email = 'bob@example.org'")
        .await;
    assert_eq!(
        ada.submit(&page, "Delete my account", &[]).await.path,
        "/login?notice=account_deleted"
    );
    assert_eq!(
        app.count("SELECT count(*) FROM \"user\" WHERE is_superuser")
            .await,
        1
    );
}
