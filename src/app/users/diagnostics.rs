use leptos::prelude::*;

use crate::app::{paths, ui};

/// One thing that was looked at.
#[derive(Clone)]
pub struct CheckRow {
    /// `ok`, `warn` or `FAIL`.
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
                "FAIL" => "alert",
                "warn" => "warning",
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
        <ui::Layout title="System check" is_wide=true>
            <h1>"System check"</h1>
            <p class="lead">"Looked at just now, from where this program runs."</p>
            <ul class="lines">{lines}</ul>
            <p class="links"><a href=paths::DIAGNOSTICS.path>"Check again"</a>" · "<a href=paths::USERS.path>"All users"</a></p>
        </ui::Layout>
    }
    .into_any()
}
