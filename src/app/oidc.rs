use leptos::{
    prelude::*,
    server_fn::{ServerFn, codec::GetUrl},
};

use super::{Refused, failure::FailurePage, ui, visit};
use crate::domain::{AuthError, Password, refusal::Refusal};

/// Sends the browser to the provider, or to the page that says why not. A link leads here, so it changes nothing but the browser's
/// own cookies; and it never fails, because the framework would answer an error with the Referer and put it into the address.
#[server(prefix = "", endpoint = "login/oidc", input = GetUrl)]
pub async fn log_in_with_provider(#[server(default)] return_to: String) -> Result<(), AuthError> {
    use crate::server::context;
    context::go_to(&context::to_provider(&return_to).await);
    Ok(())
}

/// Connects the account at the provider with the account here, proven by its password, and logs in.
#[server(prefix = "", endpoint = "login/connect")]
pub async fn connect(#[server(default)] password: Password) -> Result<(), AuthError> {
    use crate::server::{context, flows::oidc};
    let (state, visitor) = context::visitor()?;
    let pending = context::pending()?.ok_or(AuthError::ConnectionExpired)?;
    let login = oidc::connect(&visitor.ctx(&state), &pending, password).await?;
    context::connected(&state, &login, &pending)
}

/// The way to the provider: a link, because the content security policy's `form-action` holds for redirects of a form. While
/// the provider cannot be used it says so and leads nowhere.
#[component]
pub fn ProviderButton(
    return_to: String,
    /// There is nothing beside it to choose.
    #[prop(optional)]
    is_alone: bool,
) -> impl IntoView {
    visit().provider.map(|provider| {
        let button = match provider.trouble {
            None => {
                let text = format!("Continue with {}", provider.name);
                view! { <a class="button" href=way_to_provider(&return_to)>{text}</a> }.into_any()
            }
            Some(refusal) => {
                let text = format!("Continue with {}", provider.name);
                view! {
                    <a class="button" role="link" aria-disabled="true" aria-describedby="provider-trouble">{text}</a>
                    <p class="hint" id="provider-trouble">{refusal.happened(&provider.name)}</p>
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

/// After logging out here: the person is still logged in at the provider, and the next click on its button would let anybody
/// at this screen in again.
#[component]
pub fn LogOutThere() -> impl IntoView {
    let visit = visit();
    visit.end_session_url.zip(visit.provider).map(|(url, provider)| {
        view! { <a class="button" href=url>{format!("Also log out of {}", provider.name)}</a> }
    })
}

/// In place of a login: what happened, what to do, and the number under which the log has the reason.
#[component]
pub fn RefusalPage(refused: Refused) -> impl IntoView {
    let visit = visit();
    let name = visit.provider.as_ref().map_or_else(|| "the provider".to_owned(), |provider| provider.name.clone());
    let title = match refused.refusal {
        Refusal::AccessDenied => "You were not let in",
        Refusal::ProviderUnreachable | Refusal::NotNow | Refusal::TooManyAttempts => "Try again soon",
        _ => "That did not work",
    };
    // A login in place of a connection would make a second account.
    let (again, way_out, without) = if refused.connects {
        ("/account/connect".to_owned(), "/account", "Back to your account")
    } else {
        (way_to_provider(&refused.return_to), "/login", "Log in with e-mail and password")
    };
    let said = refused.said.map(|said| view! { <p>{format!("{name} says: ")}<q>{said}</q></p> });
    view! {
        <ui::Frame title has_error=true>
            <h1>{title}</h1>
            <p class="lead">{refused.refusal.happened(&name)}</p>
            {said}
            <p>{refused.refusal.way_on()}</p>
            <p><a class="button" href=again>{format!("Try again with {name}")}</a></p>
            <p class="links"><a href=way_out>{without}</a></p>
            <p class="reference">{format!("Reference: {} ({})", visit.reference, refused.refusal.code())}</p>
        </ui::Frame>
    }
}

/// `/login/connect`: an account has the address that the provider says, and the person proves once that it is theirs.
#[component]
pub fn ConnectPage() -> impl IntoView {
    let visit = visit();
    let Some((email, provider)) = visit.pending_email.clone().zip(visit.provider.clone()) else {
        return view! { <FailurePage error=AuthError::ConnectionExpired/> }.into_any();
    };
    view! {
        <ui::Frame title="An account with this address exists" has_error=visit.submitted.is_some()>
            <h1>"An account with this address exists"</h1>
            <p class="lead">
                {format!("You are logged in at {}, which does not confirm that this address is yours. Prove it once with the password of the account here; after that, {} is enough.", provider.name, provider.name)}
            </p>
            // The address is shown for the person and the password manager; the server knows it anyway.
            <ui::CredentialsForm
                action=Connect::PATH
                button="Connect and log in"
                fault_at=visit.fault().at
                fault=visit.fault().text
                carried="return_to"
                carried_value=""
                email
                email_is_fixed=true
                new_password_min=0
                offers_reset=false
            />
            <p class="links"><a href="/login">"Back to the login page"</a></p>
        </ui::Frame>
    }
    .into_any()
}

fn way_to_provider(return_to: &str) -> String {
    crate::domain::return_to::with_target(LogInWithProvider::PATH, return_to)
}
