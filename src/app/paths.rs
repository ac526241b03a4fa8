//! The paths of all pages. The router takes a [`Page`] for every route, so every route has an access
//! rule.

use Access::{Admin, Public, RecentAdmin, RecentLogin, SignedIn, SignedOutOnly};

/// The path of a page and its access rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// The pattern of the router, with parameters in braces.
    pub path: &'static str,
    pub access: Access,
    /// The cookie for the token of a link to this page, which moves there from the URL (SR-045).
    pub link_cookie: Option<&'static str>,
}

/// The access rule of a page. The router enforces it before the page's handler runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Public,
    /// A viewer who is logged in is redirected to the target of the login.
    SignedOutOnly,
    /// A viewer who is not logged in is redirected to the login page.
    SignedIn,
    /// Like `SignedIn`, and a login older than five minutes is redirected to the reauthentication page
    /// (SR-142).
    RecentLogin,
    /// Requires an active, approved administrator (SR-140).
    Admin,
    /// Like `Admin`, with a recent login as for `RecentLogin` (SR-264).
    RecentAdmin,
}

impl Page {
    const fn new(path: &'static str, access: Access) -> Self {
        Self {
            path,
            access,
            link_cookie: None,
        }
    }

    const fn with_link_cookie(self, name: &'static str) -> Self {
        Self {
            link_cookie: Some(name),
            ..self
        }
    }

    /// Whether the router matches this path to the page.
    pub fn matches(&self, path: &str) -> bool {
        let (mut wanted, mut given) = (self.path.split('/'), path.split('/'));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some(part), Some(text))
                    if part == text || (part.starts_with('{') && !text.is_empty()) => {}
                _ => return false,
            }
        }
    }
}

pub const INDEX: Page = Page::new("/", Public);
pub const LOGIN: Page = Page::new("/login", SignedOutOnly);
pub const LOGOUT: Page = Page::new("/logout", Public);
pub const SIGNUP: Page = Page::new("/login/signup", Public);
pub const SETUP: Page = Page::new("/setup", Public);
pub const FORGOT_PASSWORD: Page = Page::new("/login/forgot-password", Public);
pub const RESET_PASSWORD: Page =
    Page::new("/login/reset-password", Public).with_link_cookie("reset-link");
pub const OIDC_START: Page = Page::new("/login/oidc", Public);
pub const OIDC_ERROR: Page = Page::new("/login/provider", Public);
pub const CONFIRM_LINK: Page = Page::new("/login/connect", Public);
pub const PENDING_APPROVAL: Page = Page::new("/login/verify", SignedIn);
pub const CHANGE_PASSWORD_URL: Page = Page::new("/.well-known/change-password", Public);

pub const ACCOUNT: Page = Page::new("/account", SignedIn);
pub const VERIFY_EMAIL: Page =
    Page::new("/account/confirm", SignedIn).with_link_cookie("verify-token");
pub const CHANGE_EMAIL: Page = Page::new("/account/address", RecentLogin);
pub const CONFIRM_EMAIL: Page =
    Page::new("/account/new-address", SignedIn).with_link_cookie("email-change-token");
pub const PASSWORD: Page = Page::new("/account/password", RecentLogin);
pub const LINK_IDENTITY: Page = Page::new("/account/connect", RecentLogin);
pub const LINK_REDIRECT: Page = Page::new("/account/connect/go", SignedIn);
pub const LINK_START: Page = Page::new("/account/connect/start", Public);
pub const UNLINK_IDENTITY: Page = Page::new("/account/disconnect", RecentLogin);
pub const DELETE_ACCOUNT: Page = Page::new("/account/delete", RecentLogin);
pub const REAUTHENTICATE: Page = Page::new("/account/log-in-again", SignedIn);

pub const USERS: Page = Page::new("/users", Admin);
pub const USER: Page = Page::new("/users/{id}", Admin);
pub const NEW_USER: Page = Page::new("/users/new", RecentAdmin);
pub const USER_ACTION: Page = Page::new("/users/change", Admin);
pub const USER_EMAIL: Page = Page::new("/users/address", RecentAdmin);
pub const RESET_LINK: Page = Page::new("/users/link", Admin);
pub const AUDIT_LOG: Page = Page::new("/users/events", Admin);
pub const DIAGNOSTICS: Page = Page::new("/users/check", Admin);

/// Paths of MediaManager's own frontend, whose links lead here.
pub const LEGACY_LOGIN: Page = Page::new("/web/login", Public);
pub const LEGACY_LOGIN_PAGE: Page = Page::new("/web/login/{page}", Public);
pub const LEGACY_RESET_PASSWORD: Page = Page::new("/web/login/reset-password", Public);

/// Every page.
pub const ALL: [&Page; 34] = [
    &INDEX,
    &LOGIN,
    &LOGOUT,
    &SIGNUP,
    &SETUP,
    &FORGOT_PASSWORD,
    &RESET_PASSWORD,
    &OIDC_START,
    &OIDC_ERROR,
    &CONFIRM_LINK,
    &PENDING_APPROVAL,
    &CHANGE_PASSWORD_URL,
    &ACCOUNT,
    &VERIFY_EMAIL,
    &CHANGE_EMAIL,
    &CONFIRM_EMAIL,
    &PASSWORD,
    &LINK_IDENTITY,
    &LINK_REDIRECT,
    &LINK_START,
    &UNLINK_IDENTITY,
    &DELETE_ACCOUNT,
    &REAUTHENTICATE,
    &USERS,
    &NEW_USER,
    &USER_ACTION,
    &USER_EMAIL,
    &RESET_LINK,
    &AUDIT_LOG,
    &DIAGNOSTICS,
    &USER,
    &LEGACY_LOGIN,
    &LEGACY_RESET_PASSWORD,
    &LEGACY_LOGIN_PAGE,
];

/// The page that the router matches to this path.
pub fn find(path: &str) -> Option<&'static Page> {
    ALL.into_iter().find(|page| page.matches(path))
}

/// The path of one user's page.
pub fn user(id: impl std::fmt::Display) -> String {
    USER.path.replace("{id}", &id.to_string())
}
