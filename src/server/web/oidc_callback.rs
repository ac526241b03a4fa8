//! The redirect URIs, at MediaManager's two paths. They are routes of their own and not server
//! functions, because one path contains the configured name.

use axum::{
    Extension,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{Method, Uri, header, request::Parts},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};

use super::{
    api::error::ApiError,
    cookies::{
        id_token_hint,
        login_attempts::{self, PENDING_LINK},
        notice,
    },
    middleware::authenticate::RequestAuth,
};
use crate::{
    app::paths,
    domain::{AuthError, Notice, ProviderId, oidc_error::OidcError},
    server::{
        AppState,
        flows::{
            Ctx,
            login::Login,
            oidc::{self, Callback, CallbackError, CallbackOutcome, CallbackParams},
        },
        oidc::OidcFailure,
        web::{form_data, login_response, redirects, render},
    },
};

/// The parameters that are read; each may be given once (SR-056). All others are ignored, an ID
/// token among them.
const CALLBACK_PARAMS: [&str; 5] = ["code", "state", "iss", "error", "error_description"];
/// Far more than any provider's code has.
const MAX_CODE_BYTES: usize = 2048;

/// `GET /auth/cookie/{name}/callback`. The name is compared exactly.
#[utoipa::path(get, path = "/api/v1/auth/cookie/{name}/callback", params(("name" = String, Path), ("code" = Option<String>, Query), ("state" = Option<String>, Query), ("iss" = Option<String>, Query), ("error" = Option<String>, Query)), responses((status = 303, description = "Logged in"), (status = "4XX", description = "A page that says why not"), (status = "5XX", description = "A page that says why not")))]
pub async fn callback_by_name(
    State(state): State<AppState>,
    name: Result<Path<String>, PathRejection>,
    auth: Extension<RequestAuth>,
    request: Request,
) -> Result<Response, ApiError> {
    let Path(name) = name.map_err(|_| AuthError::NotFound)?;
    let Some(provider) = state.providers.by_name(&name) else {
        let page = wrong_redirect_uri(&state, &request.into_parts().0).await;
        return page.ok_or(AuthError::NotFound.into());
    };
    let provider = Some(provider.config().id.clone());
    Ok(handle_callback(state, auth.0, request, provider).await)
}

/// `GET /auth/oauth/callback`, for providers that are registered with MediaManager's newer address.
#[utoipa::path(get, path = "/api/v1/auth/oauth/callback", params(("code" = Option<String>, Query), ("state" = Option<String>, Query), ("iss" = Option<String>, Query), ("error" = Option<String>, Query)), responses((status = 303, description = "Logged in"), (status = "4XX", description = "A page that says why not"), (status = "5XX", description = "A page that says why not")))]
pub async fn callback(
    State(state): State<AppState>,
    auth: Extension<RequestAuth>,
    request: Request,
) -> Result<Response, ApiError> {
    if state.providers.is_empty() {
        return Err(AuthError::NotFound.into());
    }
    Ok(handle_callback(state, auth.0, request, None).await)
}

/// Answers a request for a path that does not exist.
pub async fn not_found(state: &AppState, request: Request) -> Response {
    let parts = request.into_parts().0;
    match wrong_redirect_uri(state, &parts).await {
        Some(page) => page,
        None => render::error_for(state, &parts, AuthError::NotFound),
    }
}

/// The page for a browser that a provider has sent to a path that does not exist here: the redirect
/// URI that is registered there differs from ours. `None` for every other request.
async fn wrong_redirect_uri(state: &AppState, parts: &Parts) -> Option<Response> {
    let provider = state.providers.first()?;
    let auth = parts.extensions.get::<RequestAuth>()?;
    let has = |name| form_data::parameter(&parts.uri, name).is_some();
    let path = parts.uri.path().trim_end_matches('/');
    let is_answer = parts.method == Method::GET
        && path.ends_with("/callback")
        && has("state")
        && (has("code") || has("error"))
        && render::accepts_html(&parts.headers);
    if !is_answer {
        return None;
    }
    let failure = oidc::wrong_redirect_uri(provider);
    let refused = oidc::record_failure(&auth.ctx(state), failure).await;
    Some(render::oidc_error_page(state, parts, refused))
}

/// `provider` is the one that the redirect URI names, if it names one: a response to an attempt
/// with another provider is refused (RFC 9700 §4.4.2).
async fn handle_callback(
    state: AppState,
    auth: RequestAuth,
    request: Request,
    provider: Option<ProviderId>,
) -> Response {
    // The router answers HEAD with GET's handler, and a link checker must not use up an attempt.
    if request.method() != Method::GET {
        return render::error_response(&state, request, AuthError::MethodNotAllowed).await;
    }
    let (parts, _) = request.into_parts();
    let (attempt, unset) =
        login_attempts::take_login_attempt(&state, &parts.headers, &state_param(&parts.uri));
    let answer = read_params(parts.uri.query().unwrap_or_default());
    let (cx, is_logged_in) = (auth.ctx(&state), auth.current.is_some());
    let attempt = attempt.filter(|attempt| {
        provider
            .as_ref()
            .is_none_or(|provider| attempt.provider == *provider)
    });
    let is_linking = attempt
        .as_ref()
        .is_some_and(|attempt| attempt.purpose.is_linking());
    let home = || Redirect::to(&redirects::landing_page(&state, &auth)).into_response();
    let answered = match (attempt, answer) {
        (Some(attempt), answer) => {
            let finished =
                oidc::finish_callback(&cx, auth.current.as_ref(), Callback { attempt, answer })
                    .await;
            finished.and_then(|outcome| log_in_browser(&cx, outcome))
        }
        (None, Err(failure)) => Err(oidc::record_failure(&cx, failure).await),
        (None, Ok(_)) if is_logged_in => Ok(home()),
        (None, Ok(_)) => {
            let failure = OidcFailure::new(
                OidcError::UnknownState,
                "this browser has no attempt with the state of the answer",
                "",
            );
            Err(oidc::record_failure(&cx, failure).await)
        }
    };
    let mut response = match answered {
        Ok(response) => response,
        // The page was reloaded, or opened with the Back button after a login, so the person is
        // logged in already (SR-057).
        Err(refused) if is_logged_in && !is_linking && refused.error == OidcError::UnknownState => {
            home()
        }
        Err(refused) => render::oidc_error_page(&state, &parts, refused),
    };
    response
        .headers_mut()
        .extend(unset.map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

/// The state of the attempt that ends now, also when the rest of the response cannot be read.
fn state_param(uri: &Uri) -> String {
    form_data::parameter(uri, "state").unwrap_or_default()
}

/// Reads the response strictly: it is refused where two parsers could read it differently.
fn read_params(query: &str) -> Result<CallbackParams, OidcFailure> {
    let fields =
        form_data::parse_fields(query.as_bytes()).map_err(|_| oidc::malformed_callback())?;
    let ours: Vec<(String, String)> = fields
        .into_iter()
        .filter(|(name, _)| CALLBACK_PARAMS.contains(&name.as_str()))
        .collect();
    form_data::reject_duplicates(&ours).map_err(|_| oidc::malformed_callback())?;
    let given = |wanted: &str| {
        ours.iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.clone())
    };
    let find = |wanted: &str| given(wanted).filter(|value| !value.is_empty());
    // An empty issuer is an issuer, and not the provider's (SR-054).
    let answer = CallbackParams {
        code: find("code"),
        issuer: given("iss"),
        error: find("error"),
        error_description: find("error_description"),
    };
    // Exactly one of the two must be given, and a code has visible ASCII characters and spaces only
    // (RFC 6749 §A.11).
    let is_code = |code: &String| {
        code.len() <= MAX_CODE_BYTES && code.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    };
    if answer.code.is_some() == answer.error.is_some() || !answer.code.as_ref().is_none_or(is_code)
    {
        Err(oidc::malformed_callback())
    } else {
        Ok(answer)
    }
}

fn log_in_browser(cx: &Ctx<'_>, outcome: CallbackOutcome) -> Result<Response, CallbackError> {
    let mut hint = None;
    let answer = match outcome {
        CallbackOutcome::Linked => {
            let notice = Notice::ProviderLinked;
            let cookie = notice::set(cx.state, notice).map(|cookie| [(header::SET_COOKIE, cookie)]);
            let page = Redirect::to(&notice.at(paths::ACCOUNT.path));
            return Ok((cookie.map(AppendHeaders), page).into_response());
        }
        CallbackOutcome::LoggedIn {
            login,
            return_to,
            id_token,
        } => {
            hint = match &login {
                Login::Complete(session) => id_token_hint::set(cx.state, session, id_token),
            };
            login_response::cookies_and_path(cx.state, cx.client, &login, return_to.as_ref()).ok()
        }
        CallbackOutcome::LinkRequired(pending) => PENDING_LINK
            .set(cx.state, &pending)
            .map(|cookie| (vec![cookie], paths::CONFIRM_LINK.path.to_owned())),
    };
    let (cookies, path) =
        answer.ok_or_else(|| CallbackError::from(OidcError::TemporarilyUnavailable))?;
    let cookies = cookies
        .into_iter()
        .chain(hint)
        .map(|cookie| (header::SET_COOKIE, cookie));
    Ok((AppendHeaders(cookies), Redirect::to(&path)).into_response())
}
