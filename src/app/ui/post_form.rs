use leptos::prelude::*;

use crate::{app::page_context::page_context, islands::ACCOUNT_FIELD};

/// A form that needs a login. A hidden field binds it to the account that the page was rendered
/// for, so that it fails if somebody else has logged in to the same browser since.
#[component]
pub fn PostForm(
    /// The path of the server function, with its query where the page has one.
    #[prop(into)]
    action: String,
    children: Children,
) -> impl IntoView {
    view! {
        <form method="post" action=action>
            <input type="hidden" name=ACCOUNT_FIELD value=form_account()/>
            {children()}
        </form>
    }
}

/// The value of the hidden field on this page; empty without a login.
pub fn form_account() -> String {
    page_context()
        .viewer
        .as_ref()
        .map(|viewer| viewer.form_account.clone())
        .unwrap_or_default()
}
