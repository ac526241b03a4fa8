use leptos::prelude::*;

use crate::{
    app::{paths, ui},
    text::en::pages::{links, users::diagnostics as text},
};

/// The result of one check.
#[derive(Clone)]
pub struct CheckRow {
    /// `ok`, `warn` or `FAIL`.
    pub status: &'static str,
    pub check: &'static str,
    pub message: String,
    pub hint: String,
}

/// `/users/check`: the results of live checks of everything that the program depends on.
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
                        {(!row.hint.is_empty()).then(|| view! { <p class="hint">{text::HINT}{row.hint}</p> })}
                    </div>
                    <span class="badge">{row.status}</span>
                </li>
            }
        })
        .collect();
    view! {
        <ui::Layout title=text::TITLE is_wide=true>
            <h1>{text::TITLE}</h1>
            <p class="lead">{text::LEAD}</p>
            <ul class="lines">{lines}</ul>
            <p class="links"><a href=paths::DIAGNOSTICS.path>{text::CHECK_AGAIN}</a>{links::SEPARATOR}<a href=paths::USERS.path>{links::ALL_USERS}</a></p>
        </ui::Layout>
    }
    .into_any()
}
