use std::{collections::BTreeMap, sync::Arc};

use leptos::prelude::use_context;

use super::{notice::Notice, ui::FieldError};
use crate::domain::{AuthError, ReturnTo};

/// What the server tells every page about the request it answers. All of it may end up in front of
/// the viewer (SR-115). What one page shows besides stands in that page's properties.
#[derive(Default)]
pub struct PageContext {
    pub app_name: String,
    pub assets: Arc<Assets>,
    /// Lets our inline script run under the content security policy.
    pub script_nonce: String,
    /// The number under which the log has the request.
    pub request_id: String,
    /// Path and query of the request.
    pub path_and_query: String,
    /// The parameters of the page's address.
    pub query: BTreeMap<String, String>,
    /// Who is logged in.
    pub viewer: Option<Viewer>,
    /// The form that was sent to this page and failed, when there is no script to show it in place.
    pub failed_form: Option<FailedForm>,
    /// The configured OpenID provider.
    pub provider: Option<ProviderButton>,
    pub password_min_length: u16,
    pub features: Features,
    /// For administrators only.
    pub admin: Option<AdminNotices>,
}

/// The addresses of our files, which change with their content.
#[derive(Clone, Debug, Default)]
pub struct Assets {
    pub css: String,
    pub js: String,
    pub wasm: String,
}

/// What this installation offers to everybody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Features {
    /// Creating an account.
    pub signup: bool,
    /// A link for a new password by mail.
    pub password_reset: bool,
    /// Mail at all.
    pub mail: bool,
}

/// The OpenID provider, as its button shows it.
#[derive(Clone)]
pub struct ProviderButton {
    pub name: String,
    /// Why nobody can log in with it right now.
    pub last_error: Option<String>,
}

/// Who is logged in.
#[derive(Clone)]
pub struct Viewer {
    pub email: String,
    /// Binds the forms of the page to the account.
    pub form_account: String,
    pub is_superuser: bool,
    pub is_verified: bool,
    pub logged_in_at: Timestamp,
}

/// A time, for machines and for people.
#[derive(Clone)]
pub struct Timestamp {
    pub rfc3339: String,
    pub human: String,
}

/// How the program is configured, as far as an administrator needs to see it.
#[derive(Clone)]
pub struct AdminNotices {
    pub warnings: Vec<String>,
    pub redirect_uri: Option<String>,
    /// How many accounts wait for approval.
    pub pending_approvals: u64,
}

/// A form that failed: why, and what may be shown again.
#[derive(Clone, Debug)]
pub struct FailedForm {
    pub error: AuthError,
    /// The sentence for the error.
    pub message: String,
    pub values: BTreeMap<String, String>,
}

/// The context of the page that is being rendered.
pub fn page_context() -> Arc<PageContext> {
    use_context().unwrap_or_default()
}

impl PageContext {
    /// What was typed into a field of the form that failed, for showing it again.
    pub fn typed(&self, field: &str) -> String {
        self.failed_form
            .as_ref()
            .and_then(|form| form.values.get(field))
            .cloned()
            .unwrap_or_default()
    }

    /// The value of a hidden field: the failed form's own, else the address's.
    pub fn hidden_value(&self, field: &str) -> String {
        let values = self
            .failed_form
            .as_ref()
            .map_or(&self.query, |form| &form.values);
        values.get(field).cloned().unwrap_or_default()
    }

    /// Where the viewer goes after logging in: the hidden field of the login forms.
    pub fn return_to(&self) -> Option<ReturnTo> {
        ReturnTo::parse(&self.hidden_value("return_to"))
    }

    pub fn has_error(&self) -> bool {
        self.failed_form.is_some()
    }

    pub fn notice(&self) -> Option<Notice> {
        self.query.get("notice")?.parse().ok()
    }

    /// What was wrong with the form that was sent to this page, and the element that says it.
    pub fn field_error(&self) -> FieldError {
        let field_error = |form: &FailedForm| FieldError {
            element_id: form.error.place().to_owned(),
            message: form.message.clone(),
        };
        self.failed_form
            .as_ref()
            .map(field_error)
            .unwrap_or_default()
    }
}
