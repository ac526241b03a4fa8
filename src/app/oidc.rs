use leptos::{
    prelude::*,
    server_fn::{ServerFn, codec::GetUrl},
};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{page_context::page_context, paths, ui};
use crate::{
    domain::{AuthError, Password, ProviderId, ReturnTo, return_to},
    islands::{CredentialsForm, FormProps},
    text::en::pages::{
        links,
        oidc::{self as text, confirm_link},
    },
};

/// Redirects the browser to the provider, or to the page with the reason why not. It is the target
/// of a link, so it changes only the browser's own cookies. It never fails, because the framework
/// would answer an error by putting it into the URL of the Referer.
#[server(prefix = "", endpoint = "login/oidc", input = GetUrl)]
pub async fn log_in_with_provider(
    #[server(default)] provider: String,
    #[server(default)] return_to: String,
) -> Result<(), AuthError> {
    use crate::server::web::server_fn;
    let return_to = ReturnTo::parse(&return_to);
    server_fn::redirect_to(&server_fn::start_oidc_login(&provider, return_to).await);
    Ok(())
}

/// Links the account at the provider to the account here, confirmed by its password, and logs in.
#[server(prefix = "", endpoint = "login/connect")]
pub async fn confirm_link(#[server(default)] password: Password) -> Result<(), AuthError> {
    use crate::server::{flows::oidc, web::server_fn};
    let (state, auth) = server_fn::request()?;
    let pending = server_fn::pending_link()?.ok_or(AuthError::PendingLinkExpired)?;
    let login = oidc::confirm_link(&auth.ctx(&state), &pending, password).await?;
    server_fn::finish_linking(&state, &login, &pending)
}

/// The links to the providers. They are not forms, because the content security policy's
/// `form-action` also applies to the redirects of a form. A link has no target while its provider
/// cannot be used.
#[component]
pub fn ProviderButtons(
    return_to: Option<ReturnTo>,
    /// The page has no other way to log in.
    #[prop(optional)]
    is_alone: bool,
) -> impl IntoView {
    let cx = page_context();
    let buttons = cx.providers.iter().enumerate().map(|(index, provider)| {
        let text = text::continue_with(&provider.name);
        // The first provider needs no parameter, so that its link is the one from before there
        // were several.
        let id = (index > 0).then_some(&provider.id);
        let Some(message) = provider.last_error.clone() else {
            let url = start_url(id, return_to.as_ref());
            return view! { <a class="button" href=url>{text}</a> }.into_any();
        };
        let hint_id = id.map_or_else(
            || "provider-trouble".to_owned(),
            |id| format!("provider-trouble-{}", id.as_str()),
        );
        view! {
            <a class="button" role="link" aria-disabled="true" aria-describedby=hint_id.clone()>{text}</a>
            <p class="hint" id=hint_id>{message}</p>
        }
        .into_any()
    });
    let buttons: Vec<_> = buttons.collect();
    (!buttons.is_empty()).then(|| {
        view! {
            {(!is_alone).then(|| view! { <p class="divider"><span>{text::OR}</span></p> })}
            {buttons}
        }
    })
}

/// Shown after a logout: while the session at the provider lives, the next click on the provider's
/// button would log in anybody at this screen.
#[component]
pub fn ProviderLogoutButton(url: Option<String>) -> impl IntoView {
    let cx = page_context();
    url.zip(cx.provider()).map(|(url, provider)| {
        view! { <a class="button" href=url>{text::also_log_out(&provider.name)}</a> }
    })
}

/// Why a login with the provider failed.
#[derive(Clone, Debug)]
pub struct OidcLoginError {
    pub code: &'static str,
    pub title: &'static str,
    pub message: String,
    /// The advice for the viewer.
    pub hint: &'static str,
    /// The provider to try again with; `None` for the first.
    pub provider: Option<ProviderId>,
    pub provider_name: String,
    /// The provider's own message, shortened; shown as text.
    pub provider_message: Option<String>,
    /// The target of the next attempt.
    pub return_to: Option<ReturnTo>,
    /// The viewer was linking an account, so the next attempt links too.
    pub is_linking: bool,
    /// The redirect URI to register, where another one is registered.
    pub redirect_uri: Option<String>,
    /// The log has the reason under the request id.
    pub is_logged: bool,
}

/// The page in place of a login that failed, with the request id under which the log has the reason.
#[component]
pub fn OidcErrorPage(error: OidcLoginError) -> impl IntoView {
    let cx = page_context();
    let (title, name) = (error.title, error.provider_name);
    // A login in place of a link would create a second account.
    let (again, way_out, without) = if error.is_linking {
        (
            paths::LINK_IDENTITY.path.to_owned(),
            paths::ACCOUNT.path,
            links::BACK_TO_ACCOUNT,
        )
    } else {
        (
            start_url(error.provider.as_ref(), error.return_to.as_ref()),
            paths::LOGIN.path,
            text::error::LOG_IN_WITH_PASSWORD,
        )
    };
    let said = error.provider_message.map(|said| {
        view! { <p>{text::error::provider_says(&name)}<q>{said}</q></p> }
    });
    view! {
        <ui::Layout title has_error=true>
            <h1>{title}</h1>
            <p class="lead">{error.message}</p>
            {said}
            <p>{error.hint}</p>
            {error.redirect_uri.map(|uri| view! { <p><code>{uri}</code></p> })}
            <p><a class="button" href=again>{text::error::try_again(&name)}</a></p>
            <p class="links"><a href=way_out>{without}</a></p>
            {error.is_logged.then(|| view! { <p class="reference">{text::error::reference(&cx.request_id, error.code)}</p> })}
        </ui::Layout>
    }
}

/// `/login/connect`: an account here has the e-mail address of the provider's account, so its
/// password confirms once that both belong to the same person.
#[component]
pub fn ConfirmLinkPage(
    /// The e-mail address of the account here.
    email: String,
    provider: String,
) -> impl IntoView {
    let cx = page_context();
    view! {
        <ui::Layout title=confirm_link::TITLE has_error=cx.has_error()>
            <h1>{confirm_link::TITLE}</h1>
            <p class="lead">
                {confirm_link::lead(&provider)}
            </p>
            // The e-mail field is for the viewer and the password manager; the server ignores it.
            <CredentialsForm form=FormProps {
                email,
                email_is_fixed: true,
                ..ui::form_props(ConfirmLink::PATH, confirm_link::BUTTON, 0)
            }/>
            <p class="links"><a href=paths::LOGIN.path>{links::BACK_TO_LOGIN}</a></p>
        </ui::Layout>
    }
}

fn start_url(provider: Option<&ProviderId>, return_to: Option<&ReturnTo>) -> String {
    let url = return_to::with_target(LogInWithProvider::PATH, return_to);
    match provider {
        Some(id) => {
            let separator = if return_to.is_some() { '&' } else { '?' };
            let id = utf8_percent_encode(id.as_str(), NON_ALPHANUMERIC);
            format!("{url}{separator}provider={id}")
        }
        None => url,
    }
}
