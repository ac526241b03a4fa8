use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    app::{account::IdentityRow, page_context::page_context, paths, ui},
    domain::AuthError,
    islands::{FormError, FormState},
    text::en::pages::{account::link_identity as text, links, oidc},
};

/// Requests to link the account at the provider. The request is stored in this browser and valid for
/// this session only, so that nobody can make another person's browser link (SR-058).
#[server(prefix = "", endpoint = "account/connect")]
pub async fn link_identity() -> Result<(), AuthError> {
    use crate::server::{flows::oidc, web::server_fn};
    let (state, auth) = server_fn::request()?;
    let connects = oidc::link_request(
        &auth.ctx(&state),
        &auth.current_user()?.recent(state.clock.now())?,
    )?;
    server_fn::store_link_request(&state, &connects)?;
    server_fn::redirect_to(paths::LINK_REDIRECT.path);
    Ok(())
}

/// Unlinks an account at a provider. The last login method cannot be removed (SR-076).
#[server(prefix = "", endpoint = "account/disconnect")]
pub async fn unlink_identity(#[server(default)] identity: String) -> Result<(), AuthError> {
    use crate::domain::Notice;
    use crate::server::{flows::oidc, web::server_fn};
    let (state, auth) = server_fn::request()?;
    let identity = identity.parse().map_err(|_| AuthError::NotFound)?;
    let recent = auth.current_user()?.recent(state.clock.now())?;
    oidc::unlink_identity(&auth.ctx(&state), &recent, identity).await?;
    server_fn::redirect(&paths::ACCOUNT, Notice::ProviderUnlinked);
    Ok(())
}

/// `/account/connect`
#[component]
pub fn LinkIdentityPage(email: String, provider: String) -> impl IntoView {
    let cx = page_context();
    let state = FormState::new(cx.field_error());
    view! {
        <ui::Layout title=text::connect(&provider) has_error=cx.has_error()>
            <h1>{text::connect(&provider)}</h1>
            <p class="lead">{text::lead(&provider)}<strong>{email}</strong>{text::FULL_STOP}</p>
            <ui::PostForm action=LinkIdentity::PATH>
                <FormError state/>
                <button type="submit">{text::go_to(&provider)}</button>
            </ui::PostForm>
            <p class="links"><a href=paths::ACCOUNT.path>{links::BACK_TO_ACCOUNT}</a></p>
        </ui::Layout>
    }
    .into_any()
}

/// `/account/connect/go`: a page between the form and the provider, because the content security
/// policy's `form-action` also applies to the redirects of a form, and providers redirect to hosts
/// that are not known here.
#[component]
pub fn LinkRedirectPage(provider: String) -> impl IntoView {
    view! {
        <ui::Layout title=text::on_to(&provider) goes_on_to=paths::LINK_START.path>
            <h1>{text::on_to(&provider)}</h1>
            <p><a class="button" href=paths::LINK_START.path>{oidc::continue_with(&provider)}</a></p>
        </ui::Layout>
    }
    .into_any()
}

/// `/account/disconnect`
#[component]
pub fn UnlinkIdentityPage(identity: IdentityRow) -> impl IntoView {
    let cx = page_context();
    let state = FormState::new(cx.field_error());
    let (name, action) = (
        identity.provider,
        format!("{}?identity={}", UnlinkIdentity::PATH, identity.id),
    );
    view! {
        <ui::Layout title=text::disconnect(&name) has_error=cx.has_error()>
            <h1>{text::disconnect(&name)}</h1>
            <p class="lead">{text::disconnect_lead(&name)}{identity.email.map(|email| text::as_email(&email))}{text::FULL_STOP}</p>
            <ui::PostForm action=action>
                <FormError state/>
                <input type="hidden" name="identity" value=identity.id/>
                <button type="submit" class="danger">{text::disconnect(&name)}</button>
            </ui::PostForm>
            <p class="links"><a href=paths::ACCOUNT.path>{text::KEEP}</a></p>
        </ui::Layout>
    }
    .into_any()
}
