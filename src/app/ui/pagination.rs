use leptos::prelude::*;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// The way through a list that is longer than one page. `address` is the list's but for the number
/// at its end.
#[component]
pub fn Pagination(page: u64, pages: u64, address: String) -> impl IntoView {
    (pages > 1).then(|| {
        let earlier = (page > 1).then(|| view! { <a href=format!("{address}{}", page - 1) rel="prev">"Previous page"</a>" · " });
        let later = (page < pages).then(|| view! { " · "<a href=format!("{address}{}", page + 1) rel="next">"Next page"</a> });
        view! { <nav class="links" aria-label="Pages">{earlier}{format!("Page {page} of {pages}")}{later}</nav> }
    })
}

/// A value for an address.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
