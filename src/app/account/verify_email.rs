use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    app::{page_context::page_context, paths, ui},
    domain::AuthError,
};

/// Verifies the address of whoever is logged in with a mailed link. The token is in a cookie, and
/// not in the page.
#[server(prefix = "", endpoint = "account/confirm")]
pub async fn verify_email() -> Result<(), AuthError> {
    use crate::app::notice::Notice;
    use crate::server::{flows::email_verification, web::server_fn};
    let (state, auth) = server_fn::request()?;
    let current = auth.current_user()?;
    let token =
        server_fn::link_token(&paths::VERIFY_EMAIL)?.ok_or(AuthError::VerificationLinkInvalid)?;
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

/// `/account/confirm`: where the mailed link leads. Opening it changes nothing, because mail
/// scanners open links too (SR-045).
#[component]
pub fn VerifyEmailPage(email: String) -> impl IntoView {
    let cx = page_context();
    let state = ui::FormState::new(cx.field_error());
    view! {
        <ui::Layout title="Confirm your address" has_error=cx.has_error()>
            <h1>"Confirm your address"</h1>
            <p class="lead">"You are logged in as "<strong>{email}</strong>". Confirm that this mailbox is yours."</p>
            <ui::PostForm action=VerifyEmail::PATH>
                <ui::FormError state/>
                <button type="submit">"Confirm the address"</button>
            </ui::PostForm>
            <p class="links"><a href=paths::ACCOUNT.path>"Your account"</a></p>
        </ui::Layout>
    }
}
