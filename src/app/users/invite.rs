use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    app::{Loaded, failure::FailurePage, ui, visit},
    domain::AuthError,
};

/// Makes an account for somebody who chooses the password.
#[server(prefix = "", endpoint = "users/new")]
pub async fn create_user(#[server(default)] email: String) -> Result<(), AuthError> {
    use crate::{
        domain::Email,
        server::{context, flows::users},
    };
    let (state, visitor) = context::visitor()?;
    let admin = context::admin(&visitor)?;
    let invited = users::create_invited(&visitor.ctx(&state), &admin, Email::parse(&email)?).await?;
    match invited.link {
        Some(link) => {
            context::show_link(&state, invited.user.id, &link)?;
            context::go_to("/users/link");
        }
        None => context::go_to(&context::user_page(invited.user.id, "created")),
    }
    Ok(())
}

/// `/users/new`
#[component]
pub fn NewUserPage() -> impl IntoView {
    let visit = visit();
    let Some(Loaded::NewUser) = visit.loaded else { return view! { <FailurePage error=AuthError::Forbidden/> }.into_any() };
    let state = ui::FormState::new(visit.fault());
    let what_next = if visit.offers.mail {
        "They get a mail with a link that works for three days, and choose a password with it."
    } else {
        "You get a link to hand over. They choose a password with it; it works for three days."
    };
    view! {
        <ui::Frame title="Create a user" has_error=visit.submitted.is_some()>
            <h1>"Create a user"</h1>
            <p class="lead">"The account is approved at once. "{what_next}</p>
            <form method="post" action=CreateUser::PATH>
                <ui::Feedback state/>
                <ui::EmailField state value=visit.typed("email") is_fixed=false/>
                <button type="submit">"Create user"</button>
            </form>
            <p class="links"><a href="/users">"All users"</a></p>
        </ui::Frame>
    }
    .into_any()
}
