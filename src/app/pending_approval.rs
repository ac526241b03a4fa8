use leptos::{prelude::*, server_fn::ServerFn};

use super::{logout::LogOutForm, page_context::page_context, paths, ui};
use crate::{
    domain::{AuthError, Notice},
    islands::{FormError, FormState},
    text::en::pages::{
        links,
        pending_approval::{self as text, confirm_email},
    },
};

const NOTICES: [Notice; 2] = [Notice::VerificationSent, Notice::EmailVerified];

/// Sends the verification link once more to the address of the current user.
#[server(prefix = "", endpoint = "login/verify")]
pub async fn resend_verification() -> Result<(), AuthError> {
    use crate::server::{flows::email_verification, web::server_fn};
    let (state, auth) = server_fn::request()?;
    let email = auth.current_user()?.user().email.clone();
    email_verification::request_verification(&auth.ctx(&state), &email).await?;
    server_fn::redirect(&paths::PENDING_APPROVAL, Notice::VerificationSent);
    Ok(())
}

/// `/login/verify` for an account that waits for approval (SR-039).
#[component]
pub fn PendingApprovalPage(
    email: String,
    /// The address is not verified, and mail is configured.
    needs_verification: bool,
) -> impl IntoView {
    let cx = page_context();
    let state = FormState::new(cx.field_error());
    let offers_mail = needs_verification && ui::notice_message(&NOTICES).is_none();
    view! {
        <ui::Layout title=text::TITLE has_error=cx.has_error()>
            <h1>{text::TITLE}</h1>
            <FormError state/>
            <ui::NoticeMessage shown=&NOTICES/>
            <p class="lead">{text::LOGGED_IN_AS}<strong>{email}</strong>{text::NOT_APPROVED}{cx.app_name.clone()}{text::FULL_STOP}</p>
            <p>{text::WHO_CAN_APPROVE}</p>
            <p class="links"><a href=paths::LOGIN.path>{text::CHECK_AGAIN}</a></p>
            {offers_mail.then(|| view! { <ResendForm hint=text::RESEND_HINT button=text::RESEND/> })}
            <LogOutForm/>
        </ui::Layout>
    }
}

/// `/login/verify` for an approved account whose address is not verified.
#[component]
pub fn ConfirmEmailPage(email: String, needs_verification: bool) -> impl IntoView {
    let cx = page_context();
    let state = FormState::new(cx.field_error());
    let offers_mail = needs_verification && ui::notice_message(&NOTICES).is_none();
    view! {
        <ui::Layout title=confirm_email::TITLE has_error=cx.has_error()>
            <h1>{confirm_email::TITLE}</h1>
            <FormError state/>
            <ui::NoticeMessage shown=&NOTICES/>
            <p class="lead">{text::LOGGED_IN_AS}<strong>{email}</strong>{confirm_email::NOT_CONFIRMED}</p>
            {offers_mail.then(|| view! { <ResendForm hint=confirm_email::SEND_HINT button=confirm_email::SEND/> })}
            <p class="links"><a href=paths::ACCOUNT.path>{links::ACCOUNT}</a></p>
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
