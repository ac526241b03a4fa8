use leptos::{prelude::*, server_fn::ServerFn};

use super::{page_context::page_context, paths, ui};
use crate::{
    domain::{AuthError, Password},
    islands::{CredentialsForm, FormProps},
    text::en::pages::signup as text,
};

/// Creates an account that waits for an administrator's approval.
#[server(prefix = "", endpoint = "login/signup")]
pub async fn sign_up(
    #[server(default)] email: String,
    #[server(default)] password: Password,
) -> Result<(), AuthError> {
    use crate::{
        domain::{Email, Notice},
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
    let lead = if cx.features.mail {
        text::LEAD_WITH_MAIL
    } else {
        text::LEAD_WITHOUT_MAIL
    };
    view! {
        <ui::Layout title=text::TITLE has_error=cx.has_error()>
            <h1>{text::TITLE}</h1>
            <p class="lead">{lead}</p>
            <CredentialsForm form=FormProps {
                email: cx.typed("email"),
                ..ui::form_props(SignUp::PATH, text::TITLE, cx.password_min_length)
            }/>
            <p class="links"><a href=paths::LOGIN.path>{text::HAVE_ACCOUNT}</a></p>
        </ui::Layout>
    }
}
