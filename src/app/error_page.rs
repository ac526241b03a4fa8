use leptos::prelude::*;

use super::{page_context::page_context, paths, ui};
use crate::domain::AuthError;

/// The page in place of one that cannot be shown: what happened, what to do, and the number under
/// which the log has the reason.
#[component]
pub fn ErrorPage(
    error: AuthError,
    title: &'static str,
    /// What happened, and what to do about it.
    message: String,
    /// Where the request says it came from, and where it should have come from.
    origins: Option<(String, String)>,
) -> impl IntoView {
    let cx = page_context();
    let origins = origins.filter(|_| error == AuthError::CrossSite).map(|(claimed, expected)| {
        view! {
            <p>"The form came from "<code>{claimed}</code>", but this program answers at "<code>{expected}</code>
            ". If the second one is wrong, the administrator changes "<code>"misc.frontend_url"</code>" in the configuration."</p>
        }
    });
    let (link, link_text) = match error {
        AuthError::AccountMismatch if cx.viewer.is_some() => {
            (page_of_form(&cx.path_and_query), "Open the page again")
        }
        _ => (paths::INDEX.path.to_owned(), "Go to the start page"),
    };
    let can_ask_again = error == AuthError::ResetLinkInvalid && cx.features.password_reset;
    view! {
        <ui::Layout title>
            <h1>{title}</h1>
            <p class="lead">{message}</p>
            {origins}
            {can_ask_again.then(|| view! { <p><a class="button" href=paths::FORGOT_PASSWORD.path>"Ask for a new link"</a></p> })}
            <p class="links"><a href=link>{link_text}</a></p>
            <p class="reference">{format!("Reference: {}", cx.request_id)}</p>
        </ui::Layout>
    }
}

/// The page that a form stands on, by the address it was sent to: its own page, or the list of
/// users for a button in a table.
fn page_of_form(address: &str) -> String {
    if address == paths::USER_ACTION.path {
        paths::USERS.path.to_owned()
    } else {
        address.to_owned()
    }
}
