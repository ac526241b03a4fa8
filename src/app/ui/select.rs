use leptos::prelude::*;

/// One of several, in a form that searches.
#[component]
pub fn Select(
    id: &'static str,
    label: &'static str,
    options: Vec<(String, &'static str)>,
    chosen: String,
) -> impl IntoView {
    let options: Vec<_> = options
        .into_iter()
        .map(|(value, words)| {
            let is_chosen = value == chosen;
            view! { <option value=value selected=is_chosen>{words}</option> }
        })
        .collect();
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <select id=id name=id>{options}</select>
        </div>
    }
}
