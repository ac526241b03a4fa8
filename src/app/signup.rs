use leptos::{prelude::*, server_fn::ServerFn};

use super::{page_context::page_context, paths, ui};
use crate::{
    domain::{AuthError, Password},
    islands::CredentialsForm,
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
            <CredentialsForm
                action=SignUp::PATH
                button=text::TITLE
                fault_at=cx.field_error().element_id
                fault=cx.field_error().message
                account=""
                carried="return_to"
                carried_value=""
                email=cx.typed("email")
                email_is_fixed=false
                new_password_min=cx.password_min_length
                offers_reset=false
                reset_path=paths::FORGOT_PASSWORD.path
                texts=ui::form_texts(cx.password_min_length)
            />
            <p class="links"><a href=paths::LOGIN.path>{text::HAVE_ACCOUNT}</a></p>
        </ui::Layout>
    }
}
