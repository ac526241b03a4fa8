use leptos::{prelude::*, server_fn::ServerFn};

use super::{page_context::page_context, paths, ui};
use crate::domain::{AuthError, Password};

/// Makes an account that waits for an administrator's approval.
#[server(prefix = "", endpoint = "login/signup")]
pub async fn sign_up(
    #[server(default)] email: String,
    #[server(default)] password: Password,
) -> Result<(), AuthError> {
    use crate::app::notice::Notice;
    use crate::{
        domain::Email,
        server::{
            flows::signup::{self, SignupOutcome},
            web::server_fn,
        },
    };
    let (state, auth) = server_fn::request()?;
    let cx = auth.ctx(&state);
    match signup::sign_up(
        &cx,
        signup::SignupRequest {
            email: Email::parse(&email)?,
            password,
        },
    )
    .await?
    {
        SignupOutcome::Created { user } => {
            server_fn::log_in_browser(&state, &signup::log_in_new_user(&cx, user).await?, None)
        }
        SignupOutcome::MailSent { .. } => {
            server_fn::redirect(&paths::LOGIN, Notice::SignedUp);
            Ok(())
        }
    }
}

/// `/login/signup`
#[component]
pub fn SignupPage() -> impl IntoView {
    let cx = page_context();
    let what_next = if cx.features.mail {
        "You get a mail to confirm the address. Then an administrator approves the account."
    } else {
        "An administrator approves the account before you can use it."
    };
    view! {
        <ui::Layout title="Create account" has_error=cx.has_error()>
            <h1>"Create account"</h1>
            <p class="lead">{what_next}</p>
            <ui::CredentialsForm
                action=SignUp::PATH
                button="Create account"
                fault_at=cx.field_error().element_id
                fault=cx.field_error().message
                account=""
                carried="return_to"
                carried_value=""
                email=cx.typed("email")
                email_is_fixed=false
                new_password_min=cx.password_min_length
                offers_reset=false
            />
            <p class="links"><a href=paths::LOGIN.path>"I have an account"</a></p>
        </ui::Layout>
    }
}
