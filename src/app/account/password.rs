use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    app::{page_context::page_context, paths, ui},
    domain::{AuthError, Password},
};

/// Gives the account another password and ends all its other sessions. Needs a recent login
/// (SR-142).
#[server(prefix = "", endpoint = "account/password")]
pub async fn change_password(#[server(default)] password: Password) -> Result<(), AuthError> {
    use crate::app::notice::Notice;
    use crate::server::{flows::account, web::server_fn};
    let (state, auth) = server_fn::request()?;
    let recent = auth.current_user()?.recent(state.clock.now())?;
    account::change_password(&auth.ctx(&state), &recent, password).await?;
    server_fn::redirect(&paths::ACCOUNT, Notice::PasswordChanged);
    Ok(())
}

/// `/account/password`
#[component]
pub fn PasswordPage(email: String) -> impl IntoView {
    let cx = page_context();
    view! {
        <ui::Layout title="Change password" has_error=cx.has_error()>
            <h1>"Change password"</h1>
            <p class="lead">"You stay logged in here and are logged out everywhere else."</p>
            // The address is shown for the password manager; the server knows it anyway.
            <ui::CredentialsForm
                action=ChangePassword::PATH
                button="Change password"
                fault_at=cx.field_error().element_id
                fault=cx.field_error().message
                account=ui::form_account()
                carried="return_to"
                carried_value=""
                email
                email_is_fixed=true
                new_password_min=cx.password_min_length
                offers_reset=false
            />
            <p class="links"><a href=paths::ACCOUNT.path>"Back to your account"</a></p>
        </ui::Layout>
    }
    .into_any()
}
