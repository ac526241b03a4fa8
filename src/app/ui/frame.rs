use leptos::prelude::*;

use crate::app::visit;

/// The document around a page: the brand, one column, and the script that brings islands to life.
#[component]
pub fn Frame(
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
    let visit = visit();
    let title = format!("{}{title} · {}", if has_error { "Error: " } else { "" }, visit.app_name);
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>{title}</title>
                <link rel="stylesheet" href=visit.assets.css.clone()/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                {(!goes_on_to.is_empty()).then(|| view! { <meta http-equiv="refresh" content=format!("0;url={goes_on_to}")/> }.into_any())}
                <Loader/>
            </head>
            <body class=if is_wide { "wide" } else { "" }>
                <header class="brand">
                    <a href="/" class="logo">
                        <span class="mark" aria-hidden="true" inner_html=include_str!("../../../public/logo.svg").trim()></span>
                        <span>{visit.app_name.clone()}</span>
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
    let visit = visit();
    let users = visit.administration.map(|administration| {
        let waiting = (administration.waiting > 0).then(|| {
            view! { " "<span class="badge">{administration.waiting}<span class="visually-hidden">" waiting"</span></span> }
        });
        view! { <a href="/users">"Users"{waiting}</a><a href="/users/events">"Events"</a> }.into_any()
    });
    visit.person.map(|_| view! { <nav class="menu" aria-label="Menu"><a href="/account">"Account"</a>{users}</nav> }.into_any())
}

/// Fetches WebAssembly when somebody begins to use the page, or when the browser has nothing better to do. Until then, and
/// without it, every form is a plain form. Takes the place of Leptos' own loader, which fetches everything at once.
#[component]
fn Loader() -> impl IntoView {
    let visit = visit();
    let script = format!(
        "let begun;\
         const begin=()=>begun??=import({js:?}).then(async m=>{{\
         await m.default({{module_or_path:{wasm:?}}});m.hydrate();\
         for(const e of document.querySelectorAll('leptos-island'))m[e.dataset.component](e)}});\
         if(document.querySelector('leptos-island')){{\
         for(const e of ['focusin','pointerover','keydown'])addEventListener(e,begin,{{once:true}});\
         addEventListener('load',()=>setTimeout(()=>(window.requestIdleCallback??setTimeout)(begin),1500))}}",
        js = visit.assets.js,
        wasm = visit.assets.wasm,
    );
    view! { <script type="module" nonce=visit.nonce.clone() inner_html=script></script> }
}
