use leptos::prelude::*;

use super::{ACCOUNT_FIELD, EmailField, FieldError, FormError, FormState, PasswordField};
use crate::app::paths;

/// A form that asks for an address and a password. All our forms with script do, so they are one
/// island, and another form costs the browser not one byte; plain text and flags as properties keep
/// the code that reads them small. All of them stand in the page for everybody to read.
#[island]
pub fn CredentialsForm(
    /// The page's own path, where its server function answers.
    #[prop(into)]
    action: String,
    /// The text of the button.
    #[prop(into)]
    button: String,
    /// Where the sentence belongs that says what was wrong with the form before: an input's `id`,
    /// or `alert`.
    fault_at: String,
    /// The sentence; empty when nothing was.
    fault: String,
    /// A field that goes along unseen, by its name.
    #[prop(into)]
    carried: String,
    /// Its value.
    #[prop(into)]
    carried_value: String,
    /// Binds the form to an account, from [`form_account`](super::form_account); empty where nobody
    /// has to be logged in.
    #[prop(into)]
    account: String,
    #[prop(into)] email: String,
    /// The address is shown, but not to be changed.
    email_is_fixed: bool,
    /// How long a new password must be; 0 where the account's own is asked for.
    new_password_min: u16,
    /// Offers the way to a new password, after the field that it is about.
    offers_reset: bool,
) -> impl IntoView {
    let state = FormState::new(FieldError {
        element_id: fault_at,
        message: fault,
    });
    view! {
        <form method="post" action=action data-hydrated=move || state.is_hydrated.get().then_some("") on:submit=move |event| state.submit(&event)>
            <FormError state/>
            {(!account.is_empty()).then(|| view! { <input type="hidden" name=ACCOUNT_FIELD value=account/> })}
            <input type="hidden" name=carried value=carried_value/>
            <EmailField state value=email is_fixed=email_is_fixed/>
            <PasswordField state new_password_min/>
            <p class="aside" hidden=!offers_reset><a href=paths::FORGOT_PASSWORD.path>"Forgot password?"</a></p>
            <button type="submit" aria-busy=move || state.is_sending.get().then_some("true")>{button}</button>
        </form>
    }
}
