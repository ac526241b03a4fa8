//! Every kind of change, prepared up to the last request.

use axum::http::Method;
use mediamanager_auth::domain::User;

use super::House;
use crate::support::{Account, Browser, PASSWORD, Page, app_with_provider};

mod administration;

use administration::{administration, api};

const NEW: &str = "copper lantern meadow 4";

/// The request that makes a change.
pub enum Request {
    Submit {
        page: Box<Page>,
        button: &'static str,
        typed: Vec<(&'static str, &'static str)>,
    },
    Get(String),
    Api {
        method: Method,
        path: String,
        body: String,
    },
}

pub struct Change {
    pub name: &'static str,
    pub browser: Browser,
    pub request: Request,
    /// Counts 1 once the change has happened.
    pub check: String,
}

/// Prepares all changes of one phase, each on an account of its own.
pub async fn all(house: &House, phase: &'static str) -> Vec<Change> {
    let mut changes = Vec::new();
    changes.extend(before_login(house, phase).await);
    changes.extend(own_account(house, phase).await);
    changes.extend(by_mail(house, phase).await);
    changes.extend(at_provider(house, phase).await);
    changes.extend(administration(house, phase).await);
    changes.extend(api(house, phase).await);
    changes
}

fn email(name: &str, phase: &str) -> String {
    format!("{}-{phase}@example.org", name.replace(' ', "-"))
}

/// The condition for rows of this account.
fn of(email: &str) -> String {
    format!("user_id = (SELECT id FROM \"user\" WHERE email = '{email}')")
}

fn user_with(email: &str, condition: &str) -> String {
    format!("SELECT count(*) FROM \"user\" WHERE email = '{email}' AND {condition}")
}

fn ended_sessions(email: &str) -> String {
    format!(
        "SELECT count(*) FROM auth_session WHERE {} AND ended_at IS NOT NULL",
        of(email)
    )
}

async fn member(house: &House, name: &str, phase: &str) -> (String, User) {
    let email = email(name, phase);
    let user = house.app.member(&email).await;
    (email, user)
}

async fn logged_in(house: &House, name: &str, phase: &str) -> (String, Browser) {
    let (email, _) = member(house, name, phase).await;
    let mut browser = house.app.browser();
    browser.log_in(&email, PASSWORD).await;
    (email, browser)
}

async fn form(
    name: &'static str,
    mut browser: Browser,
    (path, button): (&str, &'static str),
    check: String,
) -> Change {
    let page = Box::new(browser.get(path).await);
    Change {
        name,
        browser,
        request: Request::Submit {
            page,
            button,
            typed: Vec::new(),
        },
        check,
    }
}

impl Change {
    fn typing(mut self, fields: &[(&'static str, String)]) -> Self {
        if let Request::Submit { typed, .. } = &mut self.request {
            // A test's few strings may live as long as it does.
            typed.extend(
                fields
                    .iter()
                    .map(|(name, value)| (*name, &*value.clone().leak())),
            );
        }
        self
    }
}

async fn before_login(house: &House, phase: &str) -> Vec<Change> {
    let new = email("sign up", phase);
    let sign_up = form(
        "sign up",
        house.app.browser(),
        ("/login/signup", "Create account"),
        user_with(&new, "true"),
    )
    .await
    .typing(&[("email", new), ("password", PASSWORD.to_owned())]);
    let (logging_in, _) = member(house, "log in", phase).await;
    let sessions = format!(
        "SELECT count(*) FROM auth_session WHERE {}",
        of(&logging_in)
    );
    let log_in = form(
        "log in",
        house.app.browser(),
        ("/login", "Log in"),
        sessions,
    )
    .await
    .typing(&[("email", logging_in), ("password", PASSWORD.to_owned())]);
    let (leaving, browser) = logged_in(house, "log out", phase).await;
    let log_out = form(
        "log out",
        browser,
        ("/logout", "Log out"),
        ended_sessions(&leaving),
    )
    .await;
    vec![sign_up, log_in, log_out]
}

async fn own_account(house: &House, phase: &str) -> Vec<Change> {
    let (changing, browser) = logged_in(house, "change password", phase).await;
    // The program hashes at its own cost, which the hash states.
    let is_new = user_with(&changing, "hashed_password LIKE '%m=65536%'");
    let password = form(
        "change password",
        browser,
        ("/account/password", "Change password"),
        is_new,
    )
    .await
    .typing(&[("password", NEW.to_owned())]);
    let (ending, browser) = logged_in(house, "end others", phase).await;
    house.app.browser().log_in(&ending, PASSWORD).await;
    let others = form(
        "end others",
        browser,
        ("/account", "End all other sessions"),
        ended_sessions(&ending),
    )
    .await;
    let (going, browser) = logged_in(house, "delete oneself", phase).await;
    let gone = format!("SELECT 1 - count(*) FROM \"user\" WHERE email = '{going}'");
    let delete = form(
        "delete oneself",
        browser,
        ("/account/delete", "Delete my account"),
        gone,
    )
    .await;
    let (asking, browser) = logged_in(house, "ask for an address", phase).await;
    let queued = format!("SELECT count(*) FROM auth_outbox WHERE {}", of(&asking));
    let address = form(
        "ask for an address",
        browser,
        ("/account/address", "Send link"),
        queued,
    )
    .await
    .typing(&[("email", email("asked for", phase))]);
    vec![password, others, delete, address]
}

/// The path of the link in the last mail to this address.
async fn mailed_link(house: &House, address: &str) -> String {
    let mails = house.app.mails().await;
    let with_link = mails
        .iter()
        .rfind(|mail| mail.to == address && mail.text.contains("token="));
    with_link.unwrap().link()
}

async fn by_mail(house: &House, phase: &str) -> Vec<Change> {
    let app = &house.app;
    let (moving, mut browser) = logged_in(house, "new address", phase).await;
    let target = email("moved", phase);
    let page = browser.get("/account/address").await;
    browser
        .submit(&page, "Send link", &[("email", target.as_str())])
        .await;
    let link = mailed_link(house, &target).await;
    let moved =
        format!("SELECT count(*) FROM \"user\" WHERE email = '{target}' AND email <> '{moving}'");
    let address = form("new address", browser, (&link, "Use this address"), moved).await;

    let waiting = email("verify", phase);
    let mut browser = app.browser();
    let page = browser.get("/login/signup").await;
    let typed = [("email", waiting.as_str()), ("password", PASSWORD)];
    browser.submit(&page, "Create account", &typed).await;
    let link = mailed_link(house, &waiting).await;
    browser.log_in(&waiting, PASSWORD).await;
    let verified = format!(
        "SELECT count(*) FROM auth_user_account WHERE {} AND email_verified_at IS NOT NULL",
        of(&waiting)
    );
    let verify = form("verify", browser, (&link, "Confirm the address"), verified).await;

    let (resetting, _) = member(house, "reset", phase).await;
    let mut browser = app.browser();
    let ask = [("email", resetting.as_str())];
    browser.post_form("/login/forgot-password", &ask).await;
    let link = mailed_link(house, &resetting).await;
    let is_new = user_with(&resetting, "hashed_password LIKE '%m=65536%'");
    let reset = form("reset", browser, (&link, "Set password"), is_new)
        .await
        .typing(&[("password", NEW.to_owned())]);

    let (forgetful, _) = member(house, "forget", phase).await;
    let queued = format!("SELECT count(*) FROM auth_outbox WHERE address = '{forgetful}'");
    let forget = form(
        "forget",
        app.browser(),
        ("/login/forgot-password", "Send link"),
        queued,
    )
    .await
    .typing(&[("email", forgetful)]);
    vec![address, verify, reset, forget]
}

async fn at_provider(house: &House, phase: &str) -> Vec<Change> {
    let newcomer = email("newcomer", phase);
    let mut browser = house.app.browser();
    let away = app_with_provider::set_out(&mut browser).await;
    let back = house.provider.answer(&away, &Account::confirmed(&newcomer));
    let first = Change {
        name: "first login at the provider",
        browser,
        request: Request::Get(back),
        check: user_with(&newcomer, "true"),
    };
    let (linking, mut browser) = logged_in(house, "link", phase).await;
    let back = way_to_link(house, &mut browser, &linking).await;
    let identities = format!("SELECT count(*) FROM auth_identity WHERE {}", of(&linking));
    let link = Change {
        name: "link",
        browser,
        request: Request::Get(back),
        check: identities,
    };
    let (leaving, mut browser) = logged_in(house, "unlink", phase).await;
    let back = way_to_link(house, &mut browser, &leaving).await;
    browser.get(&back).await;
    let page = browser.get("/account").await;
    let way = page
        .attribute("a[href^='/account/disconnect']", "href")
        .unwrap();
    let unlinked = format!(
        "SELECT count(*) FROM auth_event WHERE kind = 'identity_unlinked' AND {}",
        of(&leaving)
    );
    let unlink = form(
        "unlink",
        browser,
        (&way, "Disconnect Über ID 100%"),
        unlinked,
    )
    .await;
    vec![first, link, unlink]
}

/// The provider's answer to a request to link an account of its own.
async fn way_to_link(house: &House, browser: &mut Browser, email: &str) -> String {
    let page = browser.get("/account/connect").await;
    browser.submit(&page, "Go to Über ID 100%", &[]).await;
    let away = browser
        .call(Method::GET, "/account/connect/start", &[], "")
        .await
        .location()
        .unwrap();
    let there = format!("there-{email}");
    house.provider.answer(&away, &Account::confirmed(&there))
}
