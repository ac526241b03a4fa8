use leptos::{prelude::*, server_fn::ServerFn};

use super::{logout::LogOutForm, notice::Notice, page_context::page_context, paths, ui};
use crate::domain::AuthError;

const NOTICES: [Notice; 2] = [Notice::VerificationSent, Notice::EmailVerified];

/// Sends the link that verifies the address once more, to whoever is logged in.
#[server(prefix = "", endpoint = "login/verify")]
pub async fn resend_verification() -> Result<(), AuthError> {
    use crate::server::{flows::email_verification, web::server_fn};
    let (state, auth) = server_fn::request()?;
    let email = auth.current_user()?.user().email.clone();
    email_verification::request_verification(&auth.ctx(&state), &email).await?;
    server_fn::redirect(&paths::PENDING_APPROVAL, Notice::VerificationSent);
    Ok(())
}

/// `/login/verify`: for accounts that nobody has approved yet. It says what happens next and who
/// can help (SR-039).
#[component]
pub fn PendingApprovalPage(
    email: String,
    /// The address is not verified, and can be by mail.
    needs_verification: bool,
) -> impl IntoView {
    let cx = page_context();
    let state = ui::FormState::new(cx.field_error());
    let hint = "Have you confirmed your address with the link in our mail? The administrators are told then.";
    let offers_mail = needs_verification && ui::notice_message(&NOTICES).is_none();
    view! {
        <ui::Layout title="Waiting for approval" has_error=cx.has_error()>
            <h1>"Waiting for approval"</h1>
            <ui::FormError state/>
            <ui::NoticeMessage shown=&NOTICES/>
            <p class="lead">"You are logged in as "<strong>{email}</strong>", but your account is new and has to be approved before you can use "{cx.app_name.clone()}"."</p>
            <p>"An administrator of this server can approve it. Tell the person who runs it that you are waiting, then check again."</p>
            <p class="links"><a href=paths::LOGIN.path>"Check again"</a></p>
            {offers_mail.then(|| view! { <ResendForm hint button="Send the mail again"/> })}
            <LogOutForm/>
        </ui::Layout>
    }
}

/// `/login/verify` for an approved account whose address is not verified.
#[component]
pub fn ConfirmEmailPage(email: String, needs_verification: bool) -> impl IntoView {
    let cx = page_context();
    let state = ui::FormState::new(cx.field_error());
    let offers_mail = needs_verification && ui::notice_message(&NOTICES).is_none();
    view! {
        <ui::Layout title="Confirm your address" has_error=cx.has_error()>
            <h1>"Confirm your address"</h1>
            <ui::FormError state/>
            <ui::NoticeMessage shown=&NOTICES/>
            <p class="lead">"You are logged in as "<strong>{email}</strong>". Nobody has confirmed yet that this mailbox is yours."</p>
            {offers_mail.then(|| view! { <ResendForm hint="We send a link there. It works for a day." button="Send the mail"/> })}
            <p class="links"><a href=paths::ACCOUNT.path>"Your account"</a></p>
        </ui::Layout>
    }
}

#[component]
fn ResendForm(hint: &'static str, button: &'static str) -> impl IntoView {
    view! {
        <ui::PostForm action=ResendVerification::PATH>
            <p class="hint">{hint}</p>
            <button type="submit" class="secondary">{button}</button>
        </ui::PostForm>
    }
}
