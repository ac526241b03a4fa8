use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    app::{account::IdentityRow, page_context::page_context, paths, ui},
    domain::AuthError,
};

/// Says that the account at the provider shall be connected. What it says is kept in this browser
/// for this session alone, so that nobody can make somebody else's browser say it (SR-058).
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

/// Takes an account at a provider away from the account here. The last way in stays (SR-076).
#[server(prefix = "", endpoint = "account/disconnect")]
pub async fn unlink_identity(#[server(default)] identity: String) -> Result<(), AuthError> {
    use crate::app::notice::Notice;
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
    let state = ui::FormState::new(cx.field_error());
    view! {
        <ui::Layout title=format!("Connect {}", provider) has_error=cx.has_error()>
            <h1>{format!("Connect {}", provider)}</h1>
            <p class="lead">{format!("You log in at {} now. After that, both your password and {} let you in as ", provider, provider)}<strong>{email}</strong>"."</p>
            <ui::PostForm action=LinkIdentity::PATH>
                <ui::FormError state/>
                <button type="submit">{format!("Go to {}", provider)}</button>
            </ui::PostForm>
            <p class="links"><a href=paths::ACCOUNT.path>"Back to your account"</a></p>
        </ui::Layout>
    }
    .into_any()
}

/// `/account/connect/go`: between the form and the provider, because the content security policy's
/// `form-action` holds for redirects of a form, and providers send browsers on to hosts that nobody
/// here knows.
#[component]
pub fn LinkRedirectPage(provider: String) -> impl IntoView {
    view! {
        <ui::Layout title=format!("On to {}", provider) goes_on_to=paths::LINK_START.path>
            <h1>{format!("On to {}", provider)}</h1>
            <p><a class="button" href=paths::LINK_START.path>{format!("Continue with {}", provider)}</a></p>
        </ui::Layout>
    }
    .into_any()
}

/// `/account/disconnect`
#[component]
pub fn UnlinkIdentityPage(identity: IdentityRow) -> impl IntoView {
    let cx = page_context();
    let state = ui::FormState::new(cx.field_error());
    let (name, action) = (
        identity.provider,
        format!("{}?identity={}", UnlinkIdentity::PATH, identity.id),
    );
    view! {
        <ui::Layout title=format!("Disconnect {name}") has_error=cx.has_error()>
            <h1>{format!("Disconnect {name}")}</h1>
            <p class="lead">{format!("You will not be able to log in with {name} any more")}{identity.email.map(|email| format!(" as {email}"))}"."</p>
            <ui::PostForm action=action>
                <ui::FormError state/>
                <input type="hidden" name="identity" value=identity.id/>
                <button type="submit" class="danger">{format!("Disconnect {name}")}</button>
            </ui::PostForm>
            <p class="links"><a href=paths::ACCOUNT.path>"Keep it"</a></p>
        </ui::Layout>
    }
    .into_any()
}
