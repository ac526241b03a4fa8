use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    app::{failure::FailurePage, ui, visit},
    domain::{AuthError, Password},
};

/// Gives the account another password and ends all its other sessions. Needs a young login (SR-142).
#[server(prefix = "", endpoint = "account/password")]
pub async fn change_password(#[server(default)] password: Password) -> Result<(), AuthError> {
    use crate::server::{context, flows::account};
    let (state, visitor) = context::visitor()?;
    let recent = visitor.current_user()?.recent(state.clock.now())?;
    account::change_password(&visitor.ctx(&state), &recent, password).await?;
    context::go_to("/account?notice=password_changed");
    Ok(())
}

/// `/account/password`
#[component]
pub fn PasswordPage() -> impl IntoView {
    let visit = visit();
    let Some(person) = visit.person.clone() else { return view! { <FailurePage error=AuthError::NotLoggedIn/> }.into_any() };
    view! {
        <ui::Frame title="Change password" has_error=visit.submitted.is_some()>
            <h1>"Change password"</h1>
            <p class="lead">"You stay logged in here and are logged out everywhere else."</p>
            // The address is shown for the password manager; the server knows it anyway.
            <ui::CredentialsForm
                action=ChangePassword::PATH
                button="Change password"
                fault_at=visit.fault().at
                fault=visit.fault().text
                carried="return_to"
                carried_value=""
                email=person.email
                email_is_fixed=true
                new_password_min=visit.password_min_length
                offers_reset=false
            />
            <p class="links"><a href="/account">"Back to your account"</a></p>
        </ui::Frame>
    }
    .into_any()
}
