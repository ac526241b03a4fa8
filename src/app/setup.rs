use leptos::{either::Either, prelude::*, server_fn::ServerFn};

use super::{page_context::page_context, paths, ui};
use crate::{
    domain::{AuthError, LinkToken, Password},
    islands::{CredentialsForm, FormProps},
    text::en::pages::{
        login,
        setup::{self as text, unavailable},
    },
};

/// Creates the first administrator and logs them in.
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
        <ui::Layout title=text::TITLE has_error=cx.has_error()>
            <h1>{text::TITLE}</h1>
            <p class="lead">{text::lead(&cx.app_name)}</p>
            <CredentialsForm form=FormProps {
                hidden_name: "token".to_owned(),
                hidden_value: token,
                email: cx.typed("email"),
                ..ui::form_props(SetUp::PATH, text::BUTTON, cx.password_min_length)
            }/>
        </ui::Layout>
    }
}

/// `/setup` without a valid setup link.
#[component]
pub fn SetupUnavailable(error: AuthError, message: String) -> impl IntoView {
    let log_in = || {
        Either::Left(view! { <p class="links"><a href=paths::LOGIN.path>{login::TITLE}</a></p> })
    };
    let (title, way_on) = match error {
        AuthError::AlreadySetUp => (unavailable::ALREADY_SET_UP, log_in()),
        AuthError::UsersExistWithoutAdmin => (unavailable::NO_ADMINISTRATOR, log_in()),
        _ => (
            unavailable::OPEN_LINK,
            Either::Right(view! {
                <p>{unavailable::WHERE_THE_LINK_IS}</p>
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
