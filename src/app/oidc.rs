use leptos::{
    prelude::*,
    server_fn::{ServerFn, codec::GetUrl},
};

use super::{page_context::page_context, paths, ui};
use crate::domain::{AuthError, Password, ReturnTo, return_to};

/// Sends the browser to the provider, or to the page that says why not. A link leads here, so it
/// changes nothing but the browser's own cookies; and it never fails, because the framework would
/// answer an error with the Referer and put it into the address.
#[server(prefix = "", endpoint = "login/oidc", input = GetUrl)]
pub async fn log_in_with_provider(#[server(default)] return_to: String) -> Result<(), AuthError> {
    use crate::server::web::server_fn;
    server_fn::redirect_to(&server_fn::start_oidc_login(ReturnTo::parse(&return_to)).await);
    Ok(())
}

/// Connects the account at the provider with the account here, proven by its password, and logs in.
#[server(prefix = "", endpoint = "login/connect")]
pub async fn confirm_link(#[server(default)] password: Password) -> Result<(), AuthError> {
    use crate::server::{flows::oidc, web::server_fn};
    let (state, auth) = server_fn::request()?;
    let pending = server_fn::pending_link()?.ok_or(AuthError::PendingLinkExpired)?;
    let login = oidc::confirm_link(&auth.ctx(&state), &pending, password).await?;
    server_fn::finish_linking(&state, &login, &pending)
}

/// The way to the provider: a link, because the content security policy's `form-action` holds for
/// redirects of a form. While the provider cannot be used it says so and leads nowhere.
#[component]
pub fn ProviderButton(
    return_to: Option<ReturnTo>,
    /// There is nothing beside it to choose.
    #[prop(optional)]
    is_alone: bool,
) -> impl IntoView {
    page_context().provider.clone().map(|provider| {
        let button = match provider.last_error {
            None => {
                let text = format!("Continue with {}", provider.name);
                view! { <a class="button" href=start_url(return_to.as_ref())>{text}</a> }.into_any()
            }
            Some(message) => {
                let text = format!("Continue with {}", provider.name);
                view! {
                    <a class="button" role="link" aria-disabled="true" aria-describedby="provider-trouble">{text}</a>
                    <p class="hint" id="provider-trouble">{message}</p>
                }
                .into_any()
            }
        };
        view! {
            {(!is_alone).then(|| view! { <p class="divider"><span>"or"</span></p> })}
            {button}
        }
    })
}

/// After logging out here: the person is still logged in at the provider, and the next click on its
/// button would let anybody at this screen in again.
#[component]
pub fn ProviderLogoutButton(url: Option<String>) -> impl IntoView {
    url.zip(page_context().provider.clone())
        .map(|(url, provider)| {
            view! { <a class="button" href=url>{format!("Also log out of {}", provider.name)}</a> }
        })
}

/// Why a login with the provider failed.
#[derive(Clone, Debug)]
pub struct OidcLoginError {
    pub code: &'static str,
    pub title: &'static str,
    /// What happened.
    pub message: String,
    /// What the person can do about it.
    pub hint: &'static str,
    pub provider_name: String,
    /// The provider's own words, short; shown as text.
    pub provider_message: Option<String>,
    /// Where the next try leads.
    pub return_to: Option<ReturnTo>,
    /// The viewer was linking an account, not logging in, and the next try links too.
    pub is_linking: bool,
}

/// In place of a login: what happened, what to do, and the number under which the log has the
/// reason.
#[component]
pub fn OidcErrorPage(error: OidcLoginError) -> impl IntoView {
    let cx = page_context();
    let (title, name) = (error.title, error.provider_name);
    // A login in place of a connection would make a second account.
    let (again, way_out, without) = if error.is_linking {
        (
            paths::LINK_IDENTITY.path.to_owned(),
            paths::ACCOUNT.path,
            "Back to your account",
        )
    } else {
        (
            start_url(error.return_to.as_ref()),
            paths::LOGIN.path,
            "Log in with e-mail and password",
        )
    };
    let said = error
        .provider_message
        .map(|said| view! { <p>{format!("{name} says: ")}<q>{said}</q></p> });
    view! {
        <ui::Layout title has_error=true>
            <h1>{title}</h1>
            <p class="lead">{error.message}</p>
            {said}
            <p>{error.hint}</p>
            <p><a class="button" href=again>{format!("Try again with {name}")}</a></p>
            <p class="links"><a href=way_out>{without}</a></p>
            <p class="reference">{format!("Reference: {} ({})", cx.request_id, error.code)}</p>
        </ui::Layout>
    }
}

/// `/login/connect`: an account has the address that the provider says, and the person proves once
/// that it is theirs.
#[component]
pub fn ConfirmLinkPage(
    /// The address of the account here.
    email: String,
    provider: String,
) -> impl IntoView {
    let cx = page_context();
    view! {
        <ui::Layout title="An account with this address exists" has_error=cx.has_error()>
            <h1>"An account with this address exists"</h1>
            <p class="lead">
                {format!("You are logged in at {}, which does not confirm that this address is yours. Prove it once with the password of the account here; after that, {} is enough.", provider, provider)}
            </p>
            // The address is shown for the person and the password manager; the server knows it
            // anyway.
            <ui::CredentialsForm
                action=ConfirmLink::PATH
                button="Connect and log in"
                fault_at=cx.field_error().element_id
                fault=cx.field_error().message
                account=""
                carried="return_to"
                carried_value=""
                email
                email_is_fixed=true
                new_password_min=0
                offers_reset=false
            />
            <p class="links"><a href=paths::LOGIN.path>"Back to the login page"</a></p>
        </ui::Layout>
    }
}

fn start_url(return_to: Option<&ReturnTo>) -> String {
    return_to::with_target(LogInWithProvider::PATH, return_to)
}
