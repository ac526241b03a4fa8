use leptos::{prelude::*, task::spawn_local, web_sys};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// The error of a form. The message comes from the server, so that the WebAssembly contains no
/// messages.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FieldError {
    /// The `id` of the input, or `alert` for the form as a whole.
    pub element_id: String,
    /// Empty without an error.
    pub message: String,
}

/// The state of a hydrated form. On the server and at hydration it holds exactly the island's
/// properties, so that both sides render the same.
#[derive(Clone, Copy)]
pub struct FormState {
    error: RwSignal<FieldError>,
    pub is_sending: RwSignal<bool>,
    /// The script runs, so elements that need it may appear.
    pub is_hydrated: RwSignal<bool>,
    /// The number of failures, so that the same error twice is announced twice.
    failures: RwSignal<u32>,
}

impl FormState {
    pub fn new(error: FieldError) -> Self {
        let state = Self {
            error: RwSignal::new(error),
            is_sending: RwSignal::new(false),
            is_hydrated: RwSignal::new(false),
            failures: RwSignal::new(0),
        };
        Effect::new(move || state.is_hydrated.set(true));
        state
    }

    /// Runs [`show_failure`] after every failure in the browser.
    pub fn show_failures(self, title_prefix: String) {
        Effect::new(move || {
            if self.failures.get() > 0 {
                show_failure(&self.error.get_untracked().element_id, &title_prefix);
            }
        });
    }

    /// The message that belongs to the input with this `id`, or to `alert`.
    pub fn message_at(self, id: &'static str) -> Option<String> {
        let error = self.error.get();
        (error.element_id == id).then_some(error.message)
    }

    /// Sends the form as the browser would, but stays on the page when it fails.
    /// `unreadable_answer` is the message for an answer that is not one of ours.
    pub fn submit(self, event: &web_sys::SubmitEvent, unreadable_answer: &str) {
        let Some(form) = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::HtmlFormElement>().ok())
        else {
            return;
        };
        event.prevent_default();
        if self.is_sending.get_untracked() {
            return;
        }
        self.is_sending.set(true);
        let unreadable_answer = unreadable_answer.to_owned();
        spawn_local(async move {
            match send(&form, &unreadable_answer).await {
                // The form stays busy until the next page has loaded.
                Ok(target) => {
                    let _ = window().location().assign(&target);
                }
                // A plain submission shows the server's error page, which says more than a message.
                Err(None) => drop(form.submit()),
                Err(Some(error)) => {
                    self.is_sending.set(false);
                    self.error.set(error);
                    self.failures.update(|failures| *failures += 1);
                }
            }
        });
    }
}

/// Posts the form's fields to its action, and clears a password that was refused (SR-016). Returns the
/// URL of the next page.
///
/// # Errors
/// The error to show, or `None` for 403, whose error page only a plain submission shows. An answer
/// that cannot be read, such as a proxy's error page, gives the message `unreadable_answer`.
async fn send(
    form: &web_sys::HtmlFormElement,
    unreadable_answer: &str,
) -> Result<String, Option<FieldError>> {
    let unreadable = || {
        Some(FieldError {
            element_id: "alert".to_owned(),
            message: unreadable_answer.to_owned(),
        })
    };
    let answer = fetch(form).await.map_err(|_| unreadable())?;
    if answer.headers().has("serverfnredirect").unwrap_or(false)
        && let Ok(Some(target)) = answer.headers().get("location")
    {
        return Ok(target);
    }
    if answer.status() == 403 {
        return Err(None);
    }
    // From 429 on it is not the password that is wrong.
    if answer.status() < 429
        && let Some(password) = element::<web_sys::HtmlInputElement>("password")
    {
        password.set_value("");
    }
    let text = JsFuture::from(answer.text().map_err(|_| unreadable())?)
        .await
        .ok()
        .and_then(|text| text.as_string());
    let error = text.and_then(|text| serde_json::from_str::<(String, String)>(&text).ok());
    Err(error
        .map(|(element_id, message)| FieldError {
            element_id,
            message,
        })
        .or_else(unreadable))
}

async fn fetch(form: &web_sys::HtmlFormElement) -> Result<web_sys::Response, JsValue> {
    let fields = web_sys::FormData::new_with_form(form)?;
    let fields = web_sys::UrlSearchParams::new_with_str_sequence_sequence(&fields)?;
    let options = web_sys::RequestInit::new();
    options.set_method("POST");
    options.set_body(&fields);
    let request = web_sys::Request::new_with_str_and_init(&form.action(), &options)?;
    request.headers().set("Accept", "application/json")?;
    JsFuture::from(window().fetch_with_request(&request))
        .await?
        .dyn_into()
}

/// Marks the document's title as `app::ui::Layout` does, and moves the focus to the element with the
/// error.
fn show_failure(at: &str, title_prefix: &str) {
    let document = document();
    if !document.title().starts_with(title_prefix) {
        document.set_title(&format!("{title_prefix}{}", document.title()));
    }
    if let Some(target) = element::<web_sys::HtmlElement>(at) {
        let _ = target.focus();
    }
}

fn element<T: JsCast>(id: &str) -> Option<T> {
    document()
        .get_element_by_id(id)
        .and_then(|element| element.dyn_into().ok())
}
