use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    app::{failure::FailurePage, ui, visit},
    domain::AuthError,
};

/// Asks for another address. Nothing changes until the link that is mailed there is used (SR-142).
#[server(prefix = "", endpoint = "account/address")]
pub async fn request_address(#[server(default)] email: String) -> Result<(), AuthError> {
    use crate::{
        domain::Email,
        server::{context, flows::account},
    };
    let (state, visitor) = context::visitor()?;
    let recent = visitor.current_user()?.recent(state.clock.now())?;
    account::request_address(&visitor.ctx(&state), &recent, &Email::parse(&email)?).await?;
    context::go_to("/account?notice=address_requested");
    Ok(())
}

/// Takes the mailed link as proof of the new mailbox. The token is in a cookie by now, and not in the page.
#[server(prefix = "", endpoint = "account/new-address")]
pub async fn take_address(#[server(default)] address: String) -> Result<(), AuthError> {
    use crate::server::{
        context,
        flows::account::{self, EmailChange},
    };
    let (state, visitor) = context::visitor()?;
    let current = visitor.current_user()?;
    let token = context::link_token(TakeAddress::PATH)?.ok_or(AuthError::ProofLinkInvalid)?;
    account::change_address(&visitor.ctx(&state), current, EmailChange { token, address }).await?;
    context::link_is_used(&state, TakeAddress::PATH)?;
    context::go_to("/account?notice=address_changed");
    Ok(())
}

/// `/account/address`
#[component]
pub fn AddressPage() -> impl IntoView {
    let visit = visit();
    let Some(person) = visit.person.clone() else { return view! { <FailurePage error=AuthError::NotLoggedIn/> }.into_any() };
    let state = ui::FormState::new(visit.fault());
    let form = if visit.offers.mail {
        view! {
            <p class="lead">"We send a link to the new address. Your account keeps the present one, "<strong>{person.email}</strong>", until you open it."</p>
            <form method="post" action=RequestAddress::PATH>
                <ui::Feedback state/>
                <ui::EmailField state value=visit.typed("email") is_fixed=false/>
                <button type="submit">"Send link"</button>
            </form>
        }
        .into_any()
    } else {
        view! {
            <p class="lead">"No mail can be sent from here to prove another address than "<strong>{person.email}</strong>". Ask an administrator to change it."</p>
        }
        .into_any()
    };
    view! {
        <ui::Frame title="Change e-mail" has_error=visit.submitted.is_some()>
            <h1>"Change e-mail"</h1>
            {form}
            <p class="links"><a href="/account">"Back to your account"</a></p>
        </ui::Frame>
    }
    .into_any()
}

/// `/account/new-address`: where the mailed link leads. Opening it changes nothing, because programs that look through mail open links
/// too (SR-045).
#[component]
pub fn NewAddressPage() -> impl IntoView {
    let visit = visit();
    let Some(person) = visit.person.clone() else { return view! { <FailurePage error=AuthError::NotLoggedIn/> }.into_any() };
    // There is no field here to say it beside.
    let state = ui::FormState::new(ui::Fault { at: "alert".to_owned(), ..visit.fault() });
    let address = visit.carried("address");
    view! {
        <ui::Frame title="Confirm your new address" has_error=visit.submitted.is_some()>
            <h1>"Confirm your new address"</h1>
            <p class="lead">"You are logged in as "<strong>{person.email}</strong>". From now on, you log in as "<strong>{address.clone()}</strong>"."</p>
            <form method="post" action=TakeAddress::PATH>
                <ui::Feedback state/>
                <input type="hidden" name="address" value=address/>
                <button type="submit">"Use this address"</button>
            </form>
            <p class="links"><a href="/account">"Keep the present one"</a></p>
        </ui::Frame>
    }
    .into_any()
}
