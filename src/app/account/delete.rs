use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    app::{failure::FailurePage, ui, visit},
    domain::AuthError,
};

/// Deletes the person's own account. Needs a young login; the last administrator stays.
#[server(prefix = "", endpoint = "account/delete")]
pub async fn delete_account() -> Result<(), AuthError> {
    use crate::server::{context, flows::account};
    let (state, visitor) = context::visitor()?;
    account::delete(&visitor.ctx(&state), &visitor.current_user()?.recent(state.clock.now())?).await?;
    context::leave(&state)?;
    context::go_to("/login?notice=account_deleted");
    Ok(())
}

/// `/account/delete`
#[component]
pub fn DeletePage() -> impl IntoView {
    let visit = visit();
    let Some(person) = visit.person.clone() else { return view! { <FailurePage error=AuthError::NotLoggedIn/> }.into_any() };
    let state = ui::FormState::new(visit.fault());
    view! {
        <ui::Frame title="Delete your account" has_error=visit.submitted.is_some()>
            <h1>"Delete your account"</h1>
            <p class="lead">"The account of "<strong>{person.email}</strong>" and everything that belongs to it is deleted for good. Nobody can bring it back."</p>
            <form method="post" action=DeleteAccount::PATH>
                <ui::Feedback state/>
                <button type="submit" class="danger">"Delete my account"</button>
            </form>
            <p class="links"><a href="/account">"Keep my account"</a></p>
        </ui::Frame>
    }
    .into_any()
}
