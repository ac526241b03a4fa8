use leptos::prelude::*;

use super::{page_context::page_context, paths, ui};
use crate::{domain::AuthError, text::en::pages::error_page as text};

/// The page in place of one that cannot be shown, with the request id under which the log has the
/// reason.
#[component]
pub fn ErrorPage(
    error: AuthError,
    title: &'static str,
    message: String,
    /// The request's `Origin` and the expected one.
    origins: Option<(String, String)>,
) -> impl IntoView {
    let cx = page_context();
    let origins = origins.filter(|_| error == AuthError::CrossSite).map(|(claimed, expected)| {
        view! {
            <p>{text::FORM_CAME_FROM}<code>{claimed}</code>{text::SERVED_AT}<code>{expected}</code>
            {text::CHANGE_SETTING}<code>"misc.frontend_url"</code>{text::IN_CONFIGURATION}</p>
        }
    });
    let (link, link_text) = match error {
        AuthError::AccountMismatch if cx.viewer.is_some() => {
            (page_of_form(&cx.path_and_query), text::OPEN_AGAIN)
        }
        _ => (paths::INDEX.path.to_owned(), text::START_PAGE),
    };
    let can_ask_again = error == AuthError::ResetLinkInvalid && cx.features.password_reset;
    view! {
        <ui::Layout title>
            <h1>{title}</h1>
            <p class="lead">{message}</p>
            <ui::LogInAgain/>
            {origins}
            {can_ask_again.then(|| view! { <p><a class="button" href=paths::FORGOT_PASSWORD.path>{text::NEW_LINK}</a></p> })}
            <p class="links"><a href=link>{link_text}</a></p>
            <p class="reference">{text::reference(&cx.request_id)}</p>
        </ui::Layout>
    }
}

/// The page that contains the form that was sent to this URL: the same page, or the list of users
/// for a button in a table.
fn page_of_form(url: &str) -> String {
    if url == paths::USER_ACTION.path {
        paths::USERS.path.to_owned()
    } else {
        url.to_owned()
    }
}
