use leptos::prelude::*;

/// A `<select>` with its label.
#[component]
pub fn Select(
    id: &'static str,
    label: &'static str,
    /// Value and text of each option.
    options: Vec<(String, &'static str)>,
    chosen: String,
) -> impl IntoView {
    let options: Vec<_> = options
        .into_iter()
        .map(|(value, text)| {
            let is_chosen = value == chosen;
            view! { <option value=value selected=is_chosen>{text}</option> }
        })
        .collect();
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <select id=id name=id>{options}</select>
        </div>
    }
}
