use leptos::prelude::*;

use super::{ui, visit};
use crate::domain::AuthError;

/// The page in place of one that cannot be shown: what happened, what to do, and the number under which the log has the reason.
#[component]
pub fn FailurePage(error: AuthError) -> impl IntoView {
    let visit = visit();
    let title = match error {
        AuthError::NotFound => "Page not found",
        AuthError::CrossSite => "Refused",
        AuthError::Busy | AuthError::Unavailable => "Try again soon",
        _ => "That did not work",
    };
    let origins = visit.origins.filter(|_| error == AuthError::CrossSite).map(|(claimed, expected)| {
        view! {
            <p>"The form came from "<code>{claimed}</code>", but this program answers at "<code>{expected}</code>
            ". If the second one is wrong, the administrator changes "<code>"misc.frontend_url"</code>" in the configuration."</p>
        }
    });
    let can_ask_again = error == AuthError::ResetLinkInvalid && visit.offers.reset;
    view! {
        <ui::Frame title>
            <h1>{title}</h1>
            <FailureText error/>
            {origins}
            {can_ask_again.then(|| view! { <p><a class="button" href="/login/forgot-password">"Ask for a new link"</a></p> })}
            <p class="links"><a href="/">"Go to the start page"</a></p>
            <p class="reference">{format!("Reference: {}", visit.reference)}</p>
        </ui::Frame>
    }
}

/// The sentence that says what happened.
#[component]
pub fn FailureText(error: AuthError) -> impl IntoView {
    view! { <p class="lead">{error.to_string()}</p> }
}
