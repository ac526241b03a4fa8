use leptos::prelude::*;

use super::FormState;

/// The message about the form as a whole. The element is always there, so that screen readers announce what appears in it.
#[component]
pub fn Feedback(state: FormState) -> impl IntoView {
    let message = move || state.error.get().filter(|error| error.field().is_none()).map(|error| error.to_string());
    // Without script the new page begins here.
    let starts_here = state.error.get_untracked().is_some_and(|error| error.field().is_none());
    view! { <p class="alert" id="alert" role="alert" tabindex="-1" autofocus=starts_here>{message}</p> }
}
