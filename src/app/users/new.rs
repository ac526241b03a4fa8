use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    app::{page_context::page_context, paths, ui},
    domain::AuthError,
    islands::{FormError, FormState},
    text::en::pages::{links, users::new as text},
};

/// Creates an account whose password the user chooses with a link.
#[server(prefix = "", endpoint = "users/new")]
pub async fn create_user(#[server(default)] email: String) -> Result<(), AuthError> {
    use crate::{
        domain::{Email, Notice},
        server::{flows::users, web::server_fn},
    };
    let (state, auth) = server_fn::request()?;
    let admin = server_fn::admin(&auth)?;
    let invited = users::invite(&auth.ctx(&state), &admin, Email::parse(&email)?).await?;
    match invited.link {
        Some(link) => {
            server_fn::store_one_time_link(&state, &admin, invited.user.id, &link)?;
            server_fn::redirect_to(paths::RESET_LINK.path);
        }
        None => server_fn::redirect_to_user(invited.user.id, Notice::AccountCreated),
    }
    Ok(())
}

/// `/users/new`
#[component]
pub fn NewUserPage() -> impl IntoView {
    let cx = page_context();
    let state = FormState::new(cx.field_error());
    let what_next = if cx.features.mail {
        text::GETS_MAIL
    } else {
        text::GETS_LINK
    };
    view! {
        <ui::Layout title=text::TITLE has_error=cx.has_error()>
            <h1>{text::TITLE}</h1>
            <p class="lead">{text::IS_APPROVED}{what_next}</p>
            <ui::PostForm action=CreateUser::PATH>
                <FormError state/>
                <ui::NewEmailField value=cx.typed("email") is_own=false/>
                <button type="submit">{text::BUTTON}</button>
            </ui::PostForm>
            <p class="links"><a href=paths::USERS.path>{links::ALL_USERS}</a></p>
        </ui::Layout>
    }
    .into_any()
}
