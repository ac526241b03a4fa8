//! What administrators see of others, and nobody else (SR-140, SR-146).

use crate::support::{Account, App, Browser, Household, PASSWORD, Page, TOKEN_SECRET};
use axum::http::{Method, StatusCode};
use mediamanager_auth::{
    domain::User,
    server::{crypto::random, db, flows::users::Role},
};
use scraper::{Html, Selector};

mod actions;
mod admin_emails;
mod invite;

async fn logged_in(app: &App, email: &str) -> Browser {
    let mut browser = app.browser();
    assert!(browser.log_in(email, PASSWORD).await.status.is_success());
    browser
}

/// Ada, an administrator, in a browser; and Bob, a member.
async fn household(toml: &str) -> (App, Browser, User, User) {
    let app = App::with(toml).await;
    let ada = app.user("ada@example.org", Role::Administrator).await;
    let bob = app.member("bob@example.org").await;
    let browser = logged_in(&app, "ada@example.org").await;
    (app, browser, ada, bob)
}

fn path_of(user: &User) -> String {
    format!("/users/{}", user.id)
}

/// Does something to somebody as an administrator does: from the list of what can be done, over the
/// page that asks first.
async fn act(admin: &mut Browser, user: &User, verb: &str) -> Page {
    let page = admin.get(&path_of(user)).await;
    let link = texts(&page, ".card a")
        .into_iter()
        .zip(attributes(&page, ".card a", "href"))
        .find(|(text, _)| text == verb);
    let page = admin
        .get(
            &link
                .unwrap_or_else(|| panic!("no way to {verb:?}: {}", page.body))
                .1,
        )
        .await;
    assert_eq!(page.heading(), format!("{verb}?"));
    admin.submit(&page, verb, &[]).await
}

async fn is_in(browser: &Browser) -> bool {
    browser
        .clone()
        .call(Method::GET, "/api/v1/users/me", &[], "")
        .await
        .status
        == StatusCode::OK
}

fn texts(page: &Page, selector: &str) -> Vec<String> {
    let html = Html::parse_document(&page.body);
    let fold = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    html.select(&Selector::parse(selector).unwrap())
        .map(|element| fold(element.text().collect()))
        .collect()
}

fn attributes(page: &Page, selector: &str, name: &str) -> Vec<String> {
    let html = Html::parse_document(&page.body);
    html.select(&Selector::parse(selector).unwrap())
        .map(|element| element.attr(name).unwrap().to_owned())
        .collect()
}

/// The addresses in the list.
fn listed(page: &Page) -> Vec<String> {
    assert_eq!(page.status, StatusCode::OK);
    texts(page, "tbody th")
}

/// What stands beside a word on the page of a user.
fn fact(page: &Page, word: &str) -> String {
    let place = texts(page, "dl.facts dt")
        .iter()
        .position(|term| term == word);
    texts(page, "dl.facts dd").remove(place.unwrap_or_else(|| panic!("no {word}: {}", page.body)))
}

async fn search(admin: &mut Browser, text: &str, which: &str) -> Page {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("q", text)
        .append_pair("which", which)
        .finish();
    admin.get(&format!("/users?{query}")).await
}

#[tokio::test]
async fn an_administrator_finds_people_by_any_part_of_their_address() {
    let (app, mut ada, ..) = household("").await;
    for email in [
        "a_b@example.net",
        "axb@example.net",
        "100%real@example.net",
        "100xreal@example.net",
        "carol@example.net",
        "slash@example.net",
    ] {
        app.member(email).await;
    }
    // As MediaManager may have stored them.
    app.sql("UPDATE \"user\" SET email = 'Carol@Example.net' WHERE email = 'carol@example.net'")
        .await;
    app.sql(
        "UPDATE \"user\" SET email = 'back\\slash@example.net' WHERE email = 'slash@example.net'",
    )
    .await;
    for (text, found) in [
        ("CAROL", &["Carol@Example.net"][..]),
        ("  carol ", &["Carol@Example.net"]),
        ("a_b", &["a_b@example.net"]),
        ("%", &["100%real@example.net"]),
        ("0%r", &["100%real@example.net"]),
        ("\\", &["back\\slash@example.net"]),
        ("k\\s", &["back\\slash@example.net"]),
        ("\\%", &[]),
        ("example.org", &["ada@example.org", "bob@example.org"]),
        ("' OR 1=1 --", &[]),
        ("nobody", &[]),
    ] {
        let page = search(&mut ada, text, "").await;
        assert_eq!(listed(&page), found, "{text:?}");
        assert_eq!(page.attribute("#q", "value").as_deref(), Some(text.trim()));
        let caption = match found.len() {
            0 => "Nobody matches.".to_owned(),
            1 => "One account".to_owned(),
            number => format!("{number} accounts"),
        };
        assert_eq!(page.text("caption"), Some(caption), "{text:?}");
    }
    assert_eq!(listed(&search(&mut ada, "", "").await).len(), 8);
    let page = search(&mut ada, "\"><script>alert(1)</script>", "").await;
    assert!(!page.body.contains("<script>alert(1)"), "{}", page.body);
}

#[tokio::test]
async fn the_parts_of_the_list_hold_whom_they_say() {
    let (app, mut ada, ..) = household("").await;
    app.user("new@example.org", Role::Pending).await;
    app.user("gone@example.org", Role::Pending).await;
    app.sql("UPDATE \"user\" SET is_active = false WHERE email = 'gone@example.org'")
        .await;
    for (which, found) in [
        (
            "",
            &[
                "ada@example.org",
                "bob@example.org",
                "gone@example.org",
                "new@example.org",
            ][..],
        ),
        ("pending", &["new@example.org"]),
        ("active", &["ada@example.org", "bob@example.org"]),
        ("disabled", &["gone@example.org"]),
        ("administrators", &["ada@example.org"]),
        (
            "nonsense",
            &[
                "ada@example.org",
                "bob@example.org",
                "gone@example.org",
                "new@example.org",
            ],
        ),
    ] {
        assert_eq!(listed(&search(&mut ada, "", which).await), found, "{which}");
    }
    let page = search(&mut ada, "b@", "active").await;
    assert_eq!(
        (
            listed(&page),
            page.attribute("option[selected]", "value").as_deref()
        ),
        (vec!["bob@example.org".to_owned()], Some("active"))
    );
    let page = ada.get("/users").await;
    assert_eq!(
        texts(&page, "tbody td:nth-child(2)"),
        ["Active", "Active", "Disabled", "Waiting"]
    );
    assert_eq!(
        texts(&page, "tbody td:nth-child(3)"),
        ["Administrator", "Member", "Member", "Member"]
    );
    assert_eq!(texts(&page, "tbody button"), ["Approve new@example.org"]);
}

#[tokio::test]
async fn the_fifty_first_is_on_the_second_page() {
    let (app, mut ada, ..) = household("").await;
    for number in 0..51 {
        app.member(&format!("user{number:02}@example.net")).await;
    }
    let page = search(&mut ada, "@example.net", "active").await;
    assert_eq!(
        (
            listed(&page).len(),
            page.text("caption").as_deref(),
            page.text("nav.links").as_deref()
        ),
        (50, Some("51 accounts"), Some("Page 1 of 2 · Next page"))
    );
    let next = page.attribute("a[rel=next]", "href").unwrap();
    let page = ada.get(&next).await;
    assert_eq!(
        listed(&page),
        ["user50@example.net"],
        "the search goes along"
    );
    assert_eq!(
        page.text("nav.links").as_deref(),
        Some("Previous page · Page 2 of 2")
    );
    let previous = page.attribute("a[rel=prev]", "href").unwrap();
    assert_eq!(listed(&ada.get(&previous).await)[0], "user00@example.net");
    for (number, rows) in [
        ("0", 50),
        ("-1", 50),
        ("x", 50),
        ("", 50),
        ("3", 0),
        ("18446744073709551615", 0),
        ("99999999999999999999", 50),
    ] {
        assert_eq!(
            listed(
                &ada.get(&format!("/users?q=%40example.net&page={number}"))
                    .await
            )
            .len(),
            rows,
            "{number}"
        );
    }
}

#[tokio::test]
async fn the_menu_says_how_many_wait_and_the_list_lets_them_in() {
    let (app, mut ada, _, _) = household("").await;
    assert_eq!(ada.get("/account").await.text(".menu .badge"), None);
    app.user("eve@example.org", Role::Pending).await;
    app.user("new@example.org", Role::Pending).await;
    for path in ["/account", "/users", "/users/events"] {
        assert_eq!(
            ada.get(path).await.text(".menu .badge").as_deref(),
            Some("2 waiting"),
            "{path}"
        );
    }
    let mut eve = logged_in(&app, "eve@example.org").await;
    assert_eq!(
        (
            eve.get("/account").await.text(".menu a[href='/users']"),
            eve.get("/login").await.path.as_str()
        ),
        (None, "/login/verify")
    );
    let page = ada.get("/users").await;
    assert_eq!(
        page.text(".notice a").as_deref(),
        Some("2 accounts wait for approval")
    );
    let page = ada.submit(&page, "Approve eve@example.org", &[]).await;
    assert_eq!(
        (page.path.as_str(), listed(&page)),
        (
            "/users?which=pending&notice=user_approved",
            vec!["new@example.org".to_owned()]
        )
    );
    assert_eq!(page.text(".menu .badge").as_deref(), Some("1 waiting"));
    assert_eq!(
        eve.get("/login").await.path,
        "/account",
        "in her session, with the next click"
    );
    assert_eq!(
        app.count("SELECT count(*) FROM \"user\" WHERE is_verified")
            .await,
        3,
        "and nobody else"
    );
}

#[tokio::test]
async fn no_page_holds_a_hash_a_token_or_a_secret() {
    let (app, mut ada, user, bob) = household("").await;
    let his = logged_in(&app, "bob@example.org").await;
    let hash = db::users::find_with_hash(&app.state.db, bob.id)
        .await
        .unwrap()
        .unwrap()
        .hashed_password;
    let paths = [
        "/users",
        "/users/new",
        "/users/events",
        &path_of(&bob),
        &path_of(&user),
        &format!("/users/change?id={}&action=delete", bob.id),
    ]
    .map(str::to_owned);
    for path in paths.into_iter().chain([
        format!("/users/address?id={}", bob.id),
        "/account".to_owned(),
    ]) {
        let page = ada.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        for secret in [
            hash.as_str(),
            "$argon2",
            his.cookie("fastapiusersauth").unwrap(),
            ada.cookie("fastapiusersauth").unwrap(),
            TOKEN_SECRET,
        ] {
            assert!(!page.body.contains(secret), "{path}: {secret}");
        }
    }
}

#[tokio::test]
async fn whoever_is_no_administrator_gets_no_page_and_no_data() {
    let (app, _, ada, bob) = household("").await;
    app.user("eve@example.org", Role::Pending).await;
    app.user("withdrawn@example.org", Role::Administrator).await;
    app.sql("UPDATE \"user\" SET is_verified = false WHERE email = 'withdrawn@example.org'")
        .await;
    let id = ada.id.to_string();
    let pages = [
        "/users",
        "/users?q=ada",
        "/users/new",
        "/users/events",
        "/users/link",
        "/users/x",
        &format!("/users/{id}"),
    ]
    .map(str::to_owned);
    let more =
        ["/users/address", "/users/change"].map(|page| format!("{page}?id={id}&action=delete"));
    let actions = [
        "approve",
        "disable",
        "enable",
        "make-administrator",
        "make-member",
        "end-sessions",
        "end-session",
        "create-reset-link",
        "delete",
    ];
    let forms: Vec<_> = actions
        .iter()
        .map(|action| {
            (
                "/users/change",
                vec![("id", id.as_str()), ("action", *action)],
            )
        })
        .collect();
    let forms: Vec<_> = forms
        .into_iter()
        .chain([
            (
                "/users/address",
                vec![("id", id.as_str()), ("email", "eve2@example.org")],
            ),
            ("/users/new", vec![("email", "eve2@example.org")]),
        ])
        .collect();
    for email in [
        "bob@example.org",
        "eve@example.org",
        "withdrawn@example.org",
    ] {
        let mut browser = logged_in(&app, email).await;
        for path in pages.iter().chain(&more) {
            let page = browser.get(path).await;
            assert!(
                [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&page.status),
                "{email} {path}: {}",
                page.status
            );
            assert!(
                !page.body.contains("ada@")
                    && !page.body.contains("waiting</span>")
                    && !page.body.contains("href=\"/users\""),
                "{email} {path}: {}",
                page.body
            );
        }
        for (path, fields) in &forms {
            let page = browser.post_form(path, fields).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{email} {fields:?}");
            assert!(
                !page.body.contains("ada@"),
                "{email} {fields:?}: {}",
                page.body
            );
            // As the page's script would send it, and with the user in the address.
            let headers = [
                ("accept", "application/json"),
                ("content-type", "application/x-www-form-urlencoded"),
                ("sec-fetch-site", "same-origin"),
            ];
            let body = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish();
            let page = browser
                .call(
                    Method::POST,
                    &format!("{path}?id={id}&action=delete"),
                    &headers,
                    &body,
                )
                .await;
            assert_eq!(
                (page.status, page.body.contains("ada@")),
                (StatusCode::FORBIDDEN, false),
                "{email} {fields:?}"
            );
        }
    }
    let mut nobody = app.browser();
    for path in pages.iter().chain(&more) {
        let page = nobody.get(path).await;
        assert!(
            page.path.starts_with("/login?return_to=%2Fusers") && !page.body.contains("ada@"),
            "{path}: {}",
            page.path
        );
    }
    for (path, fields) in &forms {
        let page = nobody.post_form(path, fields).await;
        assert_eq!(
            (page.status, page.body.contains("ada@")),
            (StatusCode::UNAUTHORIZED, false),
            "{fields:?}"
        );
    }
    assert_eq!(
        app.count("SELECT count(*) FROM \"user\" WHERE is_active")
            .await,
        4,
        "nothing is made, disabled or deleted"
    );
    assert_eq!(
        app.count("SELECT count(*) FROM \"user\" WHERE is_superuser")
            .await,
        2
    );
    let refused = db::events::AuditFilter {
        user: Some(bob.id),
        kind: Some(mediamanager_auth::domain::AuditEvent::AccessDenied),
        ..Default::default()
    };
    assert!(
        db::events::find_page(&app.state.db, &refused, 0, 1)
            .await
            .unwrap()
            .1
            > 0,
        "and it is written down"
    );
}

#[tokio::test]
async fn what_is_no_user_and_no_action_is_not_found() {
    let (_app, mut ada, _, bob) = household("").await;
    let stranger = random::uuid();
    for (action, status) in [
        ("delete", StatusCode::NOT_FOUND),
        ("disable", StatusCode::NOT_FOUND),
        ("create-reset-link", StatusCode::NOT_FOUND),
        ("", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(
            ada.post_form(
                "/users/change",
                &[("id", &stranger.to_string()), ("action", action)]
            )
            .await
            .status,
            status,
            "{action}"
        );
    }
    for path in [
        "/users/x".to_owned(),
        "/users/link".to_owned(),
        format!("/users/{stranger}"),
        format!("/users/{}x", bob.id),
        format!("/users/change?id={stranger}&action=delete"),
        format!("/users/change?id={}&action=explode", bob.id),
        format!("/users/address?id={stranger}"),
        "/users/address".to_owned(),
        "/users/change?action=delete".to_owned(),
    ] {
        let page = ada.get(&path).await;
        assert_eq!(
            (page.status, page.heading().as_str()),
            (StatusCode::NOT_FOUND, "Page not found"),
            "{path}"
        );
    }
}

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
