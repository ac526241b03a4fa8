use leptos::prelude::*;

use crate::{
    app::{Loaded, failure::FailurePage, ui, visit},
    domain::AuthError,
};

/// One thing that was looked at.
#[derive(Clone)]
pub struct Line {
    /// `ok`, `look` or `WRONG`.
    pub word: &'static str,
    pub what: &'static str,
    pub says: String,
    pub fix: String,
}

/// `/users/check`: a live look at everything that the program depends on, for administrators.
#[component]
pub fn CheckPage() -> impl IntoView {
    let Some(Loaded::Check(lines)) = visit().loaded else { return view! { <FailurePage error=AuthError::Forbidden/> }.into_any() };
    let lines: Vec<_> = lines
        .into_iter()
        .map(|line| {
            let class = match line.word {
                "WRONG" => "alert",
                "look" => "warning",
                _ => "",
            };
            view! {
                <li class=class>
                    <div>
                        <strong>{line.what}</strong>
                        <p>{line.says}</p>
                        {(!line.fix.is_empty()).then(|| view! { <p class="hint">"What to do: "{line.fix}</p> })}
                    </div>
                    <span class="badge">{line.word}</span>
                </li>
            }
        })
        .collect();
    view! {
        <ui::Frame title="How everything stands" is_wide=true>
            <h1>"How everything stands"</h1>
            <p class="lead">"Looked at just now, from where this program runs."</p>
            <ul class="lines">{lines}</ul>
            <p class="links"><a href="/users/check">"Look again"</a>" · "<a href="/users">"All users"</a></p>
        </ui::Frame>
    }
    .into_any()
}
