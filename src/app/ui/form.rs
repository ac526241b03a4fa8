use leptos::{prelude::*, task::spawn_local, web_sys};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// What went wrong, as the page says it. The sentence comes from the server, so that the browser
/// need not hold all there are.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FieldError {
    /// The `id` of the input that it is about, or `alert` for the form as a whole.
    pub element_id: String,
    /// Empty when nothing is wrong.
    pub message: String,
}

/// What a hydrated form knows. On the server and at the moment of hydration it holds just what the
/// island was given, so both sides render the same.
#[derive(Clone, Copy)]
pub struct FormState {
    fault: RwSignal<FieldError>,
    pub is_sending: RwSignal<bool>,
    /// Script is running: what only works with it may appear.
    pub is_hydrated: RwSignal<bool>,
    /// Counts failures, so that the same error twice is announced twice.
    failures: RwSignal<u32>,
}

impl FormState {
    pub fn new(fault: FieldError) -> Self {
        let state = Self {
            fault: RwSignal::new(fault),
            is_sending: RwSignal::new(false),
            is_hydrated: RwSignal::new(false),
            failures: RwSignal::new(0),
        };
        Effect::new(move || state.is_hydrated.set(true));
        Effect::new(move || {
            if state.failures.get() > 0 {
                show_failure(&state.fault.get_untracked().element_id);
            }
        });
        state
    }

    /// The message that stands at an input, or at `alert`.
    pub fn message_at(self, id: &'static str) -> Option<String> {
        let fault = self.fault.get();
        (fault.element_id == id).then_some(fault.message)
    }

    /// Sends the form as the browser would, but without leaving the page when it fails.
    pub fn submit(self, event: &web_sys::SubmitEvent) {
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
        spawn_local(async move {
            match send(&form).await {
                // Stay busy: the next page is on its way.
                Ok(target) => {
                    let _ = window().location().assign(&target);
                }
                // As a plain form: the page that answers it says more than a sentence.
                Err(None) => drop(form.submit()),
                Err(Some(fault)) => {
                    self.is_sending.set(false);
                    self.fault.set(fault);
                    self.failures.update(|failures| *failures += 1);
                }
            }
        });
    }
}

/// Posts the form's own fields to its own address. The answer is where to go next, or the reason
/// why not; none when the request was refused as another site's. When the answer cannot be
/// understood, a proxy's error page for one, that is a fault on our side.
async fn send(form: &web_sys::HtmlFormElement) -> Result<String, Option<FieldError>> {
    let unreadable = || {
        Some(FieldError {
            element_id: "alert".to_owned(),
            message: "The server did not answer as it should. Try again soon.".to_owned(),
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
    let text = JsFuture::from(answer.text().map_err(|_| unreadable())?)
        .await
        .ok()
        .and_then(|text| text.as_string());
    let fault = text.and_then(|text| serde_json::from_str::<(String, String)>(&text).ok());
    Err(fault
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

/// Moves the focus to what went wrong, empties the password (SR-016), and says it in the title, as
/// the server does.
fn show_failure(at: &str) {
    let document = document();
    if let Some(password) = element::<web_sys::HtmlInputElement>("password") {
        password.set_value("");
    }
    if !document.title().starts_with("Error: ") {
        document.set_title(&format!("Error: {}", document.title()));
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
