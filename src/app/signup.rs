use leptos::{prelude::*, server_fn::ServerFn};

use super::{ui, visit};
use crate::domain::{AuthError, Password};

/// Makes an account that waits for an administrator's approval.
#[server(prefix = "", endpoint = "login/signup")]
pub async fn sign_up(#[server(default)] email: String, #[server(default)] password: Password) -> Result<(), AuthError> {
    use crate::{
        domain::Email,
        server::{
            context,
            flows::signup::{self, SignedUp},
        },
    };
    let (state, visitor) = context::visitor()?;
    let cx = visitor.ctx(&state);
    match signup::sign_up(&cx, signup::Request { email: Email::parse(&email)?, password }).await? {
        SignedUp::Made { user } => context::enter(&state, &signup::log_in(&cx, user).await?, ""),
        SignedUp::MailSent { .. } => {
            context::go_to("/login?notice=signed_up");
            Ok(())
        }
    }
}

/// `/login/signup`
#[component]
pub fn SignUpPage() -> impl IntoView {
    let visit = visit();
    let what_next = if visit.offers.mail {
        "You get a mail to confirm the address. Then an administrator approves the account."
    } else {
        "An administrator approves the account before you can use it."
    };
    view! {
        <ui::Frame title="Create account" has_error=visit.submitted.is_some()>
            <h1>"Create account"</h1>
            <p class="lead">{what_next}</p>
            <ui::CredentialsForm
                action=SignUp::PATH
                button="Create account"
                fault_at=visit.fault().at
                fault=visit.fault().text
                carried="return_to"
                carried_value=""
                email=visit.typed("email")
                email_is_fixed=false
                new_password_min=visit.password_min_length
                offers_reset=false
            />
            <p class="links"><a href="/login">"I have an account"</a></p>
        </ui::Frame>
    }
}
