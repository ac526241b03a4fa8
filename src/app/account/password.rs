use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    app::{page_context::page_context, paths, ui},
    domain::{AuthError, Password},
    islands::{CredentialsForm, FormProps},
    text::en::pages::{account::password as text, links},
};

/// Changes the password and revokes all other sessions. It needs a recent login (SR-142).
#[server(prefix = "", endpoint = "account/password")]
pub async fn change_password(#[server(default)] password: Password) -> Result<(), AuthError> {
    use crate::domain::Notice;
    use crate::server::{flows::account, web::server_fn};
    let (state, auth) = server_fn::request()?;
    let recent = auth.current_user()?.recent(state.clock.now())?;
    let cx = auth.ctx(&state);
    account::change_password(&cx, &recent, password).await?;
    server_fn::renew_device(&cx, recent.user().id).await;
    server_fn::redirect(&paths::ACCOUNT, Notice::PasswordChanged);
    Ok(())
}

/// `/account/password`
#[component]
pub fn PasswordPage(email: String) -> impl IntoView {
    let cx = page_context();
    view! {
        <ui::Layout title=text::TITLE has_error=cx.has_error()>
            <h1>{text::TITLE}</h1>
            <p class="lead">{text::LEAD}</p>
            // The e-mail field is for the password manager; the server ignores it.
            <CredentialsForm form=FormProps {
                account: ui::form_account(),
                email,
                email_is_fixed: true,
                ..ui::form_props(ChangePassword::PATH, text::TITLE, cx.password_min_length)
            }/>
            <p class="links"><a href=paths::ACCOUNT.path>{links::BACK_TO_ACCOUNT}</a></p>
        </ui::Layout>
    }
    .into_any()
}
