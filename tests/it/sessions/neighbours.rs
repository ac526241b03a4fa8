//! Cookies that other programs of the domain have set: a statistics tool, a sibling subdomain.

use axum::{
    body::Body,
    http::{HeaderValue, Method, StatusCode, header},
};

use super::{NAME, ada};
use crate::{
    process::{Home, Serving},
    support::{Account, App, Browser, Household, PASSWORD, Page, app_with_provider},
};

/// Requests a path with these `Cookie` lines instead of the browser's own.
async fn get_with(browser: &mut Browser, path: &str, lines: &[Vec<u8>]) -> Page {
    let mut request = browser
        .request(Method::GET, path)
        .body(Body::empty())
        .unwrap();
    request.headers_mut().remove(header::COOKIE);
    for line in lines {
        request
            .headers_mut()
            .append(header::COOKIE, HeaderValue::from_bytes(line).unwrap());
    }
    browser.send(request).await
}

#[tokio::test]
async fn a_neighbours_odd_cookie_logs_nobody_out() {
    let app = App::new().await;
    let (_, token) = ada(&app).await;
    let good = format!("{NAME}={token}").into_bytes();
    let beside = |before: &[u8], after: &[u8]| [before, &good, after].concat();
    for lines in [
        vec![beside(b"", "; city=Köln".as_bytes())],
        vec![beside("city=Köln; ".as_bytes(), b"")],
        vec![beside(b"", b"; x=\xff\xfe")],
        vec![beside(b"broken; ", b"; =nameless; ;;")],
        vec![b"K\xf6ln".to_vec(), good.clone()],
        vec![good.clone(), "ü=ü; a\tb=c".as_bytes().to_vec()],
    ] {
        for path in ["/api/v1/users/me", "/account"] {
            let page = get_with(&mut app.browser(), path, &lines).await;
            assert_eq!(page.status, StatusCode::OK, "{path} {lines:?}");
        }
    }
}

#[tokio::test]
async fn a_neighbours_odd_cookie_does_not_break_a_login_at_the_provider() {
    let home = Household::new().await;
    let mut browser = home.app.browser();
    let away = app_with_provider::set_out(&mut browser).await;
    let back = home
        .provider
        .answer(&away, &Account::confirmed("ada@example.org"));
    let names: Vec<_> = browser.cookie_names().map(ToOwned::to_owned).collect();
    let ours = names
        .iter()
        .map(|name| format!("{name}={}", browser.cookie(name).unwrap()))
        .collect::<Vec<_>>()
        .join("; ");
    let line = format!("city=Köln; broken; {ours}").into_bytes();
    let page = get_with(&mut browser, &back, &[line]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    assert!(browser.cookie(NAME).is_some());
}

/// The log says once which cookies are unreadable, and nothing of their content.
#[test]
fn cookies_that_cannot_be_read_are_logged_once() {
    let home = Home::with("[server]\nport = 0");
    assert!(
        home.create_user(&["ada@example.org"], PASSWORD)
            .status
            .success()
    );
    let serving = Serving::start(&home, "Listening");
    for _ in 0..3 {
        serving.get(
            "/login",
            "Accept: text/html\r\nCookie: city=K\u{f6}ln; hush\r\n",
        );
        serving.get(
            "/login",
            &format!("Accept: text/html\r\nCookie: {NAME}=hushed; {NAME}=hush\r\n"),
        );
    }
    let (_, log) = serving.stop();
    for event in ["foreign_cookie_ignored", "session_cookie_rejected"] {
        assert_eq!(log.matches(event).count(), 1, "{event}: {log}");
    }
    assert!(!log.contains("Köln") && !log.contains("hush"), "{log}");
}
