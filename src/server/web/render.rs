//! Components to responses: pages, error pages, and the JSON of a failed form.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::Request,
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{Html, IntoResponse, Response},
};
use leptos::{
    prelude::{IntoView, RenderHtml, provide_context},
    reactive::owner::Owner,
    view,
};

use crate::{
    app::{
        error_page::ErrorPage,
        oidc::{OidcErrorPage, OidcErrorPageProps, OidcLoginError},
        page_context::{
            AdminNotices, FailedForm, Features, PageContext, ProviderButton, Timestamp, Viewer,
        },
    },
    domain::{AuthError, oidc_error::OidcError},
    server::{
        AppState, clock,
        flows::{oidc::CallbackError, sessions::CurrentUser},
        oidc::Provider,
        web::{
            api, cookies,
            middleware::{authenticate::current_user, csrf, security_headers::RequestIds},
        },
    },
    text::en,
};

/// Renders a page in one go to one body: pages have no asynchronous parts, their data are
/// properties.
pub fn page<V: IntoView + 'static>(
    context: Arc<PageContext>,
    view: impl FnOnce() -> V,
) -> Response {
    let owner = Owner::new_root(None);
    let html = owner.with(|| {
        provide_context(context);
        view().into_view().to_html()
    });
    owner.cleanup();
    Html(html).into_response()
}

/// The context of every page. `pending_approvals` is shown to administrators.
pub fn page_context(state: &AppState, parts: &Parts, pending_approvals: u64) -> PageContext {
    let config = &state.config;
    let current = current_user(parts);
    let provider = state.providers.first();
    let ids = parts.extensions.get::<Arc<RequestIds>>();
    let query: BTreeMap<String, String> =
        form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
    PageContext {
        app_name: config.server.app_name.clone(),
        assets: state.assets.clone(),
        script_nonce: ids.map(|ids| ids.script_nonce.clone()).unwrap_or_default(),
        request_id: ids.map(|ids| ids.request_id.clone()).unwrap_or_default(),
        path_and_query: parts
            .uri
            .path_and_query()
            .map(ToString::to_string)
            .unwrap_or_default(),
        notice: cookies::notice::confirmed(
            state,
            &parts.headers,
            query.get("notice").map(String::as_str),
        ),
        query,
        viewer: current.map(|current| viewer(state, current)),
        failed_form: parts.extensions.get::<FailedForm>().cloned(),
        typed_before_login: BTreeMap::new(),
        providers: state.providers.iter().map(provider_button).collect(),
        password_min_length: config.policy.password_min_length,
        features: Features {
            signup: config.policy.registration,
            password_reset: config.auth.email_password_resets,
            mail: config.smtp.is_some(),
        },
        admin: current
            .and_then(|current| current.admin().ok())
            .map(|_| AdminNotices {
                warnings: config.warnings.clone(),
                redirect_uri: provider.map(|provider| provider.config().redirect_uri.clone()),
                pending_approvals,
            }),
    }
}

fn provider_button(provider: &Provider) -> ProviderButton {
    let name = &provider.config().name;
    ProviderButton {
        id: provider.config().id.clone(),
        name: name.clone(),
        last_error: provider
            .last_error()
            .map(|fault| en::oidc_error_message(fault.error, name)),
    }
}

fn viewer(state: &AppState, current: &CurrentUser) -> Viewer {
    let user = current.user();
    Viewer {
        email: user.email.clone(),
        form_account: state.tokens.form_account(user.id, current.session()),
        is_superuser: user.is_superuser,
        is_verified: user.is_verified,
        logged_in_at: timestamp(current.since()),
    }
}

/// A time in the two forms that pages need.
pub fn timestamp(at: i64) -> Timestamp {
    Timestamp {
        rfc3339: clock::format_rfc3339(at),
        human: clock::format_human(at),
    }
}

/// Answers a request that cannot be served: with the API's JSON, or with a page that explains the
/// error.
pub async fn error_response(state: &AppState, request: Request, error: AuthError) -> Response {
    error_for(state, &request.into_parts().0, error)
}

/// The same, from the head of the request.
pub fn error_for(state: &AppState, parts: &Parts, error: AuthError) -> Response {
    if api::is_api(parts.uri.path()) {
        return api::fastapi::failure(error);
    }
    match error {
        _ if accepts_html(&parts.headers) => error_page(state, parts, error),
        AuthError::AccountMismatch => account_mismatch(parts),
        _ => json_error(error),
    }
}

/// `AccountMismatch` for the script of a form. It names the account that is logged in now.
fn account_mismatch(parts: &Parts) -> Response {
    let error = AuthError::AccountMismatch;
    let current = current_user(parts);
    let message = current.map_or_else(
        || en::error_message(error),
        |current| en::account_mismatch(&current.user().email),
    );
    with_status(
        Json((error.place(), en::account_mismatch_in_place(&message))).into_response(),
        error,
    )
}

/// The page that explains an error, whatever the client accepts.
pub fn error_page(state: &AppState, parts: &Parts, error: AuthError) -> Response {
    let origins =
        csrf::claimed_origin(&parts.headers).map(|claimed| (claimed, state.config.origin()));
    let context = Arc::new(page_context(state, parts, 0));
    render_error(context, error, origins)
}

/// The same with an existing context.
pub fn error_page_with(context: Arc<PageContext>, error: AuthError) -> Response {
    render_error(context, error, None)
}

fn render_error(
    context: Arc<PageContext>,
    error: AuthError,
    origins: Option<(String, String)>,
) -> Response {
    let title = en::pages::error_page::title(error);
    let message = match (error, &context.viewer) {
        (AuthError::AccountMismatch, Some(viewer)) => en::account_mismatch(&viewer.email),
        _ => en::error_message(error),
    };
    with_status(
        page(
            context,
            move || view! { <ErrorPage error title message origins/> },
        ),
        error,
    )
}

/// The page that explains a failed login with the provider, whatever the client accepts.
pub fn oidc_error_page(state: &AppState, parts: &Parts, refused: CallbackError) -> Response {
    let code = refused.error;
    let provider = refused
        .provider
        .as_ref()
        .map_or_else(|| state.providers.first(), |id| state.providers.get(id));
    let provider_name = provider.map_or(en::UNNAMED_PROVIDER, |provider| {
        provider.config().name.as_str()
    });
    let error = OidcLoginError {
        code: code.code(),
        title: en::pages::oidc::error::title(code),
        message: en::oidc_error_message(code, provider_name),
        hint: en::oidc_error_hint(code),
        provider: provider
            .map(|provider| provider.config().id.clone())
            .filter(|id| {
                state
                    .providers
                    .first()
                    .is_none_or(|first| first.config().id != *id)
            }),
        provider_name: provider_name.to_owned(),
        provider_message: refused.provider_message,
        return_to: refused.return_to,
        is_linking: refused.is_linking,
        redirect_uri: provider
            .filter(|_| code == OidcError::WrongRedirectUri)
            .map(|provider| provider.config().redirect_uri.clone()),
        is_logged: refused.is_logged,
    };
    let context = Arc::new(page_context(state, parts, 0));
    let mut response = page(context, move || OidcErrorPage(OidcErrorPageProps { error }));
    *response.status_mut() = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::BAD_GATEWAY);
    if let Some(seconds) = code.retry_after() {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// An error for the script of a form: the element that shows it, and the sentence.
pub fn json_error(error: AuthError) -> Response {
    with_status(
        Json((error.place(), en::error_message(error))).into_response(),
        error,
    )
}

/// Gives a response the status of an error.
pub fn with_status(mut response: Response, error: AuthError) -> Response {
    *response.status_mut() = status(error);
    add_retry_after(response.headers_mut(), error);
    response
}

/// An error's HTTP status.
pub fn status(error: AuthError) -> StatusCode {
    StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Adds the time after which a rejected client may try again.
pub fn add_retry_after(headers: &mut HeaderMap, error: AuthError) {
    if let Some(seconds) = error.retry_after() {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
}

/// Whether the client accepts a page, as for a navigation or a form without script.
pub fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}
