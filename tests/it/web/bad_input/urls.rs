//! URLs: credentials, injected text, path spellings, and open redirects.

use axum::{
    body::Body,
    http::{Method, StatusCode},
};

use super::{FORM, post_raw};
use crate::support::{App, PASSWORD};

#[tokio::test]
async fn credentials_in_the_address_are_not_read() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("email", "ada@example.org")
        .append_pair("password", PASSWORD)
        .finish();
    let page = app.browser().get(&format!("/login?{query}")).await;
    assert_eq!(
        (page.status, page.attribute("#email", "value").as_deref()),
        (StatusCode::OK, Some(""))
    );
    let page = post_raw(&mut app.browser(), &format!("/login?{query}"), FORM, "").await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn nobody_can_put_words_on_our_page_with_a_link() {
    let app = App::new().await;
    let request = app
        .browser()
        .request(Method::GET, "/login?__path=/login&__err=eyJ4IjoxfQ")
        .body(Body::empty())
        .unwrap();
    let page = app.browser().send(request).await;
    assert_eq!(
        (page.status, page.location().as_deref()),
        (StatusCode::SEE_OTHER, Some("/login"))
    );
    let request = app
        .browser()
        .request(Method::GET, "//evil.example/?__err=x")
        .body(Body::empty())
        .unwrap();
    assert_eq!(
        app.browser().send(request).await.location().as_deref(),
        Some("/evil.example/"),
        "no way to another host"
    );
}

#[tokio::test]
async fn other_spellings_of_a_path_lead_nowhere() {
    let app = App::new().await;
    for path in [
        "//login",
        "/login/",
        "/Login",
        "/%6cogin",
        "/api/v1//auth/cookie/login",
        "/api/v1/auth//cookie/login",
    ] {
        let page = post_raw(&mut app.browser(), path, FORM, "email=a@b&password=x").await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_login_leads_only_to_places_on_this_site() {
    let app = App::new().await;
    app.member("ada@example.org").await;
    for (target, expected) in [
        ("/web/dashboard?q=a%2Fb#top", "/web/dashboard?q=a%2Fb#top"),
        ("https://evil.example/", "/account"),
        ("//evil.example/", "/account"),
        ("/\\evil.example", "/account"),
        ("/api/v1/users/me", "/account"),
        ("/login", "/account"),
        ("/logout", "/account"),
        ("", "/account"),
    ] {
        let mut browser = app.browser();
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("return_to", target)
            .finish();
        let page = browser.get(&format!("/login?{query}")).await;
        let answer = browser
            .submit_only(
                &page,
                "Log in",
                &[("email", "ada@example.org"), ("password", PASSWORD)],
            )
            .await;
        assert_eq!(
            (answer.status, answer.location().as_deref()),
            (StatusCode::SEE_OTHER, Some(expected)),
            "{target}"
        );
        let again = browser
            .request(Method::GET, &format!("/login?{query}"))
            .body(Body::empty())
            .unwrap();
        assert_eq!(
            browser.send(again).await.location().as_deref(),
            Some(expected),
            "who is logged in needs no login page"
        );
    }
}
