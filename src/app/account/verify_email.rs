use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    app::{page_context::page_context, paths, ui},
    domain::AuthError,
    islands::{FormError, FormState},
    text::en::pages::{account::verify_email as text, links},
};

/// Verifies the current user's address with a mailed link. The token comes from a cookie, so that
/// the page does not contain it.
#[server(prefix = "", endpoint = "account/confirm")]
pub async fn verify_email() -> Result<(), AuthError> {
    use crate::domain::Notice;
    use crate::server::{flows::email_verification, web::server_fn};
    let (state, auth) = server_fn::request()?;
    let current = auth.current_user()?;
    let token = server_fn::opened_link_token(&paths::VERIFY_EMAIL)?
        .ok_or(AuthError::VerificationLinkInvalid)?;
    let proven = email_verification::verify_email(&auth.ctx(&state), current, &token).await?;
    server_fn::clear_link_token(&state, &paths::VERIFY_EMAIL)?;
    let page = if proven.user.is_verified {
        &paths::ACCOUNT
    } else {
        &paths::PENDING_APPROVAL
    };
    server_fn::redirect(page, Notice::EmailVerified);
    Ok(())
}

/// `/account/confirm`: the target of the mailed link. Only the button verifies the address, because
/// mail scanners open links too (SR-045).
#[component]
pub fn VerifyEmailPage(email: String) -> impl IntoView {
    let cx = page_context();
    let state = FormState::new(cx.field_error());
    view! {
        <ui::Layout title=text::TITLE has_error=cx.has_error()>
            <h1>{text::TITLE}</h1>
            <p class="lead">{text::LOGGED_IN_AS}<strong>{email}</strong>{text::CONFIRM_MAILBOX}</p>
            <ui::PostForm action=VerifyEmail::PATH>
                <FormError state/>
                <button type="submit">{text::BUTTON}</button>
            </ui::PostForm>
            <p class="links"><a href=paths::ACCOUNT.path>{links::ACCOUNT}</a></p>
        </ui::Layout>
    }
}
