use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    app::{page_context::page_context, paths, ui},
    domain::AuthError,
    islands::{FieldError, FormError, FormState},
    text::en::pages::{
        account::email::{self as text, confirm},
        links,
    },
};

/// Requests a change of the e-mail address. Nothing changes until the link that is mailed to the new
/// address is used (SR-142).
#[server(prefix = "", endpoint = "account/address")]
pub async fn request_email_change(#[server(default)] email: String) -> Result<(), AuthError> {
    use crate::{
        domain::{Email, Notice},
        server::{flows::account, web::server_fn},
    };
    let (state, auth) = server_fn::request()?;
    let recent = auth.current_user()?.recent(state.clock.now())?;
    account::request_email_change(&auth.ctx(&state), &recent, &Email::parse(&email)?).await?;
    server_fn::redirect(&paths::ACCOUNT, Notice::EmailChangeSent);
    Ok(())
}

/// Accepts the mailed link as proof of the new mailbox. The token comes from a cookie, so that the
/// page does not contain it.
#[server(prefix = "", endpoint = "account/new-address")]
pub async fn confirm_email_change(#[server(default)] address: String) -> Result<(), AuthError> {
    use crate::domain::Notice;
    use crate::server::{
        flows::account::{self, EmailChange},
        web::server_fn,
    };
    let (state, auth) = server_fn::request()?;
    let current = auth.current_user()?;
    let token = server_fn::opened_link_token(&paths::CONFIRM_EMAIL)?
        .ok_or(AuthError::VerificationLinkInvalid)?;
    account::confirm_email_change(&auth.ctx(&state), current, EmailChange { token, address })
        .await?;
    server_fn::clear_link_token(&state, &paths::CONFIRM_EMAIL)?;
    server_fn::redirect(&paths::ACCOUNT, Notice::EmailChanged);
    Ok(())
}

/// `/account/address`
#[component]
pub fn ChangeEmailPage(email: String) -> impl IntoView {
    let cx = page_context();
    let state = FormState::new(cx.field_error());
    let typed = cx.typed("email");
    let body = if cx.features.mail {
        view! {
            <p class="lead">{text::LINK_IS_SENT}<strong>{email}</strong>{text::UNTIL_OPENED}</p>
            <ui::PostForm action=RequestEmailChange::PATH>
                <FormError state/>
                <ui::NewEmailField value=typed is_own=true/>
                <button type="submit">{text::BUTTON}</button>
            </ui::PostForm>
        }
        .into_any()
    } else {
        view! {
            <p class="lead">{text::NO_MAIL}<strong>{email}</strong>{text::ASK_ADMINISTRATOR}</p>
        }
        .into_any()
    };
    view! {
        <ui::Layout title=text::TITLE has_error=cx.has_error()>
            <h1>{text::TITLE}</h1>
            {body}
            <p class="links"><a href=paths::ACCOUNT.path>{links::BACK_TO_ACCOUNT}</a></p>
        </ui::Layout>
    }
    .into_any()
}

/// `/account/new-address`: the target of the mailed link. Only the button changes the address,
/// because mail scanners open links too (SR-045).
#[component]
pub fn ConfirmNewEmailPage(email: String, new_email: String) -> impl IntoView {
    let cx = page_context();
    // The page has no input, so every error belongs to the form as a whole.
    let state = FormState::new(match cx.has_error() {
        true => FieldError {
            element_id: "alert".to_owned(),
            ..cx.field_error()
        },
        false => FieldError::default(),
    });
    view! {
        <ui::Layout title=confirm::TITLE has_error=cx.has_error()>
            <h1>{confirm::TITLE}</h1>
            <p class="lead">{confirm::LOGGED_IN_AS}<strong>{email}</strong>{confirm::FROM_NOW_ON}<strong>{new_email.clone()}</strong>{confirm::FULL_STOP}</p>
            <ui::PostForm action=ConfirmEmailChange::PATH>
                <FormError state/>
                <input type="hidden" name="address" value=new_email/>
                <button type="submit">{confirm::BUTTON}</button>
            </ui::PostForm>
            <p class="links"><a href=paths::ACCOUNT.path>{confirm::KEEP}</a></p>
        </ui::Layout>
    }
    .into_any()
}
