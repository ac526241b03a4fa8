use leptos::prelude::*;

use super::FormState;

/// The message about the form as a whole. The element is always there, so that screen readers
/// announce what appears in it.
#[component]
pub fn FormError(state: FormState) -> impl IntoView {
    let message = move || state.message_at("alert");
    // Without script the new page begins here.
    let starts_here = message().is_some();
    view! { <p class="alert" id="alert" role="alert" tabindex="-1" autofocus=starts_here>{message}</p> }
}
