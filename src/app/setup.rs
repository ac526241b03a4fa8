use leptos::{either::Either, prelude::*, server_fn::ServerFn};

use super::{page_context::page_context, paths, ui};
use crate::domain::{AuthError, LinkToken, Password};

/// Makes the first administrator and logs them in.
#[server(prefix = "", endpoint = "setup")]
pub async fn set_up(
    #[server(default)] token: LinkToken,
    #[server(default)] email: String,
    #[server(default)] password: Password,
) -> Result<(), AuthError> {
    use crate::{
        domain::Email,
        server::{
            flows::setup::{self, FirstAdmin},
            web::server_fn,
        },
    };
    let (state, auth) = server_fn::request()?;
    let cx = auth.ctx(&state);
    setup::check_setup_link(&cx, token.expose()).await?;
    let first = FirstAdmin {
        token,
        email: Email::parse(&email)?,
        password,
    };
    server_fn::log_in_browser(&state, &setup::create_first_admin(&cx, first).await?, None)
}

/// `/setup`
#[component]
pub fn SetupPage(token: String) -> impl IntoView {
    let cx = page_context();
    view! {
        <ui::Layout title="Set up the first administrator" has_error=cx.has_error()>
            <h1>"Set up the first administrator"</h1>
            <p class="lead">{format!("This account manages everybody else's. You log in to {} with it.", cx.app_name)}</p>
            <ui::CredentialsForm
                action=SetUp::PATH
                button="Create administrator"
                fault_at=cx.field_error().element_id
                fault=cx.field_error().message
                account=""
                carried="token"
                carried_value=token
                email=cx.typed("email")
                email_is_fixed=false
                new_password_min=cx.password_min_length
                offers_reset=false
            />
        </ui::Layout>
    }
}

/// `/setup` without a form: why there is none, and what to do.
#[component]
pub fn SetupUnavailable(error: AuthError, message: String) -> impl IntoView {
    let log_in =
        || Either::Left(view! { <p class="links"><a href=paths::LOGIN.path>"Log in"</a></p> });
    let (title, way_on) = match error {
        AuthError::AlreadySetUp => ("Setup is done", log_in()),
        AuthError::UsersExistWithoutAdmin => ("There is no administrator yet", log_in()),
        _ => (
            "Open the setup link",
            Either::Right(view! {
                <p>"The program prints a link each time it starts, as long as nobody has an account: look at the end of its output. Or make the first administrator from the shell:"</p>
                <pre class="copy" tabindex="0"><code>"mediamanager-auth user create --admin you@example.org"</code></pre>
            }),
        ),
    };
    view! {
        <ui::Layout title>
            <h1>{title}</h1>
            <p class="lead">{message}</p>
            {way_on}
        </ui::Layout>
    }
}
