use crate::support::{App, Browser, PASSWORD, Page, SMTP, app::CHEAP};
use axum::http::{Method, StatusCode};
use mediamanager_auth::{
    domain::User,
    server::{crypto::password_hasher::Hasher, flows::users::Role},
};
use serde_json::json;
use tokio::task::JoinSet;

mod settings;

const HOME: &str = "203.0.113.7";
const NEW: &str = "copper lantern meadow 4";

/// One try to log in from an address.
async fn attempt(app: &App, address: &str, email: &str, password: &str) -> Page {
    app.browser()
        .at(address)
        .post_form("/login", &[("email", email), ("password", password)])
        .await
}

async fn guess(app: &App, address: &str, email: &str) -> StatusCode {
    attempt(app, address, email, "a wrong guess").await.status
}

/// The address of the nth stranger.
fn stranger(n: usize) -> String {
    format!("198.51.{}.{}", n / 250, n % 250 + 1)
}

/// Fails this often, each time with another account.
async fn fail_from(app: &App, address: &str, times: usize) {
    for n in 0..times {
        assert_eq!(
            guess(app, address, &format!("nobody{n}@example.org")).await,
            StatusCode::UNAUTHORIZED,
            "failure {n}"
        );
    }
}

/// Fails this often with one account, each time from elsewhere.
async fn fail_with(app: &App, email: &str, strangers: std::ops::Range<usize>) {
    for n in strangers {
        assert_eq!(
            guess(app, &stranger(n), email).await,
            StatusCode::UNAUTHORIZED,
            "failure {n}"
        );
    }
}

fn retry_after(page: &Page) -> i64 {
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    page.header("retry-after")
        .expect("Retry-After")
        .parse()
        .unwrap()
}

#[tokio::test]
async fn twenty_failures_close_the_door_to_their_address_only() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    fail_from(&app, "203.0.113.9", 20).await;
    for (email, password) in [
        ("ada@example.org", PASSWORD),
        ("ada@example.org", "a wrong guess"),
        ("somebody@example.org", PASSWORD),
    ] {
        let page = attempt(&app, "203.0.113.9", email, password).await;
        assert!((595..=600).contains(&retry_after(&page)));
        assert_eq!(page.header("set-cookie"), None);
    }
    assert_eq!(
        attempt(&app, "203.0.113.10", "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    app.pass(590);
    assert_eq!(
        attempt(&app, "203.0.113.9", "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::TOO_MANY_REQUESTS
    );
    app.pass(10);
    assert_eq!(
        attempt(&app, "203.0.113.9", "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn the_contract_and_the_page_share_one_budget() {
    let app = App::new().await;
    fail_from(&app, "203.0.113.9", 18).await;
    let fields = [
        ("username", "eve@example.org"),
        ("password", "a wrong guess"),
    ];
    for path in ["/api/v1/auth/cookie/login", "/api/v1/auth/jwt/login"] {
        assert_eq!(
            app.browser()
                .at("203.0.113.9")
                .post_form(path, &fields)
                .await
                .status,
            StatusCode::BAD_REQUEST
        );
    }
    let page = app
        .browser()
        .at("203.0.113.9")
        .post_form("/api/v1/auth/cookie/login", &fields)
        .await;
    assert!(retry_after(&page) > 590);
    assert_eq!(page.body, r#"{"detail":"TOO_MANY_ATTEMPTS"}"#);
    assert_eq!(
        guess(&app, "203.0.113.9", "eve@example.org").await,
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[tokio::test]
async fn a_restart_forgives_nothing_and_instances_count_together() {
    let app = App::new().await;
    fail_from(&app, "203.0.113.9", 20).await;
    let mut elsewhere = Browser::new(app.another("").await).at("203.0.113.9");
    assert!(retry_after(&elsewhere.log_in("ada@example.org", PASSWORD).await) > 590);
}

#[tokio::test]
async fn who_is_turned_away_costs_no_hash() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    fail_from(&app, "203.0.113.9", 20).await;
    fail_with(&app, "eve@example.org", 0..10).await;
    app.pass(-30);
    // Here every hash would end in 503: nobody gets a turn.
    let no_turns = Hasher::new(CHEAP, 0).unwrap();
    let mut browser = Browser::new(app.with_hasher(no_turns));
    let page = browser
        .clone()
        .at("203.0.113.9")
        .log_in("ada@example.org", PASSWORD)
        .await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        browser.log_in("eve@example.org", PASSWORD).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[tokio::test]
async fn a_flood_is_turned_away_before_it_asks_the_database() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let hasher = Hasher::new(CHEAP, 1).unwrap();
    let mut browser = Browser::new(app.with_hasher(hasher.clone()));
    let mut places = Vec::new();
    for _ in 0..65 {
        places.push(hasher.acquire_slot().await.unwrap());
    }
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    let body = json!({ "token": "x", "password": PASSWORD }).to_string();
    let (mut signing_up, mut resetting) = (browser.clone(), browser.clone());
    let pages = tokio::join!(
        browser.log_in("ada@example.org", PASSWORD),
        signing_up.post_form(
            "/login/signup",
            &[("email", "eve@example.org"), ("password", PASSWORD)]
        ),
        resetting.call(Method::POST, "/api/v1/auth/reset-password", &headers, &body)
    );
    for page in [pages.0, pages.1, pages.2] {
        assert_eq!(
            (page.status, page.header("retry-after")),
            (StatusCode::SERVICE_UNAVAILABLE, Some("2")),
            "{}",
            page.path
        );
    }
    assert_eq!(
        app.count("SELECT count(*) FROM auth_rate_limit").await,
        0,
        "nothing was guessed or made, so nothing is counted"
    );
    drop(places);
    browser.log_in("ada@example.org", PASSWORD).await;
    assert_eq!(browser.get("/account").await.path, "/account");
}

#[tokio::test]
async fn who_never_got_a_turn_has_used_nothing_up() {
    let app = App::with("[policy.throttle]\nrequests_per_ip = 1").await;
    app.member("ada@example.org").await;
    fail_with(&app, "ada@example.org", 0..10).await;
    app.pass(2);
    // Their owner, from elsewhere and with the right password, in a flood; and somebody who wants
    // an account.
    let mut busy = Browser::new(app.with_hasher(Hasher::new(CHEAP, 0).unwrap())).at("198.51.100.7");
    let (mut signing_up, new) = (
        busy.clone(),
        [("email", "eve@example.org"), ("password", PASSWORD)],
    );
    let pages = tokio::join!(
        busy.log_in("ada@example.org", PASSWORD),
        signing_up.post_form("/login/signup", &new)
    );
    assert_eq!(
        (pages.0.status, pages.1.status),
        (
            StatusCode::SERVICE_UNAVAILABLE,
            StatusCode::SERVICE_UNAVAILABLE
        )
    );
    let mut calm = app.browser().at("198.51.100.7");
    assert_eq!(
        calm.clone().log_in("ada@example.org", PASSWORD).await.path,
        "/account"
    );
    assert_eq!(
        calm.post_form("/login/signup", &new).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn the_page_says_how_long_and_keeps_the_address() {
    let app = App::new().await;
    fail_from(&app, "203.0.113.7", 20).await;
    let page = app.browser().log_in("ada@example.org", PASSWORD).await;
    assert_eq!(
        (page.status, page.path.as_str()),
        (StatusCode::TOO_MANY_REQUESTS, "/login")
    );
    assert_eq!(
        page.text("[role=alert]").as_deref(),
        Some("Too many attempts. Try again in 10 minutes.")
    );
    assert_eq!(
        page.text("title").as_deref(),
        Some("Error: Log in · MediaManager")
    );
    assert_eq!(
        page.attribute("#email", "value").as_deref(),
        Some("ada@example.org")
    );
    assert_eq!(page.attribute("#password", "value"), None);
    assert!(!page.body.contains(PASSWORD));
}

#[tokio::test]
async fn ten_failures_with_an_account_bring_delays_that_double() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    // Somebody who does not exist is treated alike, or the difference would tell.
    for (email, first) in [("ada@example.org", 0), ("nobody@example.org", 100)] {
        fail_with(&app, email, first..first + 10).await;
        let mut strangers = first + 10..;
        let mut next = || stranger(strangers.next().unwrap());
        for delay in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            let refused = attempt(&app, &next(), email, PASSWORD).await;
            let wait = retry_after(&refused);
            assert_eq!(wait, delay, "{email}");
            let api = app
                .browser()
                .at(&next())
                .post_form(
                    "/api/v1/auth/cookie/login",
                    &[("username", email), ("password", PASSWORD)],
                )
                .await;
            assert_eq!(
                (api.status, api.body.as_str()),
                (
                    StatusCode::TOO_MANY_REQUESTS,
                    r#"{"detail":"TOO_MANY_ATTEMPTS"}"#
                )
            );
            app.pass(wait);
            assert_eq!(
                guess(&app, &next(), email).await,
                StatusCode::UNAUTHORIZED,
                "{email}: heard again after {delay} seconds"
            );
        }
        app.pass(900);
    }
    assert_eq!(
        attempt(&app, &stranger(240), "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER,
        "never locked for good"
    );
}

#[tokio::test]
async fn the_spelling_of_an_address_buys_no_new_budget() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    for (n, email) in [
        "ada@example.org",
        "ADA@example.org",
        " ada@EXAMPLE.org ",
        "Ada@Example.Org\t",
    ]
    .into_iter()
    .cycle()
    .take(12)
    .enumerate()
    {
        guess(&app, &stranger(n), email).await;
    }
    app.pass(-30);
    assert_eq!(
        guess(&app, &stranger(20), "aDa@example.org").await,
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[tokio::test]
async fn a_success_clears_the_account_and_takes_nothing_from_the_address() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    fail_with(&app, "ada@example.org", 0..9).await;
    assert_eq!(
        attempt(&app, &stranger(50), "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    fail_with(&app, "ada@example.org", 100..109).await;

    fail_from(&app, "203.0.113.9", 19).await;
    for _ in 0..25 {
        assert_eq!(
            attempt(&app, "203.0.113.9", "ada@example.org", PASSWORD)
                .await
                .status,
            StatusCode::SEE_OTHER,
            "a success is no failure"
        );
    }
    assert_eq!(
        guess(&app, "203.0.113.9", "eve@example.org").await,
        StatusCode::UNAUTHORIZED,
        "the twentieth"
    );
    assert_eq!(
        guess(&app, "203.0.113.9", "eve@example.org").await,
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[tokio::test]
async fn strangers_cannot_lock_somebody_out_of_their_own_home() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let home = HOME;
    assert_eq!(
        attempt(&app, home, "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    app.pass(29 * 86_400);
    for n in 0..20 {
        assert_eq!(
            guess(&app, &stranger(n), "ada@example.org").await,
            StatusCode::UNAUTHORIZED
        );
        app.pass(900);
    }
    assert_eq!(
        attempt(&app, &stranger(30), "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    for n in 40..60 {
        guess(&app, &stranger(n), "ada@example.org").await;
        app.pass(600);
    }
    app.pass(-600);
    assert_eq!(
        attempt(&app, &stranger(70), "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::TOO_MANY_REQUESTS,
        "from elsewhere not even she"
    );
    assert_eq!(
        attempt(&app, home, "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER,
        "from home she does"
    );

    // That budget is hers, not a hole: a guesser in the same house has ten tries too.
    fail_with_one_address(&app, home, 10).await;
    app.pass(-30);
    assert_eq!(
        guess(&app, home, "ada@example.org").await,
        StatusCode::TOO_MANY_REQUESTS
    );
}

/// Ada, who has logged in from here, and a house in which somebody has guessed until it had to
/// wait.
async fn locked_out_at_home(app: &App) -> User {
    let ada = app.member("ada@example.org").await;
    assert_eq!(
        attempt(app, HOME, "ada@example.org", PASSWORD).await.status,
        StatusCode::SEE_OTHER
    );
    fail_with_one_address(app, HOME, 10).await;
    assert_eq!(
        attempt(app, HOME, "ada@example.org", PASSWORD).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    fail_with(app, "ada@example.org", 0..10).await;
    assert_eq!(
        attempt(app, &stranger(20), "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::TOO_MANY_REQUESTS
    );
    ada
}

/// With the new password, from home and from elsewhere, and no second later.
async fn is_let_in_everywhere(app: &App) {
    for address in [HOME, &stranger(21)] {
        assert_eq!(
            attempt(app, address, "ada@example.org", NEW).await.status,
            StatusCode::SEE_OTHER,
            "{address}"
        );
    }
}

#[tokio::test]
async fn a_reset_by_mail_ends_the_wait_at_home_as_well() {
    let app = App::with(&format!("auth.email_password_resets = true\n{SMTP}")).await;
    locked_out_at_home(&app).await;
    app.browser()
        .post_form("/login/forgot-password", &[("email", "ada@example.org")])
        .await;
    let mut browser = app.browser();
    let page = browser.get(&app.mail().await.link()).await;
    assert_eq!(
        browser
            .submit(&page, "Set password", &[("password", NEW)])
            .await
            .path,
        "/login?notice=password_reset"
    );
    is_let_in_everywhere(&app).await;
}

#[tokio::test]
async fn a_password_that_an_administrator_sets_ends_every_wait() {
    let app = App::new().await;
    app.user("boss@example.org", Role::Administrator).await;
    // Of somebody else, with an address that a pattern could take for hers.
    fail_with(&app, "ad_@example.org", 100..110).await;
    let ada = locked_out_at_home(&app).await;
    let mut boss = app.browser().at("203.0.113.99");
    boss.log_in("boss@example.org", PASSWORD).await;
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    let answer = boss
        .call(
            Method::PATCH,
            &format!("/api/v1/users/{}", ada.id),
            &headers,
            &format!(r#"{{"password":"{NEW}"}}"#),
        )
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    is_let_in_everywhere(&app).await;
    assert_eq!(
        guess(&app, &stranger(120), "ad_@example.org").await,
        StatusCode::TOO_MANY_REQUESTS,
        "nobody else's wait ends"
    );
}

async fn fail_with_one_address(app: &App, address: &str, times: usize) {
    for _ in 0..times {
        assert_eq!(
            guess(app, address, "ada@example.org").await,
            StatusCode::UNAUTHORIZED
        );
    }
}

#[tokio::test]
async fn nobody_waits_twice_for_an_hour_that_the_clock_was_set_back() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    app.member("eve@example.org").await;
    fail_from(&app, "203.0.113.9", 20).await;
    fail_with(&app, "ada@example.org", 0..10).await;
    assert_eq!(
        attempt(&app, "203.0.113.9", "eve@example.org", PASSWORD)
            .await
            .status,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(
        attempt(&app, &stranger(20), "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::TOO_MANY_REQUESTS
    );
    app.pass(-3600);
    assert_eq!(
        attempt(&app, "203.0.113.9", "eve@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        attempt(&app, &stranger(20), "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    // And from here on everything is counted as ever.
    fail_from(&app, "203.0.113.9", 20).await;
    assert_eq!(
        retry_after(&attempt(&app, "203.0.113.9", "eve@example.org", PASSWORD).await),
        600
    );
}

#[tokio::test]
async fn a_home_of_long_ago_is_no_home() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let home = HOME;
    assert_eq!(
        attempt(&app, home, "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    app.pass(30 * 86_400 + 60);
    fail_with(&app, "ada@example.org", 0..10).await;
    app.pass(-30);
    assert_eq!(
        attempt(&app, home, "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[tokio::test]
async fn somebody_told_to_wait_does_not_use_up_their_address_by_trying() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    fail_with(&app, "ada@example.org", 0..10).await;
    app.pass(-30);
    for _ in 0..25 {
        assert_eq!(
            attempt(&app, "203.0.113.7", "ada@example.org", PASSWORD)
                .await
                .status,
            StatusCode::TOO_MANY_REQUESTS
        );
    }
    app.pass(40);
    assert_eq!(
        attempt(&app, "203.0.113.7", "ada@example.org", PASSWORD)
            .await
            .status,
        StatusCode::SEE_OTHER,
        "no guess of theirs was ever heard"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_guesses_at_once_from_one_address_get_twenty_answers() {
    let app = App::new().await;
    let instances = [app.router.clone(), app.another("").await];
    let mut guesses = JoinSet::new();
    for n in 0..30 {
        let (mut browser, email) = (
            Browser::new(instances[n % 2].clone()).at("203.0.113.9"),
            format!("nobody{n}@example.org"),
        );
        guesses.spawn(async move {
            browser
                .post_form(
                    "/login",
                    &[("email", &email), ("password", "a wrong guess")],
                )
                .await
                .status
        });
    }
    let mut statuses = guesses.join_all().await;
    statuses.sort();
    assert_eq!(statuses[..20], [StatusCode::UNAUTHORIZED; 20]);
    assert_eq!(statuses[20..], [StatusCode::TOO_MANY_REQUESTS; 10]);
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_guesses_at_once_at_one_account_get_few_answers() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let mut guesses = JoinSet::new();
    for n in 0..30 {
        let mut browser = app.browser().at(&stranger(n));
        guesses.spawn(async move {
            browser
                .post_form(
                    "/login",
                    &[("email", "ada@example.org"), ("password", "a wrong guess")],
                )
                .await
                .status
        });
    }
    let heard = guesses
        .join_all()
        .await
        .into_iter()
        .filter(|status| *status == StatusCode::UNAUTHORIZED)
        .count();
    assert_eq!(heard, 10);
}

#[tokio::test]
async fn an_ipv6_household_counts_as_one() {
    let app = App::new().await;
    for n in 0..20 {
        assert_eq!(
            guess(
                &app,
                &format!("[2001:db8:1:2:{n:x}::{n:x}]"),
                &format!("nobody{n}@example.org")
            )
            .await,
            StatusCode::UNAUTHORIZED
        );
    }
    assert_eq!(
        guess(&app, "[2001:db8:1:2:ffff::1]", "eve@example.org").await,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(
        guess(&app, "[2001:db8:1:3::1]", "eve@example.org").await,
        StatusCode::UNAUTHORIZED,
        "the neighbours"
    );
}

#[tokio::test]
async fn an_address_written_as_ipv6_is_the_same_address() {
    let app = App::new().await;
    fail_from(&app, "203.0.113.9", 20).await;
    assert_eq!(
        guess(&app, "[::ffff:203.0.113.9]", "eve@example.org").await,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(
        guess(&app, "[::ffff:203.0.113.10]", "eve@example.org").await,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_header_makes_a_new_address_only_behind_a_trusted_proxy() {
    let proxied = |app: &App, peer: &str, client: &str| {
        let mut browser = app.browser().at(peer);
        let client = client.to_owned();
        async move {
            let kind = ("content-type", "application/x-www-form-urlencoded");
            let headers = [
                ("x-forwarded-for", &*client),
                ("x_forwarded_for", "192.0.2.77"),
                ("forwarded", "for=192.0.2.77"),
                kind,
            ];
            browser
                .call(
                    Method::POST,
                    "/api/v1/auth/cookie/login",
                    &headers,
                    "username=nobody%40example.org&password=x",
                )
                .await
                .status
        }
    };
    let app = App::with("server.trusted_proxies = ['10.0.0.0/8']").await;
    fail_from(&app, "203.0.113.9", 20).await;
    assert_eq!(
        proxied(&app, "203.0.113.9", "192.0.2.1").await,
        StatusCode::TOO_MANY_REQUESTS,
        "anybody can write a header"
    );
    assert_eq!(
        proxied(&app, "10.0.0.1", "203.0.113.9").await,
        StatusCode::TOO_MANY_REQUESTS,
        "the same person through the proxy"
    );
    assert_eq!(
        proxied(&app, "10.0.0.1", "192.0.2.1, 203.0.113.9, 10.0.0.2").await,
        StatusCode::TOO_MANY_REQUESTS,
        "who wrote the left part"
    );
    assert_eq!(
        proxied(&app, "10.0.0.1", "192.0.2.1").await,
        StatusCode::BAD_REQUEST
    );
}
