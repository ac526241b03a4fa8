//! The hidden `account` field: present in every form of a signed-in user, and sealed.

use axum::http::StatusCode;
use mediamanager_auth::server::flows::users::Role;
use scraper::{Html, Selector};

use super::{FIELD, dad, is_refused, logged_in, traces};
use crate::support::{Household, Page, SMTP, needs_login};

#[tokio::test]
async fn a_field_that_is_missing_cut_altered_or_somebody_elses_changes_nothing() {
    let (app, mut browser) = dad().await;
    let mut mum = logged_in(&app, "mum@example.org").await;
    let dads = browser
        .get("/account/delete")
        .await
        .attribute(FIELD, "value")
        .unwrap();
    let mums = mum
        .get("/account/delete")
        .await
        .attribute(FIELD, "value")
        .unwrap();
    let ((dads_session, dads_mac), (mums_session, mums_mac)) =
        (dads.split_once('.').unwrap(), mums.split_once('.').unwrap());
    let before = traces(&app).await;
    assert_eq!(
        browser.post_exactly("/account/delete", &[]).await.status,
        StatusCode::CONFLICT,
        "missing"
    );
    for field in [
        String::new(),
        ".".to_owned(),
        dads_session.to_owned(),
        dads_mac.to_owned(),
        format!("{dads_session}."),
        format!(".{dads_mac}"),
        dads[..dads.len() - 1].to_owned(),
        format!("{dads}A"),
        format!("{dads} "),
        dads.to_uppercase(),
        mums.clone(),
        format!("{mums_session}.{dads_mac}"),
        format!("{dads_session}.{mums_mac}"),
        format!("{dads}.{dads_mac}"),
    ] {
        is_refused(
            &browser
                .post_exactly("/account/delete", &[("account", &field)])
                .await,
            "dad@example.org",
        );
    }
    let twice = browser
        .post_exactly("/account/delete", &[("account", &dads), ("account", &dads)])
        .await;
    assert_eq!(twice.status, StatusCode::BAD_REQUEST);
    assert_eq!(traces(&app).await, before);
    let answer = browser
        .post_exactly("/account/delete", &[("account", &dads)])
        .await;
    assert_eq!(
        answer.location().as_deref(),
        Some("/login?notice=account_deleted"),
        "the real one does"
    );
}

#[tokio::test]
async fn every_form_for_somebody_who_is_logged_in_carries_the_field_and_no_other() {
    let home = Household::with(SMTP).await;
    let ada = home.app.user("ada@example.org", Role::Administrator).await;
    let eve = home.app.user("eve@example.org", Role::Pending).await;
    let mut browsers = [
        logged_in(&home.app, "ada@example.org").await,
        logged_in(&home.app, "eve@example.org").await,
        home.app.browser(),
    ];
    // A second session, so that the page has a form to revoke it.
    logged_in(&home.app, "ada@example.org").await;
    let mut paths: Vec<String> = [
        "/login",
        "/login/signup",
        "/login/verify",
        "/login/forgot-password",
        "/logout",
        "/users",
        "/users/new",
    ]
    .map(str::to_owned)
    .into();
    let account = [
        "",
        "/address",
        "/confirm",
        "/connect",
        "/delete",
        "/log-in-again",
        "/new-address",
        "/password",
    ];
    paths.extend(account.iter().map(|page| format!("/account{page}")));
    paths.extend([&ada, &eve].iter().flat_map(|user| {
        [
            format!("/users/{}", user.id),
            format!("/users/address?id={}", user.id),
        ]
    }));
    paths.push(format!("/users/change?id={}&action=delete", eve.id));
    let mut seen = 0;
    for browser in &mut browsers {
        for path in &paths {
            let page = browser.get(path).await;
            for (action, carries) in forms(&page) {
                assert_eq!(
                    carries,
                    needs_login(&action),
                    "{path}: the form for {action}"
                );
                seen += usize::from(carries);
            }
        }
    }
    assert!(seen >= 20, "{seen} forms");
}

/// The action of every form of a page, and whether it contains the field exactly once.
fn forms(page: &Page) -> Vec<(String, bool)> {
    let html = Html::parse_document(&page.body);
    let (forms, field) = (
        Selector::parse("form[method=post]").unwrap(),
        Selector::parse(FIELD).unwrap(),
    );
    let of = |form: scraper::ElementRef<'_>| {
        let count = form.select(&field).count();
        assert!(count < 2, "{}", page.body);
        (form.attr("action").unwrap().to_owned(), count == 1)
    };
    html.select(&forms).map(of).collect()
}
