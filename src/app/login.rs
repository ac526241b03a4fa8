use leptos::{prelude::*, server_fn::ServerFn};

use super::{ui, visit};
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
    let is_back = visit.carried("notice") == "logged_out";
    view! {
        <ui::Frame title="Log in" has_error=visit.submitted.is_some()>
            <h1>"Log in"</h1>
            {is_back.then(|| view! { <p class="notice" role="status">"You are logged out."</p> })}
            <LogInForm email=visit.typed("email") return_to=return_to.clone() error=visit.error()/>
            {visit.provider.clone().map(|name| view! { <ProviderButton name return_to/> })}
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

/// The way to the provider: a link, because the content security policy's `form-action` holds for redirects of a form.
#[component]
fn ProviderButton(name: String, return_to: String) -> impl IntoView {
    let target = match crate::domain::ReturnTo::parse(&return_to) {
        Some(target) => format!("/login/oidc?return_to={}", percent_encoding::utf8_percent_encode(target.as_str(), percent_encoding::NON_ALPHANUMERIC)),
        None => "/login/oidc".to_owned(),
    };
    view! {
        <p class="divider"><span>"or"</span></p>
        <a class="button" href=target>{format!("Continue with {name}")}</a>
    }
}
