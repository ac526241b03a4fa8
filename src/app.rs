//! What a person sees: the pages, and the server functions they call.
//!
//! Everything but the islands is rendered on the server only. A page posts its form to its own path, where its server
//! function answers; `server::forms` makes that work without script.

use std::{collections::BTreeMap, sync::Arc};

use leptos::{
    prelude::*,
    server_fn::{codec::JsonEncoding, error::ServerFnErrorErr},
};
use leptos_router::{
    SsrMode,
    components::{FlatRoutes, Route, Router},
    path,
};

use crate::domain::{AuthError, refusal::Refusal};

pub mod account;
pub mod failure;
pub mod login;
pub mod logout;
pub mod oidc;
pub mod password_reset;
pub mod setup;
pub mod signup;
pub mod ui;
pub mod users;
pub mod verify;

/// The pages for which nobody has to be logged in. Every other page sends strangers to the login page.
pub const PUBLIC: [&str; 8] =
    ["/login", "/login/connect", "/login/forgot-password", "/login/oidc", "/login/reset-password", "/login/signup", "/logout", "/setup"];

/// The pages that change the account itself, and take a young login (SR-142).
pub const FRESH: [&str; 5] = ["/account/address", "/account/connect", "/account/delete", "/account/disconnect", "/account/password"];

/// The route table.
#[component]
pub fn App() -> impl IntoView {
    if let Some(error) = visit().failure {
        return view! { <failure::FailurePage error/> }.into_any();
    }
    if let Some(refused) = visit().refused {
        return view! { <oidc::RefusalPage refused/> }.into_any();
    }
    view! {
        <Router>
            <FlatRoutes fallback=|| view! { <failure::FailurePage error=AuthError::NotFound/> }>
                <Route path=path!("/login") view=login::LoginPage ssr=SsrMode::Async/>
                <Route path=path!("/login/connect") view=oidc::ConnectPage ssr=SsrMode::Async/>
                <Route path=path!("/login/forgot-password") view=password_reset::ForgotPasswordPage ssr=SsrMode::Async/>
                <Route path=path!("/login/reset-password") view=password_reset::ResetPasswordPage ssr=SsrMode::Async/>
                <Route path=path!("/login/signup") view=signup::SignUpPage ssr=SsrMode::Async/>
                <Route path=path!("/account/confirm") view=verify::ConfirmPage ssr=SsrMode::Async/>
                <Route path=path!("/login/verify") view=verify::VerifyPage ssr=SsrMode::Async/>
                <Route path=path!("/logout") view=logout::LogoutPage ssr=SsrMode::Async/>
                <Route path=path!("/setup") view=setup::SetupPage ssr=SsrMode::Async/>
                <Route path=path!("/account") view=account::AccountPage ssr=SsrMode::Async/>
                <Route path=path!("/account/address") view=account::address::AddressPage ssr=SsrMode::Async/>
                <Route path=path!("/account/connect") view=account::connect::ConnectProviderPage ssr=SsrMode::Async/>
                <Route path=path!("/account/connect/go") view=account::connect::GoPage ssr=SsrMode::Async/>
                <Route path=path!("/account/delete") view=account::delete::DeletePage ssr=SsrMode::Async/>
                <Route path=path!("/account/disconnect") view=account::connect::DisconnectPage ssr=SsrMode::Async/>
                <Route path=path!("/account/log-in-again") view=account::log_in_again::LogInAgainPage ssr=SsrMode::Async/>
                <Route path=path!("/account/new-address") view=account::address::NewAddressPage ssr=SsrMode::Async/>
                <Route path=path!("/account/password") view=account::password::PasswordPage ssr=SsrMode::Async/>
                <Route path=path!("/users") view=users::UsersPage ssr=SsrMode::Async/>
                <Route path=path!("/users/address") view=users::change::UserAddressPage ssr=SsrMode::Async/>
                <Route path=path!("/users/change") view=users::change::ChangePage ssr=SsrMode::Async/>
                <Route path=path!("/users/check") view=users::check::CheckPage ssr=SsrMode::Async/>
                <Route path=path!("/users/events") view=users::events::EventsPage ssr=SsrMode::Async/>
                <Route path=path!("/users/link") view=users::link::LinkPage ssr=SsrMode::Async/>
                <Route path=path!("/users/new") view=users::invite::NewUserPage ssr=SsrMode::Async/>
                <Route path=path!("/users/:id") view=users::details::UserPage ssr=SsrMode::Async/>
            </FlatRoutes>
        </Router>
    }
    .into_any()
}

/// What the server tells a page about the request it answers. Everything in it may end up in front of the viewer.
#[derive(Clone, Default)]
pub struct Visit {
    pub app_name: String,
    pub assets: Arc<Assets>,
    /// Lets our inline script run under the content security policy.
    pub nonce: String,
    /// The request's number, for finding it in the log.
    pub reference: String,
    /// The parameters of the page's address. Read here and not through the router, which decodes them twice.
    pub query: BTreeMap<String, String>,
    /// Who is logged in.
    pub person: Option<Person>,
    /// The form that was sent to this page and failed, when there is no script to show it in place.
    pub submitted: Option<Submitted>,
    /// An error that takes the place of the page.
    pub failure: Option<AuthError>,
    /// Where the request says it came from, and where it should have come from.
    pub origins: Option<(String, String)>,
    /// A login with the provider that was refused, in the place of the page.
    pub refused: Option<Refused>,
    /// The configured OpenID provider.
    pub provider: Option<Provider>,
    /// Where the person ends their session at the provider, after ending the one here.
    pub end_session_url: Option<String>,
    /// The address of the account that has to be proven before the provider's is connected with it.
    pub pending_email: Option<String>,
    pub password_min_length: u16,
    pub offers: Offers,
    /// The person's address has not been proven and can be by mail, on the pages that say so.
    pub is_unproven: bool,
    /// Whose password the link in this browser may set.
    pub reset_for: Option<String>,
    /// For administrators only.
    pub administration: Option<Administration>,
    /// What was looked up for this page.
    pub loaded: Option<Loaded>,
}

/// What a page shows that is in the database. Looked up before the page is rendered, by `server::pages`, for those who may see it.
#[derive(Clone)]
pub enum Loaded {
    Account(account::Overview),
    Users(users::List),
    User(Box<users::details::Details>),
    /// Whom something is about to be done to.
    Subject(users::change::Subject),
    Events(users::events::EventList),
    Link(users::link::Link),
    Check(Vec<users::check::Line>),
    /// Nothing but that the person is an administrator.
    NewUser,
}

/// The addresses of our files, which change with their content.
#[derive(Clone, Debug, Default)]
pub struct Assets {
    pub css: String,
    pub js: String,
    pub wasm: String,
}

/// What this installation can do for a visitor.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offers {
    /// Creating an account.
    pub signup: bool,
    /// A link for a new password by mail.
    pub reset: bool,
    /// Mail at all.
    pub mail: bool,
}

/// The OpenID provider, as a visitor sees it.
#[derive(Clone)]
pub struct Provider {
    pub name: String,
    /// Why nobody can log in with it right now.
    pub trouble: Option<Refusal>,
}

/// Why a login with the provider was refused.
#[derive(Clone, Debug)]
pub struct Refused {
    pub refusal: Refusal,
    /// The provider's own words, short; shown as text.
    pub said: Option<String>,
    /// Where the next try leads.
    pub return_to: String,
    /// Instead of logging in, the next try connects the account of whoever is logged in.
    pub connects: bool,
}

#[derive(Clone)]
pub struct Person {
    pub email: String,
    pub is_superuser: bool,
    pub is_verified: bool,
    pub since: Moment,
}

/// A time, for machines and for people.
#[derive(Clone)]
pub struct Moment {
    pub iso: String,
    pub words: String,
}

/// How the program is configured, as far as an administrator needs to see it.
#[derive(Clone)]
pub struct Administration {
    pub warnings: Vec<String>,
    pub redirect_uri: Option<String>,
    /// How many accounts wait for approval.
    pub waiting: u64,
}

/// A form that failed: why, and what may be shown again.
#[derive(Clone, Debug)]
pub struct Submitted {
    pub error: AuthError,
    pub values: BTreeMap<String, String>,
}

/// What this page may know.
#[must_use]
pub fn visit() -> Visit {
    use_context().unwrap_or_default()
}

impl Visit {
    /// What was typed into a field of the form that failed, for showing it again.
    #[must_use]
    pub fn typed(&self, field: &str) -> String {
        self.submitted.as_ref().and_then(|submitted| submitted.values.get(field)).cloned().unwrap_or_default()
    }

    /// What a hidden field carries on: the failed form's own, else the address's.
    #[must_use]
    pub fn carried(&self, field: &str) -> String {
        let values = self.submitted.as_ref().map_or(&self.query, |submitted| &submitted.values);
        values.get(field).cloned().unwrap_or_default()
    }

    /// The word for what has just happened, out of a closed list that the page knows.
    #[must_use]
    pub fn notice(&self) -> &str {
        self.query.get("notice").map(String::as_str).unwrap_or_default()
    }

    /// What was wrong with the form that was sent to this page, where it is said.
    #[must_use]
    pub fn fault(&self) -> ui::Fault {
        let fault = |submitted: &Submitted| ui::Fault { at: submitted.error.place().to_owned(), text: submitted.error.to_string() };
        self.submitted.as_ref().map(fault).unwrap_or_default()
    }
}

impl FromServerFnError for AuthError {
    type Encoder = JsonEncoding;

    /// The framework's own failures carry texts of libraries, which stay on the server (SR-183).
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => Self::Malformed,
            _ => Self::Internal,
        }
    }
}
