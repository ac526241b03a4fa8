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
            <LogInForm email=visit.typed("email") return_to=return_to.clone() error=visit.error()/>
            <oidc::ProviderButton return_to/>
        </ui::Frame>
    }
}

/// The form of the login page.
#[island]
pub fn LogInForm(email: String, return_to: String, error: Option<AuthError>) -> impl IntoView {
    let state = ui::FormState::new(error);
    view! {
        <form method="post" action=LogIn::PATH data-hydrated=move || state.is_hydrated.get().then_some("") on:submit=move |event| state.submit(&event)>
            <ui::Feedback state/>
            <input type="hidden" name="return_to" value=return_to/>
            <ui::EmailField state value=email/>
            <ui::PasswordField state autocomplete="current-password"/>
            <button type="submit" aria-busy=move || state.is_sending.get().then_some("true")>"Log in"</button>
        </form>
    }
}
