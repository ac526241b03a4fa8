//! A forgotten password, by mail and handed over (SR-040 to SR-049).

use axum::http::{Method, StatusCode};
use mediamanager_auth::server::flows::users::Role;
use serde_json::json;

use crate::support::{App, Browser, PASSWORD, Page, SMTP, log::Log};

mod links;

const NEW: &str = "copper lantern meadow 4";
const RESETS: &str = "auth.email_password_resets = true\n";

async fn app() -> App {
    App::with(&format!("{RESETS}{SMTP}")).await
}

async fn forget(app: &App, email: &str) -> Page {
    let mut browser = app.browser();
    let page = browser.get("/login/forgot-password").await;
    browser
        .submit(&page, "Send link", &[("email", email)])
        .await
}

/// The path of a link that Ada has got by mail.
async fn mailed(app: &App) -> String {
    forget(app, "ada@example.org").await;
    app.mail().await.link()
}

async fn set(browser: &mut Browser, link: &str, password: &str) -> Page {
    let page = browser.get(link).await;
    if page.status != StatusCode::OK {
        return page;
    }
    browser
        .submit(&page, "Set password", &[("password", password)])
        .await
}

fn json_headers() -> [(&'static str, &'static str); 2] {
    [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ]
}

async fn post(app: &App, path: &str, body: &serde_json::Value) -> Page {
    app.browser()
        .call(Method::POST, path, &json_headers(), &body.to_string())
        .await
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_and_everybody_else_is_out() {
    let app = app().await;
    app.member("ada@example.org").await;
    let mut elsewhere = app.browser();
    elsewhere.log_in("ada@example.org", PASSWORD).await;

    let page = forget(&app, " Ada@Example.org ").await;
    assert_eq!(page.path, "/login?notice=reset_requested");
    assert!(
        page.text("[role=status]")
            .unwrap()
            .contains("a mail with a link is on its way")
    );
    let mail = app.mail().await;
    assert_eq!(
        (mail.to.as_str(), mail.subject.as_str()),
        ("ada@example.org", "New password for MediaManager")
    );
    for header in [
        "Auto-Submitted: auto-generated",
        "Date: ",
        "Message-ID: <",
        "From: MediaManager <media@example.org>",
    ] {
        assert!(mail.headers.contains(header), "{header}: {}", mail.headers);
    }
    assert!(mail.html.contains(&mail.link()) && mail.html.contains("color-scheme"));

    let mut browser = app.browser();
    let page = browser.get(&mail.link()).await;
    assert_eq!(
        (page.path.as_str(), page.heading().as_str()),
        ("/login/reset-password", "Choose a new password")
    );
    assert_eq!(
        page.attribute("#email", "value").as_deref(),
        Some("ada@example.org"),
        "for the password manager"
    );
    assert_eq!(
        page.attribute("#email", "autocomplete").as_deref(),
        Some("username")
    );
    assert_eq!(
        page.attribute("#password", "autocomplete").as_deref(),
        Some("new-password")
    );
    let page = browser
        .submit(&page, "Set password", &[("password", NEW)])
        .await;
    assert_eq!(page.path, "/login?notice=password_reset");
    assert_eq!(
        browser.get("/account").await.path,
        "/login?return_to=%2Faccount",
        "nobody is logged in by it"
    );
    assert_eq!(
        elsewhere.get("/account").await.path,
        "/login?return_to=%2Faccount",
        "everybody is out"
    );

    let notice = app.mail().await;
    assert_eq!(notice.subject, "Your password for MediaManager was changed");
    assert!(
        notice.text.contains("203.0.113.7") && notice.text.contains(" UTC"),
        "{}",
        notice.text
    );
    assert_eq!(
        app.browser()
            .log_in("ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        app.browser().log_in("ada@example.org", NEW).await.path,
        "/account"
    );
}

#[tokio::test]
async fn an_unknown_address_gets_the_same_answer_and_no_mail() {
    let app = app().await;
    app.member("ada@example.org").await;
    app.user("disabled@example.org", Role::Member).await;
    app.sql("UPDATE \"user\" SET is_active = false WHERE email = 'disabled@example.org'")
        .await;
    let mut answers = Vec::new();
    for email in [
        "ada@example.org",
        "nobody@example.org",
        "disabled@example.org",
    ] {
        let page = forget(&app, email).await;
        answers.push((page.status, page.text("main"), page.path));
        let json = post(
            &app,
            "/api/v1/auth/forgot-password",
            &json!({ "email": email }),
        )
        .await;
        assert_eq!(
            (json.status, json.body.as_str(), json.header("content-type")),
            (StatusCode::ACCEPTED, "null", Some("application/json"))
        );
    }
    assert!(
        answers.windows(2).all(|pair| pair[0] == pair[1]),
        "{answers:?}"
    );
    let mails = app.mails().await;
    assert_eq!(
        mails
            .iter()
            .map(|mail| mail.to.as_str())
            .collect::<Vec<_>>(),
        ["ada@example.org", "ada@example.org"]
    );
}

#[tokio::test]
async fn a_reset_link_works_once() {
    let app = app().await;
    app.member("ada@example.org").await;
    let link = mailed(&app).await;
    assert_eq!(
        set(&mut app.browser(), &link, NEW).await.path,
        "/login?notice=password_reset"
    );
    let again = app.browser().get(&link).await;
    assert_eq!(
        (again.status, again.heading().as_str()),
        (StatusCode::GONE, "Something went wrong")
    );
    assert_eq!(
        again.attribute("a.button", "href").as_deref(),
        Some("/login/forgot-password"),
        "no dead end"
    );
}

#[tokio::test]
async fn of_twenty_uses_of_one_link_at_once_one_wins() {
    let app = app().await;
    app.member("ada@example.org").await;
    let link = mailed(&app).await;
    let token = link.split("token=").nth(1).unwrap().to_owned();
    let uses = (0..20).map(|number| {
        let (mut browser, token) = (
            app.browser().at(&format!("198.51.100.{number}")),
            token.clone(),
        );
        async move {
            let body = json!({ "token": token, "password": format!("{NEW} number {number}") });
            browser
                .call(
                    Method::POST,
                    "/api/v1/auth/reset-password",
                    &json_headers(),
                    &body.to_string(),
                )
                .await
        }
    });
    let answers = futures_util::future::join_all(uses).await;
    let (winners, losers): (Vec<_>, Vec<_>) =
        (0..20).partition(|number: &usize| answers[*number].status == StatusCode::OK);
    assert_eq!(winners.len(), 1, "{winners:?}");
    for answer in losers.iter().map(|number| &answers[*number]) {
        assert_eq!(
            (answer.status, answer.json()["detail"].as_str()),
            (StatusCode::BAD_REQUEST, Some("RESET_PASSWORD_BAD_TOKEN"))
        );
    }
    assert_eq!(
        app.browser()
            .log_in("ada@example.org", &format!("{NEW} number {}", winners[0]))
            .await
            .path,
        "/account",
        "the winner's password counts"
    );
    assert_eq!(
        app.mail().await.subject,
        "Your password for MediaManager was changed",
        "and one notice goes out"
    );
}

#[tokio::test]
async fn the_page_sets_the_password_of_whom_it_names() {
    let app = app().await;
    app.member("ada@example.org").await;
    app.member("eve@example.org").await;
    let mut browser = app.browser();
    let adas = browser.get(&mailed(&app).await).await;
    // A second link is opened in the same browser, in another tab.
    forget(&app, "eve@example.org").await;
    let link = app.mail().await.link();
    browser.get(&link).await;
    assert_eq!(
        browser
            .submit(&adas, "Set password", &[("password", NEW)])
            .await
            .status,
        StatusCode::GONE
    );
    assert_eq!(
        app.browser().log_in("eve@example.org", PASSWORD).await.path,
        "/account"
    );
    assert_eq!(
        app.browser().log_in("ada@example.org", PASSWORD).await.path,
        "/account"
    );
}

#[tokio::test]
async fn programs_that_look_through_mail_use_nothing_up() {
    let app = app().await;
    app.member("ada@example.org").await;
    let link = mailed(&app).await;
    for method in [Method::HEAD, Method::GET, Method::OPTIONS, Method::GET] {
        app.browser().call(method, &link, &[], "").await;
    }
    assert_eq!(
        set(&mut app.browser(), &link, NEW).await.path,
        "/login?notice=password_reset"
    );
}

#[tokio::test]
async fn the_token_leaves_the_address_and_is_not_in_the_page() {
    let app = app().await;
    app.member("ada@example.org").await;
    let link = mailed(&app).await;
    let token = link.split("token=").nth(1).unwrap().to_owned();
    let mut browser = app.browser();
    let answer = browser.call(Method::GET, &link, &[], "").await;
    assert_eq!(
        (answer.status, answer.location().as_deref()),
        (StatusCode::SEE_OTHER, Some("/login/reset-password"))
    );
    let cookie = answer.header("set-cookie").unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && !cookie.contains(&token),
        "{cookie}"
    );
    let page = browser.get("/login/reset-password").await;
    assert!(!page.body.contains(&token));
    assert_eq!(
        (page.header("cache-control"), page.header("referrer-policy")),
        (Some("no-store"), Some("same-origin"))
    );
}

#[tokio::test]
async fn a_refused_password_says_why_and_uses_nothing_up() {
    let app = app().await;
    app.member("ada.lovelace@example.org").await;
    forget(&app, "ada.lovelace@example.org").await;
    let link = app.mail().await.link();
    let mut browser = app.browser();
    let page = browser.get(&link).await;
    for (password, reason) in [
        ("short", "Use at least 12 characters."),
        ("passwordpassword", "easy to guess"),
        (
            "my ada.lovelace password",
            "does not contain your e-mail name",
        ),
    ] {
        let page = browser
            .submit(&page, "Set password", &[("password", password)])
            .await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            page.text("#password-error").unwrap().contains(reason),
            "{:?}",
            page.text("#password-error")
        );
        assert_eq!(
            page.attribute("#email", "value").as_deref(),
            Some("ada.lovelace@example.org")
        );
    }
    let token = link.split("token=").nth(1).unwrap();
    let json = post(
        &app,
        "/api/v1/auth/reset-password",
        &json!({ "token": token, "password": "short" }),
    )
    .await;
    assert_eq!(
        (json.status, json.json()["detail"]["code"].as_str()),
        (
            StatusCode::BAD_REQUEST,
            Some("RESET_PASSWORD_INVALID_PASSWORD")
        )
    );
    assert_eq!(
        set(&mut browser, &link, NEW).await.path,
        "/login?notice=password_reset"
    );
}

#[tokio::test]
async fn a_link_dies_with_everything_that_it_replaces() {
    for change in [
        "UPDATE \"user\" SET hashed_password = '$argon2id$other'",
        "UPDATE \"user\" SET email = 'new@example.org'",
        "UPDATE \"user\" SET is_active = false",
        "DELETE FROM \"user\"",
    ] {
        let app = app().await;
        app.member("ada@example.org").await;
        let (first, second) = (mailed(&app).await, mailed(&app).await);
        app.sql(change).await;
        for link in [first, second] {
            assert_eq!(
                app.browser().get(&link).await.status,
                StatusCode::GONE,
                "{change}"
            );
        }
    }
}

#[tokio::test]
async fn a_strangers_requests_do_not_kill_the_owners_link() {
    let app = app().await;
    app.member("ada@example.org").await;
    let first = mailed(&app).await;
    let second = mailed(&app).await;
    assert_eq!(
        set(&mut app.browser(), &first, NEW).await.path,
        "/login?notice=password_reset"
    );
    assert_eq!(
        app.browser().get(&second).await.status,
        StatusCode::GONE,
        "the first success ends them all"
    );
}

#[tokio::test]
async fn a_link_ends_after_its_time() {
    let app = app().await;
    app.member("ada@example.org").await;
    let link = mailed(&app).await;
    app.pass(1801);
    assert_eq!(app.browser().get(&link).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn tokens_of_other_purposes_and_damaged_ones_set_no_password() {
    let app = app().await;
    let setup = app
        .setup_path()
        .await
        .unwrap()
        .split("token=")
        .nth(1)
        .unwrap()
        .to_owned();
    let user = app.member("ada@example.org").await;
    let mut browser = app.browser();
    browser.log_in("ada@example.org", PASSWORD).await;
    let session = browser.cookie("fastapiusersauth").unwrap().to_owned();
    let proof = app
        .state
        .tokens
        .sign_link(
            mediamanager_auth::server::crypto::tokens::Purpose::EmailVerification,
            user.id,
            "ada@example.org",
            600,
        )
        .unwrap();
    let link = mailed(&app).await;
    let good = link.split("token=").nth(1).unwrap();
    // The fifth character from the end, and another than it was: one in 64 would else be right.
    let (kept, rest) = good.split_at(good.len() - 5);
    let damaged = format!(
        "{kept}{}{}",
        if rest.starts_with('x') { 'y' } else { 'x' },
        &rest[1..]
    );
    for token in [setup.as_str(), &session, &proof, &damaged, "", "x", "a.b.c"] {
        let json = post(
            &app,
            "/api/v1/auth/reset-password",
            &json!({ "token": token, "password": NEW }),
        )
        .await;
        assert_eq!(
            (json.status, json.json()["detail"].as_str()),
            (StatusCode::BAD_REQUEST, Some("RESET_PASSWORD_BAD_TOKEN")),
            "{token}"
        );
        assert_eq!(
            app.browser()
                .get(&format!("/login/reset-password?token={token}"))
                .await
                .status,
            StatusCode::GONE
        );
    }
    // And a reset token opens nothing else.
    let mut other = app.browser();
    other.set_cookie("fastapiusersauth", good);
    assert_eq!(
        other.get("/account").await.path,
        "/login?return_to=%2Faccount"
    );
    let body = json!({ "token": good }).to_string();
    assert_eq!(
        browser
            .call(Method::POST, "/api/v1/auth/verify", &json_headers(), &body)
            .await
            .json()["detail"],
        "VERIFY_USER_BAD_TOKEN"
    );
}

#[tokio::test]
async fn no_request_header_leads_a_link_elsewhere() {
    let app = app().await;
    app.member("ada@example.org").await;
    let headers = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=evil.example"),
        ("referer", "http://evil.example/"),
        ("content-type", "application/json"),
    ];
    let answer = app
        .browser()
        .call(
            Method::POST,
            "/api/v1/auth/forgot-password",
            &headers,
            r#"{"email":"ada@example.org"}"#,
        )
        .await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let mail = app.mail().await;
    assert!(
        mail.text
            .contains("\nhttp://localhost:8000/login/reset-password?token=")
            && !mail.text.contains("evil"),
        "{}",
        mail.text
    );
}

#[tokio::test]
async fn one_scalar_address_is_taken_and_the_mail_goes_to_the_accounts_own() {
    let app = app().await;
    app.member("ada@example.org").await;
    for body in [
        json!({ "email": ["ada@example.org", "eve@example.org"] }),
        json!({ "email": { "0": "ada@example.org" } }),
        json!({ "email": "ada@example.org,eve@example.org" }),
        json!({ "email": "ada@example.org;eve@example.org" }),
        json!({ "email": "ada@example.org eve@example.org" }),
        json!({ "email": "ada@example.org\r\nBcc: eve@example.org" }),
        json!({ "email": "ada@example.org\u{0}" }),
        json!({ "email": "ad\u{430}@example.org" }),
        json!({ "email": null }),
        json!({}),
    ] {
        let answer = post(&app, "/api/v1/auth/forgot-password", &body).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{body}: {}",
            answer.body
        );
        assert!(
            answer.json()["detail"][0]["loc"][1] == "email",
            "{}",
            answer.body
        );
    }
    let twice = app
        .browser()
        .call(
            Method::POST,
            "/api/v1/auth/forgot-password",
            &json_headers(),
            r#"{"email":"ada@example.org","email":"eve@example.org"}"#,
        )
        .await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY);
    let form = app
        .browser()
        .post_form(
            "/login/forgot-password",
            &[("email", "ada@example.org"), ("email", "eve@example.org")],
        )
        .await;
    assert_eq!(form.status, StatusCode::BAD_REQUEST);
    assert_eq!(app.mails().await.len(), 0);
}

#[tokio::test]
async fn nobodys_mailbox_is_filled() {
    let app = app().await;
    app.member("ada@example.org").await;
    for number in 0..8 {
        let mut browser = app.browser().at(&format!("198.51.100.{number}"));
        let answer = browser
            .call(
                Method::POST,
                "/api/v1/auth/forgot-password",
                &json_headers(),
                r#"{"email":"ada@example.org"}"#,
            )
            .await;
        assert_eq!(
            answer.status,
            StatusCode::ACCEPTED,
            "the answer stays the same"
        );
    }
    assert_eq!(app.mails().await.len(), 3);
    app.pass(3601);
    forget(&app, "ada@example.org").await;
    assert_eq!(
        app.mails().await.len(),
        1,
        "an hour later there may be another"
    );
}

#[tokio::test]
async fn a_network_may_ask_ten_times_an_hour_and_try_twenty_tokens() {
    let app = app().await;
    app.member("ada@example.org").await;
    let mut browser = app.browser();
    for number in 0..11 {
        let page = browser
            .post_form(
                "/login/forgot-password",
                &[("email", &format!("nobody{number}@example.org"))],
            )
            .await;
        assert_eq!(
            page.status,
            if number < 10 {
                StatusCode::SEE_OTHER
            } else {
                StatusCode::TOO_MANY_REQUESTS
            }
        );
    }
    for number in 0..21 {
        let answer = post(
            &app,
            "/api/v1/auth/reset-password",
            &json!({ "token": "x", "password": NEW }),
        )
        .await;
        assert_eq!(
            answer.status,
            if number < 20 {
                StatusCode::BAD_REQUEST
            } else {
                StatusCode::TOO_MANY_REQUESTS
            }
        );
        assert!(number < 20 || answer.header("retry-after").is_some());
    }
}

#[tokio::test]
async fn where_resets_are_off_no_token_is_made_or_taken() {
    for toml in [SMTP.to_owned(), RESETS.to_owned()] {
        let app = App::with(&toml).await;
        app.member("ada@example.org").await;
        assert!(
            app.browser()
                .get("/login")
                .await
                .attribute("p.aside", "hidden")
                .is_some()
        );
        let answer = post(
            &app,
            "/api/v1/auth/forgot-password",
            &json!({ "email": "ada@example.org" }),
        )
        .await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (StatusCode::ACCEPTED, "null")
        );
        assert_eq!(app.count("SELECT count(*) FROM auth_outbox").await, 0);
        assert!(
            app.browser()
                .get("/login/forgot-password")
                .await
                .body
                .contains("Ask an administrator"),
            "{toml}"
        );
    }
    // A link of better days, which is good in everything but that.
    let app = app().await;
    app.member("ada@example.org").await;
    let link = mailed(&app).await;
    let mut off = Browser::new(app.another(SMTP).await);
    let body =
        json!({ "token": link.split("token=").nth(1).unwrap(), "password": NEW }).to_string();
    let answer = off
        .call(
            Method::POST,
            "/api/v1/auth/reset-password",
            &json_headers(),
            &body,
        )
        .await;
    assert_eq!(
        (answer.status, answer.json()["detail"].as_str()),
        (StatusCode::BAD_REQUEST, Some("RESET_PASSWORD_BAD_TOKEN"))
    );
    assert_eq!(off.get(&link).await.status, StatusCode::GONE);
    assert_eq!(
        set(&mut app.browser(), &link, NEW).await.path,
        "/login?notice=password_reset",
        "where resets are on it works"
    );
}

#[tokio::test]
async fn links_in_mediamanagers_old_mails_lead_here() {
    let app = app().await;
    app.member("ada@example.org").await;
    let link = mailed(&app).await;
    let page = app.browser().get(&format!("/web{link}")).await;
    assert_eq!(page.heading(), "Choose a new password");
}

#[tokio::test]
async fn nothing_of_a_link_is_stored_or_logged() {
    let log = Log::begin();
    let app = app().await;
    app.member("ada@example.org").await;
    let link = mailed(&app).await;
    let token = link.split("token=").nth(1).unwrap().to_owned();
    set(&mut app.browser(), &link, NEW).await;
    set(&mut app.browser(), &link, NEW).await;
    let log = log.text();
    for event in ["reset_requested", "mail_sent", "password_reset"] {
        assert!(log.contains(event), "{event}: {log}");
    }
    for secret in [token.as_str(), NEW, "ada@example.org"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    assert_eq!(
        app.count("SELECT count(*) FROM auth_outbox WHERE address <> 'ada@example.org'")
            .await,
        0
    );
}
