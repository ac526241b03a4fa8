use leptos::prelude::*;

use crate::app::Moment;

/// A time, in words for people and in figures for machines.
#[component]
pub fn Time(moment: Moment) -> impl IntoView {
    view! { <time datetime=moment.iso>{moment.words}</time> }
}
