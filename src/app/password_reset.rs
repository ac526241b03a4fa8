use leptos::{prelude::*, server_fn::ServerFn};

use super::{failure::FailurePage, ui, visit};
use crate::domain::{AuthError, Password};

/// Asks for a link by mail; the answer is the same whoever has the address (SR-040).
#[server(prefix = "", endpoint = "login/forgot-password")]
pub async fn request_reset(#[server(default)] email: String) -> Result<(), AuthError> {
    use crate::{
        domain::Email,
        server::{context, flows::password_reset},
    };
    let (state, visitor) = context::visitor()?;
    password_reset::request(&visitor.ctx(&state), &Email::parse(&email)?).await?;
    context::go_to("/login?notice=reset_requested");
    Ok(())
}

/// Sets the new password. The token is in a cookie by now, and not in the page.
#[server(prefix = "", endpoint = "login/reset-password")]
pub async fn reset_password(#[server(default)] email: String, #[server(default)] password: Password) -> Result<(), AuthError> {
    use crate::server::{
        context,
        flows::password_reset::{self, PasswordReset},
    };
    let (state, visitor) = context::visitor()?;
    let token = context::link_token(ResetPassword::PATH)?.ok_or(AuthError::ResetLinkInvalid)?;
    password_reset::complete(&visitor.ctx(&state), PasswordReset { token, shown_email: Some(email), password }).await?;
    context::link_is_used(&state, ResetPassword::PATH)?;
    context::go_to("/login?notice=password_changed");
    Ok(())
}

/// `/login/forgot-password`. A plain form: there is nothing to hide and nothing to show in place.
#[component]
pub fn ForgotPasswordPage() -> impl IntoView {
    let visit = visit();
    if !visit.offers.reset {
        return view! { <NoResets/> }.into_any();
    }
    let state = ui::FormState::new(visit.fault());
    view! {
        <ui::Frame title="Forgot password" has_error=visit.submitted.is_some()>
            <h1>"Forgot password"</h1>
            <p class="lead">"Enter the address of your account. If there is one, we send a link with which you can choose a new password."</p>
            <form method="post" action=RequestReset::PATH>
                <ui::Feedback state/>
                <ui::EmailField state value=visit.typed("email") is_fixed=false/>
                <button type="submit">"Send link"</button>
            </form>
            <p class="links"><a href="/login">"Back to the login page"</a></p>
        </ui::Frame>
    }
    .into_any()
}

/// Why there is no form, and who can help.
#[component]
fn NoResets() -> impl IntoView {
    view! {
        <ui::Frame title="Forgot password">
            <h1>"Forgot password"</h1>
            <p class="lead">"Nobody can set a new password by mail here. Ask an administrator for a link with which you can choose one."</p>
            <p class="links"><a href="/login">"Back to the login page"</a></p>
        </ui::Frame>
    }
}

/// `/login/reset-password`, after the link's token has moved from the address into a cookie.
#[component]
pub fn ResetPasswordPage() -> impl IntoView {
    let visit = visit();
    // Shown only to whoever holds the link; the layer in front has checked it.
    let Some(email) = visit.reset_for.clone() else {
        return view! { <FailurePage error=AuthError::ResetLinkInvalid/> }.into_any();
    };
    view! {
        <ui::Frame title="Choose a new password" has_error=visit.submitted.is_some()>
            <h1>"Choose a new password"</h1>
            <p class="lead">"Everybody who is logged in to this account is logged out then, and you log in with the new password."</p>
            <ui::CredentialsForm
                action=ResetPassword::PATH
                button="Set password"
                fault_at=visit.fault().at
                fault=visit.fault().text
                carried="return_to"
                carried_value=""
                email
                email_is_fixed=true
                new_password_min=visit.password_min_length
                offers_reset=false
            />
        </ui::Frame>
    }
    .into_any()
}
