use leptos::prelude::*;

use super::FormState;

/// The e-mail address. `id` and `name` never change, because password managers recognise fields by
/// them. The value is an attribute and not a property, because hydration would overwrite a property
/// that was typed into before.
#[component]
pub fn EmailField(
    state: FormState,
    #[prop(into)] label: String,
    value: String,
    /// The field is read-only.
    is_fixed: bool,
) -> impl IntoView {
    let message = move || state.message_at("email");
    let is_wrong = move || message().is_some();
    let starts_here = message().is_some();
    view! {
        <div class="field">
            <label for="email">{label}</label>
            <p class="error" id="email-error">{message}</p>
            <input
                id="email"
                name="email"
                type="email"
                autocomplete="username"
                autocapitalize="none"
                spellcheck="false"
                required
                value=value
                readonly=is_fixed
                autofocus=starts_here
                aria-invalid=move || is_wrong().then_some("true")
                aria-describedby=move || is_wrong().then_some("email-error")
            />
        </div>
    }
}
