use leptos::prelude::*;

use crate::app::{page_context::page_context, paths};

/// The document around a page: the brand, one column, and the script that brings islands to life.
#[component]
pub fn Layout(
    #[prop(into)] title: String,
    /// The page shows an error: screen readers hear it first, in the title.
    #[prop(optional)]
    has_error: bool,
    /// The page holds a table and needs the whole width.
    #[prop(optional)]
    is_wide: bool,
    /// Where the browser goes on by itself.
    #[prop(optional)]
    goes_on_to: &'static str,
    children: Children,
) -> impl IntoView {
    let cx = page_context();
    let title = format!(
        "{}{title} · {}",
        if has_error { "Error: " } else { "" },
        cx.app_name
    );
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>{title}</title>
                <link rel="stylesheet" href=cx.assets.css.clone()/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                {(!goes_on_to.is_empty()).then(|| view! { <meta http-equiv="refresh" content=format!("0;url={goes_on_to}")/> }.into_any())}
                <HydrationScript/>
            </head>
            <body class=if is_wide { "wide" } else { "" }>
                <header class="brand">
                    <a href=paths::INDEX.path class="logo">
                        <span class="mark" aria-hidden="true" inner_html=include_str!("../../../public/logo.svg").trim()></span>
                        <span>{cx.app_name.clone()}</span>
                    </a>
                    <p class="tagline">"Your films and series, at home."</p>
                    <Menu/>
                </header>
                <main>{children()}</main>
            </body>
        </html>
    }
}

/// The ways between the pages of somebody who is logged in.
#[component]
fn Menu() -> impl IntoView {
    let cx = page_context();
    let users = cx.admin.clone().map(|admin| {
        let pending = (admin.pending_approvals > 0).then(|| {
            view! { " "<span class="badge">{admin.pending_approvals}<span class="visually-hidden">" waiting"</span></span> }
        });
        view! { <a href=paths::USERS.path>"Users"{pending}</a><a href=paths::AUDIT_LOG.path>"Events"</a> }.into_any()
    });
    cx.viewer.as_ref().map(|_| view! { <nav class="menu" aria-label="Menu"><a href=paths::ACCOUNT.path>"Account"</a>{users}</nav> }.into_any())
}

/// Fetches WebAssembly when somebody begins to use the page, or when the browser has nothing better
/// to do. Until then, and without it, every form is a plain form. Takes the place of Leptos' own
/// loader, which fetches everything at once.
#[component]
fn HydrationScript() -> impl IntoView {
    let cx = page_context();
    let script = format!(
        "let begun;\
         const begin=()=>begun??=import({js:?}).then(async m=>{{\
         await m.default({{module_or_path:{wasm:?}}});m.hydrate();\
         for(const e of document.querySelectorAll('leptos-island'))m[e.dataset.component](e)}});\
         if(document.querySelector('leptos-island')){{\
         for(const e of ['focusin','pointerover','keydown'])addEventListener(e,begin,{{once:true}});\
         addEventListener('load',()=>setTimeout(()=>(window.requestIdleCallback??setTimeout)(begin),1500))}}",
        js = cx.assets.js,
        wasm = cx.assets.wasm,
    );
    view! { <script type="module" nonce=cx.script_nonce.clone() inner_html=script></script> }
}
