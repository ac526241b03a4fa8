use leptos::prelude::*;

use crate::app::page_context::Timestamp;

/// A time for people, with its RFC 3339 form for machines.
#[component]
pub fn Time(at: Timestamp) -> impl IntoView {
    view! { <time datetime=at.rfc3339>{at.human}</time> }
}
