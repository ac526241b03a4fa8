use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    app::{oidc, page_context::page_context, paths, ui},
    domain::{AuthError, Password},
    islands::{CredentialsForm, FormProps},
    text::en::pages::{account::reauthenticate as text, links},
};

/// Logs the current user in again, where a recent login is required (SR-142).
#[server(prefix = "", endpoint = "account/log-in-again")]
pub async fn reauthenticate(
    #[server(default)] password: Password,
    #[server(default)] return_to: String,
) -> Result<(), AuthError> {
    use crate::{
        domain::ReturnTo,
        server::{flows::account, web::server_fn},
    };
    let (state, auth) = server_fn::request()?;
    let login = account::reauthenticate(&auth.ctx(&state), auth.current_user()?, password).await?;
    server_fn::log_in_browser(&state, &login, ReturnTo::parse(&return_to).as_ref())
}

/// `/account/log-in-again`
#[component]
pub fn ReauthenticatePage(email: String, has_password: bool, has_identity: bool) -> impl IntoView {
    let cx = page_context();
    let return_to = cx.return_to();
    let form = has_password.then(|| {
        view! {
            <CredentialsForm form=FormProps {
                hidden_name: "return_to".to_owned(),
                hidden_value: return_to.clone().map_or_else(String::new, String::from),
                account: ui::form_account(),
                email,
                email_is_fixed: true,
                offers_reset: cx.features.password_reset,
                ..ui::form_props(Reauthenticate::PATH, text::BUTTON, 0)
            }/>
        }
        .into_any()
    });
    let provider = has_identity.then(|| {
        view! { <oidc::ProviderButtons return_to=return_to.clone() is_alone=!has_password/> }
            .into_any()
    });
    view! {
        <ui::Layout title=text::TITLE has_error=cx.has_error()>
            <h1>{text::TITLE}</h1>
            <p class="lead">{text::LEAD}</p>
            {form}
            {provider}
            <p class="links"><a href=paths::ACCOUNT.path>{links::BACK_TO_ACCOUNT}</a></p>
        </ui::Layout>
    }
    .into_any()
}
