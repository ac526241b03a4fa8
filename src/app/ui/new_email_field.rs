use leptos::prelude::*;

use crate::{
    app::page_context::page_context, domain::auth_error::Field, text::en::pages::form as text,
};

/// An address that is not the viewer's login: another person's, or the viewer's next one. Password
/// managers must neither fill the login in nor store this one in its place, so it is no `username`.
#[component]
pub fn NewEmailField(
    value: String,
    /// The address belongs to the viewer.
    is_own: bool,
) -> impl IntoView {
    let cx = page_context();
    let message = cx
        .failed_form
        .as_ref()
        .filter(|form| form.error.field() == Some(Field::Email))
        .map(|form| form.message.clone());
    let is_wrong = message.is_some();
    view! {
        <div class="field">
            <label for="email">{text::EMAIL}</label>
            <p class="error" id="email-error">{message}</p>
            <input
                id="email"
                name="email"
                type="email"
                autocomplete=if is_own { "email" } else { "off" }
                autocapitalize="none"
                spellcheck="false"
                required
                value=value
                autofocus=is_wrong
                aria-invalid=is_wrong.then_some("true")
                aria-describedby=is_wrong.then_some("email-error")
            />
        </div>
    }
}
