use leptos::prelude::*;

use crate::app::{paths, ui};

/// One thing that was looked at.
#[derive(Clone)]
pub struct CheckRow {
    /// `ok`, `look` or `WRONG`.
    pub status: &'static str,
    pub check: &'static str,
    pub message: String,
    pub hint: String,
}

/// `/users/check`: a live look at everything that the program depends on, for administrators.
#[component]
pub fn DiagnosticsPage(rows: Vec<CheckRow>) -> impl IntoView {
    let lines: Vec<_> = rows
        .into_iter()
        .map(|row| {
            let class = match row.status {
                "WRONG" => "alert",
                "look" => "warning",
                _ => "",
            };
            view! {
                <li class=class>
                    <div>
                        <strong>{row.check}</strong>
                        <p>{row.message}</p>
                        {(!row.hint.is_empty()).then(|| view! { <p class="hint">"What to do: "{row.hint}</p> })}
                    </div>
                    <span class="badge">{row.status}</span>
                </li>
            }
        })
        .collect();
    view! {
        <ui::Layout title="How everything stands" is_wide=true>
            <h1>"How everything stands"</h1>
            <p class="lead">"Looked at just now, from where this program runs."</p>
            <ul class="lines">{lines}</ul>
            <p class="links"><a href=paths::DIAGNOSTICS.path>"Look again"</a>" · "<a href=paths::USERS.path>"All users"</a></p>
        </ui::Layout>
    }
    .into_any()
}
