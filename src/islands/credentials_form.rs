use leptos::prelude::*;

use super::{
    ACCOUNT_FIELD, EmailField, FieldError, FormError, FormProps, FormState, PasswordField,
};

/// A form with an e-mail address and a password. Every form that needs script is this one island,
/// so another page adds nothing to the WebAssembly.
#[island]
pub fn CredentialsForm(form: FormProps) -> impl IntoView {
    let state = FormState::new(FieldError {
        element_id: form.error_element,
        message: form.error_message,
    });
    let texts = form.texts;
    state.show_failures(texts.error_title_prefix.clone());
    let unreadable_answer = texts.unreadable_answer.clone();
    let (email_label, forgot_password) = (texts.email.clone(), texts.forgot_password.clone());
    let hidden = |name: String, value: String| {
        (!name.is_empty()).then(|| view! { <input type="hidden" name=name value=value/> })
    };
    let account_field = if form.account.is_empty() {
        ""
    } else {
        ACCOUNT_FIELD
    };
    view! {
        <form method="post" action=form.action data-hydrated=move || state.is_hydrated.get().then_some("") on:submit=move |event| state.submit(&event, &unreadable_answer)>
            <FormError state/>
            {hidden(account_field.to_owned(), form.account)}
            {hidden(form.hidden_name, form.hidden_value)}
            <EmailField state label=email_label value=form.email is_fixed=form.email_is_fixed/>
            <PasswordField state texts new_password_min=form.new_password_min/>
            <p class="aside" hidden=!form.offers_reset><a href=form.reset_path>{forgot_password}</a></p>
            <button type="submit" aria-busy=move || state.is_sending.get().then_some("true")>{form.button}</button>
        </form>
    }
}
