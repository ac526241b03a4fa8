//! The fields of the pages, as browsers and password managers read them.

use mediamanager_auth::server::flows::users::Role;

use crate::support::{App, PASSWORD, SMTP};

/// `username` would offer the administrator's own address, and store another person's under their
/// own account.
#[tokio::test]
async fn password_managers_offer_nobody_the_own_address_for_somebody_elses() {
    let app = App::with(SMTP).await;
    app.user("ada@example.org", Role::Administrator).await;
    let bob = app.member("bob@example.org").await;
    let mut ada = app.browser();
    let autocomplete = async |browser: &mut crate::support::Browser, path: &str| {
        browser
            .get(path)
            .await
            .attribute("#email", "autocomplete")
            .unwrap_or_else(|| panic!("{path}"))
    };
    for path in ["/login", "/login/signup"] {
        assert_eq!(autocomplete(&mut ada, path).await, "username", "{path}");
    }
    ada.log_in("ada@example.org", PASSWORD).await;
    for (path, expected) in [
        ("/account/password", "username"),
        ("/account/log-in-again", "username"),
        ("/account/address", "email"),
        ("/users/new", "off"),
        (&*format!("/users/address?id={}", bob.id), "off"),
    ] {
        assert_eq!(autocomplete(&mut ada, path).await, expected, "{path}");
    }
}

/// A field for an address keeps what was typed, and its error.
#[tokio::test]
async fn a_mistyped_address_of_somebody_else_is_shown_again_with_its_error() {
    let app = App::with(SMTP).await;
    app.user("ada@example.org", Role::Administrator).await;
    let bob = app.member("bob@example.org").await;
    let mut ada = app.browser();
    ada.log_in("ada@example.org", PASSWORD).await;
    for (path, button) in [
        ("/account/address".to_owned(), "Send link"),
        ("/users/new".to_owned(), "Create user"),
        (format!("/users/address?id={}", bob.id), "Change e-mail"),
    ] {
        let page = ada.get(&path).await;
        assert_eq!(page.attribute("#email", "aria-invalid"), None, "{path}");
        let answer = ada.submit(&page, button, &[("email", "no address")]).await;
        for (name, expected) in [
            ("value", "no address"),
            ("aria-invalid", "true"),
            ("aria-describedby", "email-error"),
            ("autofocus", ""),
        ] {
            assert_eq!(
                answer.attribute("#email", name).as_deref(),
                Some(expected),
                "{path}: {name}"
            );
        }
        assert!(!answer.text("#email-error").unwrap().is_empty(), "{path}");
    }
}

/// The page of a mailed link has no error before its form is sent, so none is announced.
#[tokio::test]
async fn a_page_without_an_error_has_no_empty_alert_in_the_focus() {
    let app = App::with(SMTP).await;
    app.member("ada@example.org").await;
    let mut ada = app.browser();
    ada.log_in("ada@example.org", PASSWORD).await;
    for path in [
        "/account/new-address?token=x&address=new%40example.org",
        "/account/confirm?token=x",
        "/account/delete",
    ] {
        let page = ada.get(path).await;
        assert_eq!(page.attribute("#alert", "autofocus"), None, "{path}");
        let alert = page.body.split_once("id=\"alert\"").unwrap().1;
        let content = alert.split_once('>').unwrap().1;
        assert!(content.starts_with("<!></p>"), "{path}: {content}");
    }
}

/// An empty hint would keep its distance between the label and the field.
#[tokio::test]
async fn a_field_without_a_rule_has_no_hint() {
    let app = App::new().await;
    let login = app.browser().get("/login").await;
    assert!(
        login.attribute("#password-hint", "hidden").is_some()
            || login.text("#password-hint").is_none()
    );
    assert_eq!(login.attribute("#password", "aria-describedby"), None);
    let signup = app.browser().get("/login/signup").await;
    assert_eq!(signup.attribute("#password-hint", "hidden"), None);
    assert!(
        signup
            .text("#password-hint")
            .unwrap()
            .starts_with("At least 12 characters")
    );
}

/// A table has room for a short form of the time, and the whole one is not lost.
#[tokio::test]
async fn times_in_tables_are_short() {
    let app = App::new().await;
    app.user("ada@example.org", Role::Administrator).await;
    let mut ada = app.browser();
    ada.log_in("ada@example.org", PASSWORD).await;
    for path in ["/users", "/users/events"] {
        let page = ada.get(path).await;
        let time = page.text("td time").unwrap();
        let machine = page.attribute("td time", "datetime").unwrap();
        let (year, minute) = (&machine[..4], &machine[11..16]);
        assert!(
            time.len() <= 22 && time.contains(year) && time.ends_with(&format!("{minute} UTC")),
            "{time}"
        );
    }
}
