use leptos::prelude::*;

use crate::app::page_context::page_context;

/// The name of the field that names the account a form was shown to. `web::form_fallback` checks it
/// for every page that needs a login.
pub const ACCOUNT_FIELD: &str = "account";

/// A form for somebody who is logged in. It acts for the account that the page was shown to and for
/// no other, even if somebody else has logged in to the same browser since: a hidden field binds it
/// to that account.
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

/// The value of the field on this page, for the form's island; empty if nobody is logged in.
pub fn form_account() -> String {
    page_context()
        .viewer
        .as_ref()
        .map(|viewer| viewer.form_account.clone())
        .unwrap_or_default()
}
