use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    app::{Loaded, failure::FailurePage, oidc, ui, visit},
    domain::{AuthError, Password},
};

/// Logs the same person in again, before something that takes a young login (SR-142).
#[server(prefix = "", endpoint = "account/log-in-again")]
pub async fn log_in_again(#[server(default)] password: Password, #[server(default)] return_to: String) -> Result<(), AuthError> {
    use crate::server::{context, flows::account};
    let (state, visitor) = context::visitor()?;
    let login = account::log_in_again(&visitor.ctx(&state), visitor.current_user()?, password).await?;
    context::enter(&state, &login, &return_to)
}

/// `/account/log-in-again`
#[component]
pub fn LogInAgainPage() -> impl IntoView {
    let visit = visit();
    let (Some(person), Some(Loaded::Account(overview))) = (visit.person.clone(), visit.loaded.clone()) else {
        return view! { <FailurePage error=AuthError::NotLoggedIn/> }.into_any();
    };
    let return_to = visit.carried("return_to");
    let form = overview.has_password.then(|| {
        view! {
            <ui::CredentialsForm
                action=LogInAgain::PATH
                button="Go on"
                fault_at=visit.fault().at
                fault=visit.fault().text
                carried="return_to"
                carried_value=return_to.clone()
                email=person.email
                email_is_fixed=true
                new_password_min=0
                offers_reset=visit.offers.reset
            />
        }
        .into_any()
    });
    let provider =
        (!overview.identities.is_empty()).then(|| view! { <oidc::ProviderButton return_to=return_to.clone() is_alone=!overview.has_password/> }.into_any());
    view! {
        <ui::Frame title="Confirm that it is you" has_error=visit.submitted.is_some()>
            <h1>"Confirm that it is you"</h1>
            <p class="lead">"Your login is older than five minutes. Log in once more before you change your account, so that nobody else at this screen can."</p>
            {form}
            {provider}
            <p class="links"><a href="/account">"Back to your account"</a></p>
        </ui::Frame>
    }
    .into_any()
}
