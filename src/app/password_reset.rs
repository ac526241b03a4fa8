use leptos::{prelude::*, server_fn::ServerFn};

use super::{page_context::page_context, paths, ui};
use crate::domain::{AuthError, Password};

/// Asks for a link by mail; the answer is the same whoever has the address (SR-040).
#[server(prefix = "", endpoint = "login/forgot-password")]
pub async fn request_reset(#[server(default)] email: String) -> Result<(), AuthError> {
    use crate::app::notice::Notice;
    use crate::{
        domain::Email,
        server::{flows::password_reset, web::server_fn},
    };
    let (state, auth) = server_fn::request()?;
    password_reset::request_reset(&auth.ctx(&state), &Email::parse(&email)?).await?;
    server_fn::redirect(&paths::LOGIN, Notice::ResetRequested);
    Ok(())
}

/// Sets the new password. The token is in a cookie by now, and not in the page.
#[server(prefix = "", endpoint = "login/reset-password")]
pub async fn reset_password(
    #[server(default)] email: String,
    #[server(default)] password: Password,
) -> Result<(), AuthError> {
    use crate::app::notice::Notice;
    use crate::server::{
        flows::password_reset::{self, PasswordReset},
        web::server_fn,
    };
    let (state, auth) = server_fn::request()?;
    let token =
        server_fn::link_token(&paths::RESET_PASSWORD)?.ok_or(AuthError::ResetLinkInvalid)?;
    password_reset::reset_password(
        &auth.ctx(&state),
        PasswordReset {
            token,
            shown_email: Some(email),
            password,
        },
    )
    .await?;
    server_fn::clear_link_token(&state, &paths::RESET_PASSWORD)?;
    server_fn::redirect(&paths::LOGIN, Notice::PasswordReset);
    Ok(())
}

/// `/login/forgot-password`. A plain form: there is nothing to hide and nothing to show in place.
#[component]
pub fn ForgotPasswordPage() -> impl IntoView {
    let cx = page_context();
    let state = ui::FormState::new(cx.field_error());
    view! {
        <ui::Layout title="Forgot password" has_error=cx.has_error()>
            <h1>"Forgot password"</h1>
            <p class="lead">"Enter the address of your account. If there is one, we send a link with which you can choose a new password."</p>
            <form method="post" action=RequestReset::PATH>
                <ui::FormError state/>
                <ui::EmailField state value=cx.typed("email") is_fixed=false/>
                <button type="submit">"Send link"</button>
            </form>
            <p class="links"><a href=paths::LOGIN.path>"Back to the login page"</a></p>
        </ui::Layout>
    }
}

/// `/login/forgot-password` without a form: why there is none, and who can help.
#[component]
pub fn ResetsDisabled() -> impl IntoView {
    view! {
        <ui::Layout title="Forgot password">
            <h1>"Forgot password"</h1>
            <p class="lead">"Nobody can set a new password by mail here. Ask an administrator for a link with which you can choose one."</p>
            <p class="links"><a href=paths::LOGIN.path>"Back to the login page"</a></p>
        </ui::Layout>
    }
}

/// `/login/reset-password`, after the link's token has moved from the address into a cookie.
#[component]
pub fn ResetPasswordPage(
    /// Whose password the link may set.
    email: String,
) -> impl IntoView {
    let cx = page_context();
    view! {
        <ui::Layout title="Choose a new password" has_error=cx.has_error()>
            <h1>"Choose a new password"</h1>
            <p class="lead">"Everybody who is logged in to this account is logged out then, and you log in with the new password."</p>
            <ui::CredentialsForm
                action=ResetPassword::PATH
                button="Set password"
                fault_at=cx.field_error().element_id
                fault=cx.field_error().message
                account=""
                carried="return_to"
                carried_value=""
                email
                email_is_fixed=true
                new_password_min=cx.password_min_length
                offers_reset=false
            />
        </ui::Layout>
    }
}
