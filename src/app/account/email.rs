use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    app::{page_context::page_context, paths, ui},
    domain::AuthError,
};

/// Asks for another address. Nothing changes until the link that is mailed there is used (SR-142).
#[server(prefix = "", endpoint = "account/address")]
pub async fn request_email_change(#[server(default)] email: String) -> Result<(), AuthError> {
    use crate::app::notice::Notice;
    use crate::{
        domain::Email,
        server::{flows::account, web::server_fn},
    };
    let (state, auth) = server_fn::request()?;
    let recent = auth.current_user()?.recent(state.clock.now())?;
    account::request_email_change(&auth.ctx(&state), &recent, &Email::parse(&email)?).await?;
    server_fn::redirect(&paths::ACCOUNT, Notice::EmailChangeSent);
    Ok(())
}

/// Takes the mailed link as proof of the new mailbox. The token is in a cookie by now, and not in
/// the page.
#[server(prefix = "", endpoint = "account/new-address")]
pub async fn confirm_email_change(#[server(default)] address: String) -> Result<(), AuthError> {
    use crate::app::notice::Notice;
    use crate::server::{
        flows::account::{self, EmailChange},
        web::server_fn,
    };
    let (state, auth) = server_fn::request()?;
    let current = auth.current_user()?;
    let token =
        server_fn::link_token(&paths::CONFIRM_EMAIL)?.ok_or(AuthError::VerificationLinkInvalid)?;
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
    let state = ui::FormState::new(cx.field_error());
    let typed = cx.typed("email");
    let form = if cx.features.mail {
        view! {
            <p class="lead">"We send a link to the new address. Your account keeps the present one, "<strong>{email}</strong>", until you open it."</p>
            <ui::PostForm action=RequestEmailChange::PATH>
                <ui::FormError state/>
                <ui::EmailField state value=typed is_fixed=false/>
                <button type="submit">"Send link"</button>
            </ui::PostForm>
        }
        .into_any()
    } else {
        view! {
            <p class="lead">"No mail can be sent from here to prove another address than "<strong>{email}</strong>". Ask an administrator to change it."</p>
        }
        .into_any()
    };
    view! {
        <ui::Layout title="Change e-mail" has_error=cx.has_error()>
            <h1>"Change e-mail"</h1>
            {form}
            <p class="links"><a href=paths::ACCOUNT.path>"Back to your account"</a></p>
        </ui::Layout>
    }
    .into_any()
}

/// `/account/new-address`: where the mailed link leads. Opening it changes nothing, because
/// programs that look through mail open links too (SR-045).
#[component]
pub fn ConfirmNewEmailPage(email: String, new_email: String) -> impl IntoView {
    let cx = page_context();
    // There is no field here to say it beside.
    let state = ui::FormState::new(ui::FieldError {
        element_id: "alert".to_owned(),
        ..cx.field_error()
    });
    view! {
        <ui::Layout title="Confirm your new address" has_error=cx.has_error()>
            <h1>"Confirm your new address"</h1>
            <p class="lead">"You are logged in as "<strong>{email}</strong>". From now on, you log in as "<strong>{new_email.clone()}</strong>"."</p>
            <ui::PostForm action=ConfirmEmailChange::PATH>
                <ui::FormError state/>
                <input type="hidden" name="address" value=new_email/>
                <button type="submit">"Use this address"</button>
            </ui::PostForm>
            <p class="links"><a href=paths::ACCOUNT.path>"Keep the present one"</a></p>
        </ui::Layout>
    }
    .into_any()
}
