use leptos::prelude::*;

use crate::{app::page_context::page_context, domain::Notice, text::en::pages::notice as text};

/// The notice of the page's URL, if it is one of `shown`.
pub fn notice_message(shown: &[Notice]) -> Option<Notice> {
    page_context()
        .notice
        .filter(|notice| shown.contains(notice))
}

/// Shows the notice of the page's URL, if it is one of `shown`.
#[component]
pub fn NoticeMessage(
    /// The notices of this page.
    shown: &'static [Notice],
) -> impl IntoView {
    notice_message(shown)
        .map(|notice| view! { <p class="notice" role="status">{text::message(notice)}</p> })
}
