use leptos::{prelude::*, server_fn::ServerFn};

use super::{page_context::page_context, paths, ui};
use crate::{
    domain::{AuthError, Password},
    islands::{CredentialsForm, EmailField, FormError, FormProps, FormState},
    text::en::pages::{
        form, links,
        password_reset::{forgot, reset},
    },
};

/// Requests a reset link by mail. The answer does not depend on whether the account exists
/// (SR-040).
#[server(prefix = "", endpoint = "login/forgot-password")]
pub async fn request_reset(#[server(default)] email: String) -> Result<(), AuthError> {
    use crate::{
        domain::{Email, Notice},
        server::{flows::password_reset, web::server_fn},
    };
    let (state, auth) = server_fn::request()?;
    password_reset::request_reset(&auth.ctx(&state), &Email::parse(&email)?).await?;
    server_fn::redirect(&paths::LOGIN, Notice::ResetRequested);
    Ok(())
}

/// Sets the new password. The token comes from a cookie, so that the page does not contain it.
#[server(prefix = "", endpoint = "login/reset-password")]
pub async fn reset_password(
    #[server(default)] email: String,
    #[server(default)] password: Password,
) -> Result<(), AuthError> {
    use crate::domain::Notice;
    use crate::server::{
        flows::password_reset::{self, PasswordReset},
        web::server_fn,
    };
    let (state, auth) = server_fn::request()?;
    let token =
        server_fn::opened_link_token(&paths::RESET_PASSWORD)?.ok_or(AuthError::ResetLinkInvalid)?;
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

/// `/login/forgot-password`. A plain form, because it has no password to clear after an error.
#[component]
pub fn ForgotPasswordPage() -> impl IntoView {
    let cx = page_context();
    let state = FormState::new(cx.field_error());
    view! {
        <ui::Layout title=forgot::TITLE has_error=cx.has_error()>
            <h1>{forgot::TITLE}</h1>
            <p class="lead">{forgot::LEAD}</p>
            <form method="post" action=RequestReset::PATH>
                <FormError state/>
                <EmailField state label=form::EMAIL value=cx.typed("email") is_fixed=false/>
                <button type="submit">{forgot::BUTTON}</button>
            </form>
            <p class="links"><a href=paths::LOGIN.path>{links::BACK_TO_LOGIN}</a></p>
        </ui::Layout>
    }
}

/// `/login/forgot-password` where password resets by mail are disabled.
#[component]
pub fn ResetsDisabled() -> impl IntoView {
    view! {
        <ui::Layout title=forgot::TITLE>
            <h1>{forgot::TITLE}</h1>
            <p class="lead">{forgot::DISABLED}</p>
            <p class="links"><a href=paths::LOGIN.path>{links::BACK_TO_LOGIN}</a></p>
        </ui::Layout>
    }
}

/// `/login/reset-password`, after the token of the link has moved from the URL into a cookie.
#[component]
pub fn ResetPasswordPage(
    /// The account of the link.
    email: String,
) -> impl IntoView {
    let cx = page_context();
    view! {
        <ui::Layout title=reset::TITLE has_error=cx.has_error()>
            <h1>{reset::TITLE}</h1>
            <p class="lead">{reset::LEAD}</p>
            <CredentialsForm form=FormProps {
                email,
                email_is_fixed: true,
                ..ui::form_props(ResetPassword::PATH, reset::BUTTON, cx.password_min_length)
            }/>
        </ui::Layout>
    }
}
