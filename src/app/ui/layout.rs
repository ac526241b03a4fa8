use leptos::prelude::*;

use crate::{
    app::{page_context::page_context, paths},
    text::en::pages::{form, layout as text},
};

/// The document around a page: the header, one column, and the script that hydrates the islands.
#[component]
pub fn Layout(
    #[prop(into)] title: String,
    /// The page shows an error. The title says so first, because screen readers start with it.
    #[prop(optional)]
    has_error: bool,
    /// The page holds a table and needs the whole width.
    #[prop(optional)]
    is_wide: bool,
    /// The URL of a redirect by `<meta http-equiv="refresh">`.
    #[prop(optional)]
    goes_on_to: &'static str,
    children: Children,
) -> impl IntoView {
    let cx = page_context();
    let title = text::title(&title, &cx.app_name, has_error);
    // On the page of the form. An error page in its place shows the way beside the error.
    let offers_login = has_error && cx.login_url().is_some();
    view! {
        <!DOCTYPE html>
        <html lang=text::LANGUAGE>
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
                    <p class="tagline">{text::TAGLINE}</p>
                    <Menu/>
                </header>
                <main>{children()}{offers_login.then(|| view! { <LogInAgain/> })}</main>
            </body>
        </html>
    }
}

/// The way to the login that a failed form needs, and back.
#[component]
pub fn LogInAgain() -> impl IntoView {
    let cx = page_context();
    let url = cx.login_url().map(ToOwned::to_owned);
    url.map(|url| view! { <p><a class="button" href=url>{form::LOG_IN_AGAIN}</a></p> })
}

/// The navigation for a viewer who is logged in.
#[component]
fn Menu() -> impl IntoView {
    let cx = page_context();
    let users = cx.admin.clone().map(|admin| {
        let pending = (admin.pending_approvals > 0).then(|| {
            view! { " "<span class="badge">{admin.pending_approvals}<span class="visually-hidden">{text::PENDING}</span></span> }
        });
        view! { <a href=paths::USERS.path>{text::USERS}{pending}</a><a href=paths::AUDIT_LOG.path>{text::EVENTS}</a> }.into_any()
    });
    cx.viewer.as_ref().map(|_| view! { <nav class="menu" aria-label=text::MENU><a href=paths::ACCOUNT.path>{text::ACCOUNT}</a>{users}</nav> }.into_any())
}

/// Replaces Leptos' own loader, which fetches the WebAssembly at once. This one waits for the first
/// interaction or an idle browser. Every form works as a plain form until then.
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
