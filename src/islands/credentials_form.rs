use leptos::prelude::*;

use super::{
    ACCOUNT_FIELD, EmailField, FieldError, FormError, FormState, FormTexts, PasswordField,
};

/// A form with an e-mail address and a password. Every form that needs script is this one island,
/// so another page adds nothing to the WebAssembly. The properties are strings and flags, because
/// every other type adds a parser; they are readable in the page's source.
#[island]
pub fn CredentialsForm(
    /// The path of the page, which is also the path of its server function.
    #[prop(into)]
    action: String,
    /// The text of the button.
    #[prop(into)]
    button: String,
    /// The element that shows the error of the failed form: an input's `id`, or `alert`.
    fault_at: String,
    /// The message of the error; empty without an error.
    fault: String,
    /// The name of a hidden field.
    #[prop(into)]
    carried: String,
    /// The value of the hidden field.
    #[prop(into)]
    carried_value: String,
    /// Binds the form to an account, from `app::ui::form_account`; empty where no login is needed.
    #[prop(into)]
    account: String,
    #[prop(into)] email: String,
    /// The e-mail field is read-only.
    email_is_fixed: bool,
    /// The minimum length of a new password in code points; 0 where the form asks for the current
    /// one.
    new_password_min: u16,
    /// Shows the link to the password reset below the password.
    offers_reset: bool,
    /// The path of the page that starts a password reset.
    #[prop(into)]
    reset_path: String,
    texts: FormTexts,
) -> impl IntoView {
    let state = FormState::new(FieldError {
        element_id: fault_at,
        message: fault,
    });
    state.show_failures(texts.error_title_prefix.clone());
    let unreadable_answer = texts.unreadable_answer.clone();
    let (email_label, forgot_password) = (texts.email.clone(), texts.forgot_password.clone());
    view! {
        <form method="post" action=action data-hydrated=move || state.is_hydrated.get().then_some("") on:submit=move |event| state.submit(&event, &unreadable_answer)>
            <FormError state/>
            {(!account.is_empty()).then(|| view! { <input type="hidden" name=ACCOUNT_FIELD value=account/> })}
            <input type="hidden" name=carried value=carried_value/>
            <EmailField state label=email_label value=email is_fixed=email_is_fixed/>
            <PasswordField state texts new_password_min/>
            <p class="aside" hidden=!offers_reset><a href=reset_path>{forgot_password}</a></p>
            <button type="submit" aria-busy=move || state.is_sending.get().then_some("true")>{button}</button>
        </form>
    }
}
