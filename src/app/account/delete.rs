use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    app::{page_context::page_context, paths, ui},
    domain::AuthError,
    islands::{FormError, FormState},
    text::en::pages::account::delete as text,
};

/// Deletes the user's own account. It needs a recent login; the last administrator cannot be
/// deleted.
#[server(prefix = "", endpoint = "account/delete")]
pub async fn delete_account() -> Result<(), AuthError> {
    use crate::domain::Notice;
    use crate::server::{flows::account, web::server_fn};
    let (state, auth) = server_fn::request()?;
    account::delete_self(
        &auth.ctx(&state),
        &auth.current_user()?.recent(state.clock.now())?,
    )
    .await?;
    server_fn::clear_session_cookie(&state)?;
    server_fn::redirect(&paths::LOGIN, Notice::AccountDeleted);
    Ok(())
}

/// `/account/delete`
#[component]
pub fn DeletePage(email: String) -> impl IntoView {
    let cx = page_context();
    let state = FormState::new(cx.field_error());
    view! {
        <ui::Layout title=text::TITLE has_error=cx.has_error()>
            <h1>{text::TITLE}</h1>
            <p class="lead">{text::THE_ACCOUNT_OF}<strong>{email}</strong>{text::IS_DELETED}</p>
            <ui::PostForm action=DeleteAccount::PATH>
                <FormError state/>
                <button type="submit" class="danger">{text::BUTTON}</button>
            </ui::PostForm>
            <p class="links"><a href=paths::ACCOUNT.path>{text::KEEP}</a></p>
        </ui::Layout>
    }
    .into_any()
}
