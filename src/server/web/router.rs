use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    handler::Handler,
    http::{HeaderValue, Method, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Redirect, Response},
    routing::{any_service, get},
};
use leptos::prelude::provide_context;
use tower::Layer;
use tower_http::cors::CorsLayer;
use tracing::Instrument;

use super::{
    form_data, form_fallback,
    pages::{account, login, users},
    render,
};
use crate::{
    app::paths::{self, Page},
    domain::AuthError,
    server::{
        AppState,
        telemetry::metrics,
        web::{
            api, health, link_identity,
            middleware::{
                authenticate, csrf,
                request_limits::{self, RequestSnapshot},
                security_headers::{self, RequestIds},
            },
            oidc_callback, static_files,
        },
    },
};

const ICON: &str = "/favicon.svg";
const LIVE: &str = "/livez";
const READY: &str = "/readyz";

/// All routes of the program.
pub fn router(state: AppState) -> Router {
    let routes = Router::new()
        .merge(page_routes(&state))
        // With its own fallback; otherwise a preflight to a route without OPTIONS would not reach
        // the CORS layer.
        .merge(with_cors(
            &state,
            api::routes().method_not_allowed_fallback(method_not_allowed),
        ))
        .route("/pkg/{file}", get(static_files::package))
        .route(ICON, get(static_files::icon))
        .route(LIVE, get(health::live))
        .route(READY, get(health::ready))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed);
    with_middleware(state, routes)
}

/// Adds the middleware that every request passes. It wraps the whole router, because axum allocates
/// twice per request for every layer of a route.
pub fn with_middleware(state: AppState, routes: Router<AppState>) -> Router {
    let is_measured = state.config.server.metrics_address.is_some();
    let routes = if is_measured {
        routes.layer(from_fn(metrics::record_route))
    } else {
        routes
    };
    let service = (
        from_fn_with_state(state.clone(), handle_request),
        DefaultBodyLimit::max(request_limits::MAX_BODY_BYTES),
    )
        .layer(routes.with_state(state));
    let router = Router::new().fallback_service(service);
    if is_measured {
        router.layer(from_fn(metrics::measure))
    } else {
        router
    }
}

/// Builds the page routes. Every route needs a [`Page`] and thus an access rule, which
/// `access::run` enforces.
struct Pages<'a> {
    state: &'a AppState,
    router: Router<AppState>,
}

impl Pages<'_> {
    /// Adds a page: GET renders it, and POST runs the server function with the same path, if there
    /// is one.
    fn page<T: 'static>(self, page: &'static Page, show: impl Handler<T, AppState>) -> Self {
        let is_form = ::leptos::server_fn::axum::server_fn_paths()
            .any(|(path, method)| path == page.path && method == Method::POST);
        let methods = if is_form {
            get(show).post(run_server_fn)
        } else {
            get(show)
        };
        // One service for all methods, because `handle_form` reruns a failed form as GET.
        let service = any_service(
            methods
                .fallback(method_not_allowed)
                .with_state(self.state.clone()),
        );
        Self {
            router: self.router.route(page.path, service),
            ..self
        }
    }

    fn into_router(self) -> Router<AppState> {
        self.router.layer(from_fn_with_state(
            self.state.clone(),
            form_fallback::handle_form,
        ))
    }
}

fn page_routes(state: &AppState) -> Router<AppState> {
    Pages {
        state,
        router: Router::new(),
    }
    .page(&paths::INDEX, login::index)
    .page(&paths::LOGIN, login::show)
    .page(&paths::LOGOUT, login::logout)
    .page(&paths::SIGNUP, login::signup)
    .page(&paths::SETUP, login::setup)
    .page(&paths::FORGOT_PASSWORD, login::forgot_password)
    .page(&paths::RESET_PASSWORD, login::reset_password)
    .page(&paths::OIDC_START, run_server_fn)
    .page(&paths::OIDC_ERROR, login::oidc_error)
    .page(&paths::CONFIRM_LINK, login::confirm_link)
    .page(&paths::PENDING_APPROVAL, login::pending_approval)
    .page(&paths::CHANGE_PASSWORD_URL, || async {
        Redirect::to(paths::ACCOUNT.path)
    })
    .page(&paths::ACCOUNT, account::show)
    .page(&paths::VERIFY_EMAIL, account::verify_email)
    .page(&paths::CHANGE_EMAIL, account::change_email)
    .page(&paths::CONFIRM_EMAIL, account::confirm_email)
    .page(&paths::PASSWORD, account::password)
    .page(&paths::LINK_IDENTITY, account::link_identity)
    .page(&paths::LINK_REDIRECT, account::link_redirect)
    .page(&paths::LINK_START, link_identity::start_linking)
    .page(&paths::UNLINK_IDENTITY, account::unlink_identity)
    .page(&paths::DELETE_ACCOUNT, account::delete)
    .page(&paths::REAUTHENTICATE, account::reauthenticate)
    .page(&paths::USERS, users::list)
    .page(&paths::USER, users::details)
    .page(&paths::NEW_USER, users::new)
    .page(&paths::USER_ACTION, users::action)
    .page(&paths::USER_EMAIL, users::email)
    .page(&paths::RESET_LINK, users::reset_link)
    .page(&paths::AUDIT_LOG, users::audit_log)
    .page(&paths::DIAGNOSTICS, users::diagnostics)
    .page(&paths::LEGACY_LOGIN, || async {
        Redirect::to(paths::LOGIN.path)
    })
    .page(&paths::LEGACY_LOGIN_PAGE, login::redirect_legacy_path)
    .page(&paths::LEGACY_RESET_PASSWORD, login::redirect_legacy_reset)
    .into_router()
}

/// Runs the server function that leptos_axum finds for the path.
async fn run_server_fn(State(state): State<AppState>, request: Request) -> Response {
    leptos_axum::handle_server_fns_with_context(move || provide_context(state.clone()), request)
        .await
        .into_response()
}

/// Runs the checks every request must pass. They are called in sequence inside one layer, because
/// each axum `from_fn` layer clones the inner service and allocates twice per request.
fn handle_request(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> impl Future<Output = Response> {
    let ids = Arc::new(RequestIds::from_headers(request.headers()));
    request.extensions_mut().insert(Arc::clone(&ids));
    // An error-level span, so that the request id is attached to log lines at every configured
    // level.
    let span = tracing::error_span!(
        "request",
        request_id = ids.request_id,
        correlation_id = ids.correlation_id,
        method = request.method().as_str(),
        path = request.uri().path()
    );
    let snapshot = RequestSnapshot::new(&request, &ids);
    let checks_state = state.clone();
    // Boxed to keep the surrounding futures small.
    let work = Box::pin(async move {
        match run_checks(&checks_state, &mut request).await {
            Ok(()) => next.run(request).await,
            Err(response) => response,
        }
    });
    async move {
        let mut response = request_limits::catch_panic_and_timeout(&state, snapshot, work)
            .instrument(span)
            .await;
        security_headers::add_security_headers(&state, &ids, response.headers_mut());
        response
    }
}

/// Runs the checks and stores the authentication in the request's extensions. `Err` is the response
/// to send.
async fn run_checks(state: &AppState, request: &mut Request) -> Result<(), Response> {
    request_limits::enforce(state, request).await?;
    csrf::reject_cross_site(state, request).await?;
    if skips_authentication(request.uri().path()) {
        Ok(())
    } else {
        authenticate::authenticate(state, request).await
    }
}

/// Static files and health checks are the same for everyone and must work without the database.
fn skips_authentication(path: &str) -> bool {
    path.starts_with("/pkg/") || [ICON, LIVE, READY].contains(&path)
}

/// Allows exactly the configured foreign origins: none by default, never all (SR-114).
fn with_cors(state: &AppState, routes: Router<AppState>) -> Router<AppState> {
    let origins: Vec<HeaderValue> = state
        .config
        .misc
        .cors_urls
        .iter()
        .filter_map(|origin| origin.parse().ok())
        .collect();
    if origins.is_empty() {
        return routes;
    }
    routes.layer(
        CorsLayer::new()
            .allow_origin(origins)
            .allow_credentials(true)
            .allow_methods([
                Method::GET,
                Method::PUT,
                Method::POST,
                Method::DELETE,
                Method::PATCH,
                Method::HEAD,
                Method::OPTIONS,
            ])
            .allow_headers([
                header::ACCEPT,
                header::ACCEPT_LANGUAGE,
                header::CONTENT_LANGUAGE,
                header::CONTENT_TYPE,
            ]),
    )
}

/// Redirects a page path with a trailing slash, as MediaManager's frontend writes it. Forms are not
/// redirected (SR-025).
async fn not_found(State(state): State<AppState>, request: Request) -> Response {
    let is_navigation = matches!(*request.method(), Method::GET | Method::HEAD);
    match request
        .uri()
        .path()
        .strip_suffix('/')
        .filter(|path| is_navigation && allows_trailing_slash(path))
    {
        Some(path) => Redirect::to(&form_data::with_query(path, request.uri())).into_response(),
        None => oidc_callback::not_found(&state, request).await,
    }
}

/// Every page except setup, whose token must not appear in a redirect.
fn allows_trailing_slash(path: &str) -> bool {
    paths::find(path).is_some_and(|page| *page != paths::SETUP)
}

async fn method_not_allowed(State(state): State<AppState>, request: Request) -> Response {
    render::error_response(&state, request, AuthError::MethodNotAllowed).await
}
