use leptos::prelude::*;

use crate::app::page_context::Timestamp;

/// A time, in words for people and in figures for machines.
#[component]
pub fn Time(at: Timestamp) -> impl IntoView {
    view! { <time datetime=at.rfc3339>{at.human}</time> }
}
