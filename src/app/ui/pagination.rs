use leptos::prelude::*;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::text::en::pages::{links, pagination as text};

/// Links to the neighbours of a page of a list. `address` is the list's URL up to the page number.
#[component]
pub fn Pagination(page: u64, pages: u64, address: String) -> impl IntoView {
    (pages > 1).then(|| {
        let earlier = (page > 1).then(|| view! { <a href=format!("{address}{}", page - 1) rel="prev">{text::PREVIOUS}</a>{links::SEPARATOR} });
        let later = (page < pages).then(|| view! { {links::SEPARATOR}<a href=format!("{address}{}", page + 1) rel="next">{text::NEXT}</a> });
        view! { <nav class="links" aria-label=text::LABEL>{earlier}{text::position(page, pages)}{later}</nav> }
    })
}

/// Percent-encodes a value for a URL.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
