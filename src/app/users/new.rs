use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    app::{page_context::page_context, paths, ui},
    domain::AuthError,
};

/// Makes an account for somebody who chooses the password.
#[server(prefix = "", endpoint = "users/new")]
pub async fn create_user(#[server(default)] email: String) -> Result<(), AuthError> {
    use crate::app::notice::Notice;
    use crate::{
        domain::Email,
        server::{flows::users, web::server_fn},
    };
    let (state, auth) = server_fn::request()?;
    let admin = server_fn::admin(&auth)?;
    let invited = users::invite(&auth.ctx(&state), &admin, Email::parse(&email)?).await?;
    match invited.link {
        Some(link) => {
            server_fn::store_one_time_link(&state, invited.user.id, &link)?;
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
    let state = ui::FormState::new(cx.field_error());
    let what_next = if cx.features.mail {
        "They get a mail with a link that works for three days, and choose a password with it."
    } else {
        "You get a link to hand over. They choose a password with it; it works for three days."
    };
    view! {
        <ui::Layout title="Create a user" has_error=cx.has_error()>
            <h1>"Create a user"</h1>
            <p class="lead">"The account is approved at once. "{what_next}</p>
            <ui::PostForm action=CreateUser::PATH>
                <ui::FormError state/>
                <ui::EmailField state value=cx.typed("email") is_fixed=false/>
                <button type="submit">"Create user"</button>
            </ui::PostForm>
            <p class="links"><a href=paths::USERS.path>"All users"</a></p>
        </ui::Layout>
    }
    .into_any()
}
