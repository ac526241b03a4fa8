use std::{collections::BTreeMap, sync::Arc};

use leptos::prelude::use_context;

use crate::{
    domain::{AuthError, Notice, ProviderId, ReturnTo},
    islands::FieldError,
};

/// The data that every page may show. It contains nothing that the viewer must not see (SR-115).
/// The data of a single page are that page's properties.
#[derive(Default)]
pub struct PageContext {
    pub app_name: String,
    pub assets: Arc<Assets>,
    /// The nonce of the inline script in the content security policy.
    pub script_nonce: String,
    /// The id under which the log has the request.
    pub request_id: String,
    /// Path and query of the request.
    pub path_and_query: String,
    /// The query parameters of the request.
    pub query: BTreeMap<String, String>,
    pub viewer: Option<Viewer>,
    /// The notice that the query asks for, if it is for this browser.
    pub notice: Option<Notice>,
    /// The form that was sent to this page without script and failed.
    pub failed_form: Option<FailedForm>,
    /// What the viewer typed into the page's form before a login that it needed.
    pub typed_before_login: BTreeMap<String, String>,
    /// The configured OpenID providers, in the order of the configuration.
    pub providers: Vec<ProviderButton>,
    pub password_min_length: u16,
    pub features: Features,
    /// For administrators only.
    pub admin: Option<AdminNotices>,
}

/// The URLs of the site's files, which change with their content.
#[derive(Clone, Debug, Default)]
pub struct Assets {
    pub css: String,
    pub js: String,
    pub wasm: String,
}

/// The optional features of this installation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Features {
    /// Anybody may create an account.
    pub signup: bool,
    /// Password resets by mail.
    pub password_reset: bool,
    /// Mail is configured.
    pub mail: bool,
}

/// The OpenID provider, for its button.
#[derive(Clone)]
pub struct ProviderButton {
    pub id: ProviderId,
    pub name: String,
    /// The message why the provider cannot be used at the moment.
    pub last_error: Option<String>,
}

/// The user who is logged in.
#[derive(Clone)]
pub struct Viewer {
    pub email: String,
    /// Binds the forms of the page to the account, by `ACCOUNT_FIELD`.
    pub form_account: String,
    pub is_superuser: bool,
    pub is_verified: bool,
    pub logged_in_at: Timestamp,
}

/// A time in both formats.
#[derive(Clone)]
pub struct Timestamp {
    pub rfc3339: String,
    pub human: String,
}

/// The notices for administrators.
#[derive(Clone)]
pub struct AdminNotices {
    /// Warnings about the configuration.
    pub warnings: Vec<String>,
    pub redirect_uri: Option<String>,
    /// The number of accounts that wait for approval.
    pub pending_approvals: u64,
}

/// A form that failed.
#[derive(Clone, Debug)]
pub struct FailedForm {
    pub error: AuthError,
    pub message: String,
    /// The fields that may be shown again.
    pub values: BTreeMap<String, String>,
    /// The login that the form needs before it can be sent again, and that leads back to its page.
    pub login_url: Option<String>,
}

/// The context of the page that is being rendered.
pub fn page_context() -> Arc<PageContext> {
    use_context().unwrap_or_default()
}

impl PageContext {
    /// The value that was typed into a field of the failed form, or of a form before a login.
    pub fn typed(&self, field: &str) -> String {
        let values = self
            .failed_form
            .as_ref()
            .map_or(&self.typed_before_login, |form| &form.values);
        values.get(field).cloned().unwrap_or_default()
    }

    /// The value of a hidden field, from the failed form or else from the query.
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

    /// The provider that identities are linked at.
    pub fn provider(&self) -> Option<&ProviderButton> {
        self.providers.first()
    }

    /// The login that the failed form needs.
    pub fn login_url(&self) -> Option<&str> {
        self.failed_form.as_ref()?.login_url.as_deref()
    }

    pub fn has_error(&self) -> bool {
        self.failed_form.is_some()
    }

    /// The error of the failed form and the element that shows it.
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
