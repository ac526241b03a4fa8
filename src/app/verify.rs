use leptos::{prelude::*, server_fn::ServerFn};

use super::{failure::FailurePage, logout::LogOutForm, ui, visit};
use crate::domain::AuthError;

/// Sends the link that proves the address once more, to whoever is logged in.
#[server(prefix = "", endpoint = "login/verify")]
pub async fn resend_proof() -> Result<(), AuthError> {
    use crate::server::{context, flows::email_proof};
    let (state, visitor) = context::visitor()?;
    let email = visitor.current_user()?.user().email.clone();
    email_proof::request(&visitor.ctx(&state), &email).await?;
    context::go_to("/login/verify?notice=proof_sent");
    Ok(())
}

/// Takes a mailed link as proof of the address of whoever is logged in. The token is in a cookie by now, and not in the page.
#[server(prefix = "", endpoint = "account/confirm")]
pub async fn confirm_address() -> Result<(), AuthError> {
    use crate::server::{context, flows::email_proof};
    let (state, visitor) = context::visitor()?;
    let current = visitor.current_user()?;
    let token = context::link_token(ConfirmAddress::PATH)?.ok_or(AuthError::ProofLinkInvalid)?;
    let proven = email_proof::complete(&visitor.ctx(&state), current, &token).await?;
    context::link_is_used(&state, ConfirmAddress::PATH)?;
    context::go_to(if proven.user.is_verified { "/account?notice=address_proven" } else { "/login/verify?notice=address_proven" });
    Ok(())
}

/// `/login/verify`: for people whose account nobody has approved yet. No dead end: it says what happens next, and who can help (SR-039).
/// Also for those whose account is approved and whose address is not proven: it could not be from anywhere else.
#[component]
pub fn VerifyPage() -> impl IntoView {
    let visit = visit();
    let Some(person) = visit.person.clone() else {
        return view! { <FailurePage error=AuthError::NotLoggedIn/> }.into_any();
    };
    let email = person.email;
    let state = ui::FormState::new(visit.fault());
    let notice = match visit.notice() {
        "proof_sent" => Some("We have sent a mail. Open the link in it here, in this browser."),
        "address_proven" => Some("Your address is confirmed."),
        _ => None,
    };
    let can_be_proven = visit.is_unproven && notice.is_none();
    if person.is_verified {
        return view! {
            <ui::Frame title="Confirm your address" has_error=visit.submitted.is_some()>
                <h1>"Confirm your address"</h1>
                <ui::Feedback state/>
                {notice.map(|text| view! { <p class="notice" role="status">{text}</p> })}
                <p class="lead">"You are logged in as "<strong>{email}</strong>". Nobody has confirmed yet that this mailbox is yours."</p>
                {can_be_proven.then(|| view! { <ResendForm hint="We send a link there. It works for a day." button="Send the mail"/> })}
                <p class="links"><a href="/account">"Your account"</a></p>
            </ui::Frame>
        }
        .into_any();
    }
    let hint = "Have you confirmed your address with the link in our mail? The administrators are told then.";
    view! {
        <ui::Frame title="Waiting for approval" has_error=visit.submitted.is_some()>
            <h1>"Waiting for approval"</h1>
            <ui::Feedback state/>
            {notice.map(|text| view! { <p class="notice" role="status">{text}</p> })}
            <p class="lead">"You are logged in as "<strong>{email}</strong>", but your account is new and has to be approved before you can use "{visit.app_name.clone()}"."</p>
            <p>"An administrator of this server can approve it. Tell the person who runs it that you are waiting, then check again."</p>
            <p class="links"><a href="/login">"Check again"</a></p>
            {can_be_proven.then(|| view! { <ResendForm hint button="Send the mail again"/> })}
            <LogOutForm/>
        </ui::Frame>
    }
    .into_any()
}

#[component]
fn ResendForm(hint: &'static str, button: &'static str) -> impl IntoView {
    view! {
        <form method="post" action=ResendProof::PATH>
            <p class="hint">{hint}</p>
            <button type="submit" class="secondary">{button}</button>
        </form>
    }
}

/// `/account/confirm`: where the mailed link leads. Opening it changes nothing, because programs that look through mail open links too
/// (SR-045).
#[component]
pub fn ConfirmPage() -> impl IntoView {
    let visit = visit();
    let Some(email) = visit.person.clone().map(|person| person.email) else {
        return view! { <FailurePage error=AuthError::NotLoggedIn/> }.into_any();
    };
    let state = ui::FormState::new(visit.fault());
    view! {
        <ui::Frame title="Confirm your address" has_error=visit.submitted.is_some()>
            <h1>"Confirm your address"</h1>
            <p class="lead">"You are logged in as "<strong>{email}</strong>". Confirm that this mailbox is yours."</p>
            <form method="post" action=ConfirmAddress::PATH>
                <ui::Feedback state/>
                <button type="submit">"Confirm the address"</button>
            </form>
            <p class="links"><a href="/account">"Your account"</a></p>
        </ui::Frame>
    }
    .into_any()
}
