use leptos::{prelude::*, server_fn::ServerFn};

use super::{oidc, page_context::page_context, paths, ui};
use crate::{
    domain::{AuthError, Notice, Password},
    islands::{CredentialsForm, FormProps},
    text::en::pages::{login as text, signup},
};

/// Logs in with e-mail and password.
#[server(prefix = "", endpoint = "login")]
pub async fn log_in(
    #[server(default)] email: String,
    #[server(default)] password: Password,
    #[server(default)] return_to: String,
) -> Result<(), AuthError> {
    use crate::{
        domain::{Email, ReturnTo},
        server::{flows::login, web::server_fn},
    };
    let (state, auth) = server_fn::request()?;
    let input = login::PasswordLogin {
        email: Some(Email::parse_existing(&email)?),
        password,
    };
    let login = login::log_in_with_password(&auth.ctx(&state), input).await?;
    server_fn::log_in_browser(&state, &login, ReturnTo::parse(&return_to).as_ref())
}

const NOTICES: [Notice; 7] = [
    Notice::LoggedOut,
    Notice::LoggedOutHere,
    Notice::SignedUp,
    Notice::ResetRequested,
    Notice::AccountDeleted,
    Notice::PasswordReset,
    Notice::SessionExpired,
];

/// `/login`
#[component]
pub fn LoginPage(
    /// Ends the session at the provider, after logging out here.
    provider_logout_url: Option<String>,
) -> impl IntoView {
    let cx = page_context();
    let return_to = cx.return_to();
    view! {
        <ui::Layout title=text::TITLE has_error=cx.has_error()>
            <h1>{text::TITLE}</h1>
            <ui::NoticeMessage shown=&NOTICES/>
            <oidc::ProviderLogoutButton url=provider_logout_url/>
            <CredentialsForm form=FormProps {
                hidden_name: "return_to".to_owned(),
                hidden_value: return_to.clone().map_or_else(String::new, String::from),
                email: cx.typed("email"),
                offers_reset: cx.features.password_reset,
                ..ui::form_props(LogIn::PATH, text::TITLE, 0)
            }/>
            <oidc::ProviderButtons return_to/>
            {cx.features.signup.then(|| view! { <p class="links">{text::NEW_HERE}<a href=paths::SIGNUP.path>{signup::TITLE}</a></p> })}
        </ui::Layout>
    }
}
