use leptos::{prelude::*, server_fn::ServerFn};

use super::{logout::LOGGED_OUT_HERE, oidc, ui, visit};
use crate::domain::{AuthError, Password};

/// Logs in with e-mail and password.
#[server(prefix = "", endpoint = "login")]
pub async fn log_in(#[server(default)] email: String, #[server(default)] password: Password, #[server(default)] return_to: String) -> Result<(), AuthError> {
    use crate::{
        domain::Email,
        server::{context, flows::login},
    };
    let (state, visitor) = context::visitor()?;
    let attempt = login::Attempt { email: Some(Email::parse(&email)?), password };
    let login = login::with_password(&visitor.ctx(&state), attempt).await?;
    context::enter(&state, &login, &return_to)
}

/// `/login`
#[component]
pub fn LoginPage() -> impl IntoView {
    let visit = visit();
    let return_to = visit.carried("return_to");
    let notice = match visit.notice() {
        "logged_out" | LOGGED_OUT_HERE => Some("You are logged out."),
        "signed_up" => Some("We have sent a mail to that address. Log in here, then open the link in the mail to confirm it."),
        "reset_requested" => Some("If there is an account with that address, a mail with a link is on its way. Look into the spam folder too."),
        "account_deleted" => Some("Your account is deleted."),
        "password_changed" => Some("Your password is changed. Log in with the new one."),
        _ => None,
    };
    view! {
        <ui::Frame title="Log in" has_error=visit.submitted.is_some()>
            <h1>"Log in"</h1>
            {notice.map(|text| view! { <p class="notice" role="status">{text}</p> })}
            <oidc::LogOutThere/>
            <ui::CredentialsForm
                action=LogIn::PATH
                button="Log in"
                fault_at=visit.fault().at
                fault=visit.fault().text
                carried="return_to"
                carried_value=return_to.clone()
                email=visit.typed("email")
                email_is_fixed=false
                new_password_min=0
                offers_reset=visit.offers.reset
            />
            <oidc::ProviderButton return_to/>
            {visit.offers.signup.then(|| view! { <p class="links">"New here? "<a href="/login/signup">"Create account"</a></p> })}
        </ui::Frame>
    }
}
