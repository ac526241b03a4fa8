use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    app::{Loaded, failure::FailurePage, ui, visit},
    domain::AuthError,
};

/// Where the browser sets out for the provider to connect an account there, after the form.
pub const SET_OUT: &str = "/account/connect/start";

/// Says that the account at the provider shall be connected. What it says is kept in this browser for this session alone, so that nobody
/// can make somebody else's browser say it (SR-058).
#[server(prefix = "", endpoint = "account/connect")]
pub async fn connect_provider() -> Result<(), AuthError> {
    use crate::server::{context, flows::oidc};
    let (state, visitor) = context::visitor()?;
    let connects = oidc::what_connects(&visitor.ctx(&state), &visitor.current_user()?.recent(state.clock.now())?)?;
    context::keep_connects(&state, &connects)?;
    context::go_to("/account/connect/go");
    Ok(())
}

/// Takes an account at a provider away from the account here. The last way in stays (SR-076).
#[server(prefix = "", endpoint = "account/disconnect")]
pub async fn disconnect(#[server(default)] identity: String) -> Result<(), AuthError> {
    use crate::server::{context, flows::oidc};
    let (state, visitor) = context::visitor()?;
    let identity = identity.parse().map_err(|_| AuthError::NotFound)?;
    let recent = visitor.current_user()?.recent(state.clock.now())?;
    oidc::unlink(&visitor.ctx(&state), &recent, identity).await?;
    context::go_to("/account?notice=disconnected");
    Ok(())
}

/// `/account/connect`
#[component]
pub fn ConnectProviderPage() -> impl IntoView {
    let visit = visit();
    let (Some(person), Some(provider)) = (visit.person.clone(), visit.provider.clone()) else {
        return view! { <FailurePage error=AuthError::NotFound/> }.into_any();
    };
    let state = ui::FormState::new(visit.fault());
    view! {
        <ui::Frame title=format!("Connect {}", provider.name) has_error=visit.submitted.is_some()>
            <h1>{format!("Connect {}", provider.name)}</h1>
            <p class="lead">{format!("You log in at {} now. After that, both your password and {} let you in as ", provider.name, provider.name)}<strong>{person.email}</strong>"."</p>
            <form method="post" action=ConnectProvider::PATH>
                <ui::Feedback state/>
                <button type="submit">{format!("Go to {}", provider.name)}</button>
            </form>
            <p class="links"><a href="/account">"Back to your account"</a></p>
        </ui::Frame>
    }
    .into_any()
}

/// `/account/connect/go`: between the form and the provider, because the content security policy's `form-action` holds for redirects of
/// a form, and providers send browsers on to hosts that nobody here knows.
#[component]
pub fn GoPage() -> impl IntoView {
    let Some(provider) = visit().provider else { return view! { <FailurePage error=AuthError::NotFound/> }.into_any() };
    view! {
        <ui::Frame title=format!("On to {}", provider.name) goes_on_to=SET_OUT>
            <h1>{format!("On to {}", provider.name)}</h1>
            <p><a class="button" href=SET_OUT>{format!("Continue with {}", provider.name)}</a></p>
        </ui::Frame>
    }
    .into_any()
}

/// `/account/disconnect`
#[component]
pub fn DisconnectPage() -> impl IntoView {
    let visit = visit();
    let identity = visit.carried("identity");
    let found = match visit.loaded.clone() {
        Some(Loaded::Account(overview)) => overview.identities.into_iter().find(|known| known.id == identity),
        _ => None,
    };
    let Some(found) = found else { return view! { <FailurePage error=AuthError::NotFound/> }.into_any() };
    let state = ui::FormState::new(visit.fault());
    let (name, action) = (found.provider, format!("{}?identity={identity}", Disconnect::PATH));
    view! {
        <ui::Frame title=format!("Disconnect {name}") has_error=visit.submitted.is_some()>
            <h1>{format!("Disconnect {name}")}</h1>
            <p class="lead">{format!("You will not be able to log in with {name} any more")}{found.email.map(|email| format!(" as {email}"))}"."</p>
            <form method="post" action=action>
                <ui::Feedback state/>
                <input type="hidden" name="identity" value=identity/>
                <button type="submit" class="danger">{format!("Disconnect {name}")}</button>
            </form>
            <p class="links"><a href="/account">"Keep it"</a></p>
        </ui::Frame>
    }
    .into_any()
}
