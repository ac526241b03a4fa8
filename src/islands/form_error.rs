use leptos::prelude::*;

use super::FormState;

/// The error of the form as a whole. The element is always there, because screen readers announce
/// only changes of an element that exists.
#[component]
pub fn FormError(state: FormState) -> impl IntoView {
    let message = move || state.message_at("alert");
    // Without script, the new page starts with the focus here.
    let starts_here = message().is_some();
    view! { <p class="alert" id="alert" role="alert" tabindex="-1" autofocus=starts_here>{message}</p> }
}
