use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    app::{page_context::page_context, paths, ui},
    domain::AuthError,
};

/// Deletes the person's own account. Needs a recent login; the last administrator stays.
#[server(prefix = "", endpoint = "account/delete")]
pub async fn delete_account() -> Result<(), AuthError> {
    use crate::app::notice::Notice;
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
    let state = ui::FormState::new(cx.field_error());
    view! {
        <ui::Layout title="Delete your account" has_error=cx.has_error()>
            <h1>"Delete your account"</h1>
            <p class="lead">"The account of "<strong>{email}</strong>" and everything that belongs to it is deleted for good. Nobody can bring it back."</p>
            <ui::PostForm action=DeleteAccount::PATH>
                <ui::FormError state/>
                <button type="submit" class="danger">"Delete my account"</button>
            </ui::PostForm>
            <p class="links"><a href=paths::ACCOUNT.path>"Keep my account"</a></p>
        </ui::Layout>
    }
    .into_any()
}
