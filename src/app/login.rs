use leptos::{prelude::*, server_fn::ServerFn};

use super::{logout::LOGGED_OUT_HERE, oidc, ui, visit};
use crate::domain::AuthError;

/// Logs in with e-mail and password.
#[server(prefix = "", endpoint = "login")]
pub async fn log_in(#[server(default)] email: String, #[server(default)] password: String, #[server(default)] return_to: String) -> Result<(), AuthError> {
    use crate::{
        domain::{Email, Password},
        server::{context, flows::login},
    };
    let (state, visitor) = context::visitor()?;
    let attempt = login::Attempt { email: Some(Email::parse(&email)?), password: Password::parse(password)?, origin: visitor.origin };
    let started = login::with_password(&state, attempt).await?;
    context::enter(&state, &started, &return_to)
}

/// `/login`
#[component]
pub fn LoginPage() -> impl IntoView {
    let visit = visit();
    let return_to = visit.carried("return_to");
    let notice = visit.query.get("notice").map(String::as_str);
    let is_back = matches!(notice, Some("logged_out" | LOGGED_OUT_HERE));
    view! {
        <ui::Frame title="Log in" has_error=visit.submitted.is_some()>
            <h1>"Log in"</h1>
            {is_back.then(|| view! { <p class="notice" role="status">"You are logged out."</p> })}
            <oidc::LogOutThere/>
            <ui::CredentialsForm
                action=LogIn::PATH
                button="Log in"
                error=visit.error()
                carried="return_to"
                carried_value=return_to.clone()
                email=visit.typed("email")
                email_is_fixed=false
                new_password_rule=""
            />
            <oidc::ProviderButton return_to/>
        </ui::Frame>
    }
}
