use leptos::{
    either::{Either, EitherOf3},
    prelude::*,
    server_fn::ServerFn,
};

use super::{
    failure::{FailurePage, FailureText},
    ui, visit,
};
use crate::domain::AuthError;

/// Makes the first administrator and logs them in.
#[server(prefix = "", endpoint = "setup")]
pub async fn set_up(#[server(default)] token: String, #[server(default)] email: String, #[server(default)] password: String) -> Result<(), AuthError> {
    use crate::{
        domain::Email,
        server::{
            context,
            flows::{new_password::NewPassword, setup},
        },
    };
    let (state, visitor) = context::visitor()?;
    setup::check(&state, &token).await?;
    let email = Email::parse(&email)?;
    let password = NewPassword::parse(password, email.as_str(), &state.config)?;
    let first = setup::FirstAdministrator { email, password, origin: visitor.origin };
    let started = setup::create_first_administrator(&state, &token, first).await?;
    context::enter(&state, &started, "")
}

/// Whether this link opens the setup form.
#[server(prefix = "", endpoint = "setup/link")]
pub async fn check_setup_link(#[server(default)] token: String) -> Result<(), AuthError> {
    use crate::server::{context, flows::setup};
    let (state, _) = context::visitor()?;
    setup::check(&state, &token).await.inspect_err(|error| context::set_status(*error))
}

/// `/setup`
#[component]
pub fn SetupPage() -> impl IntoView {
    let token = visit().carried("token");
    Suspend::new(async move {
        match check_setup_link(token.clone()).await {
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
