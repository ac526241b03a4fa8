use leptos::{
    either::{Either, EitherOf3},
    prelude::*,
    server_fn::ServerFn,
};

use super::{
    failure::{FailurePage, FailureText},
    ui, visit,
};
use crate::domain::{AuthError, LinkToken, Password};

/// Makes the first administrator and logs them in.
#[server(prefix = "", endpoint = "setup")]
pub async fn set_up(#[server(default)] token: LinkToken, #[server(default)] email: String, #[server(default)] password: Password) -> Result<(), AuthError> {
    use crate::{
        domain::Email,
        server::{
            context,
            flows::setup::{self, FirstAdministrator},
        },
    };
    let (state, visitor) = context::visitor()?;
    let cx = visitor.ctx(&state);
    setup::check(&cx, token.expose()).await?;
    let first = FirstAdministrator { token, email: Email::parse(&email)?, password };
    context::enter(&state, &setup::create_first_administrator(&cx, first).await?, "")
}

/// Whether this link opens the setup form.
#[server(prefix = "", endpoint = "setup/link")]
pub async fn check_setup_link(#[server(default)] token: LinkToken) -> Result<(), AuthError> {
    use crate::server::{context, flows::setup};
    let (state, visitor) = context::visitor()?;
    setup::check(&visitor.ctx(&state), token.expose()).await.inspect_err(|error| context::set_status(*error))
}

/// `/setup`
#[component]
pub fn SetupPage() -> impl IntoView {
    let token = visit().carried("token");
    Suspend::new(async move {
        match check_setup_link(LinkToken::new(token.clone())).await {
            Ok(()) => EitherOf3::A(view! { <SetupForm token/> }),
            Err(error @ (AuthError::SetupDone | AuthError::SetupOvertaken | AuthError::SetupLinkInvalid)) => EitherOf3::B(view! { <NoSetup error/> }),
            Err(error) => EitherOf3::C(view! { <FailurePage error/> }),
        }
    })
}

#[component]
fn SetupForm(token: String) -> impl IntoView {
    let visit = visit();
    view! {
        <ui::Frame title="Set up the first administrator" has_error=visit.submitted.is_some()>
            <h1>"Set up the first administrator"</h1>
            <p class="lead">{format!("This account manages everybody else's. You log in to {} with it.", visit.app_name)}</p>
            <ui::CredentialsForm
                action=SetUp::PATH
                button="Create administrator"
                fault_at=visit.fault().at
                fault=visit.fault().text
                carried="token"
                carried_value=token
                email=visit.typed("email")
                email_is_fixed=false
                new_password_min=visit.password_min_length
                offers_reset=false
            />
        </ui::Frame>
    }
}

/// Why there is no form, and what to do.
#[component]
fn NoSetup(error: AuthError) -> impl IntoView {
    let log_in = || Either::Left(view! { <p class="links"><a href="/login">"Log in"</a></p> });
    let (title, way_on) = match error {
        AuthError::SetupDone => ("Setup is done", log_in()),
        AuthError::SetupOvertaken => ("There is no administrator yet", log_in()),
        _ => (
            "Open the setup link",
            Either::Right(view! {
                <p>"The program prints a link each time it starts, as long as nobody has an account: look at the end of its output. Or make the first administrator from the shell:"</p>
                <pre class="copy" tabindex="0"><code>"mediamanager-auth user create --admin you@example.org"</code></pre>
            }),
        ),
    };
    view! {
        <ui::Frame title>
            <h1>{title}</h1>
            <FailureText error/>
            {way_on}
        </ui::Frame>
    }
}
