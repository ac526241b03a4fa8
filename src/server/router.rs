use std::{mem, sync::Arc};

use axum::{
    Extension, Router,
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{HeaderValue, Method, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use leptos_axum::{LeptosRoutes, generate_route_list};
use tower::Layer;
use tower_http::cors::CorsLayer;
use tracing::Instrument;

use crate::{
    app::{App, account::connect::SET_OUT},
    domain::{AuthError, ReturnTo, return_to},
    server::{
        AppState, context,
        flows::{email_proof, mail, oidc::Refused},
        forms,
        http::{
            api, guard, handed_over, handshakes,
            headers::{self, Names},
            health,
            limits::{self, StandIn},
            mailed_link, provider_link, site,
            visitor::{self, Visitor},
        },
        metrics, pages,
        provider::Provider,
    },
};

const ICON: &str = "/favicon.svg";
const LIVE: &str = "/livez";
const READY: &str = "/readyz";

/// Every route.
pub fn router(state: AppState) -> Router {
    let routes = Router::new()
        .merge(page_routes(&state))
        // With its own fallback, or a preflight to a route without OPTIONS would miss the layer.
        .merge(with_cors(&state, api::routes().method_not_allowed_fallback(method_not_allowed)))
        .route("/pkg/{file}", get(site::package))
        .route(ICON, get(site::icon))
        .route(LIVE, get(health::live))
        .route(READY, get(health::ready))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed);
    behind_the_door(state, routes)
}

/// Routes with what stands in front of every one of them. Around the whole router and not around each route: layers of routes are boxes in
/// boxes, every one copied for every request.
pub fn behind_the_door(state: AppState, routes: Router<AppState>) -> Router {
    let is_measured = state.config.server.metrics_address.is_some();
    let routes = if is_measured { routes.layer(from_fn(metrics::note_route)) } else { routes };
    let service = (from_fn_with_state(state.clone(), door), DefaultBodyLimit::max(limits::BODY)).layer(routes.with_state(state));
    let router = Router::new().fallback_service(service);
    if is_measured { router.layer(from_fn(metrics::measure)) } else { router }
}

/// The pages with their server functions.
fn page_routes(state: &AppState) -> Router<AppState> {
    let routes = generate_route_list(App);
    Router::new()
        .leptos_routes_with_context(state, routes, context::provider(state.clone()), App)
        .layer(from_fn_with_state(state.clone(), page))
        .route("/", get(front_door))
        .route("/login/provider", get(provider_page))
        .route(SET_OUT, get(provider_link::set_out))
        .route("/web/login/reset-password", get(mailed_link::from_mediamanager))
        .route("/web/login", get(|| async { Redirect::to("/login") }))
        .route("/web/login/{page}", get(from_mediamanager))
        .route("/.well-known/change-password", get(|| async { Redirect::to("/account") }))
}

/// What every request passes. One layer with steps and not a layer for each: that would be a copy of all that is behind it, and two boxes.
fn door(State(state): State<AppState>, mut request: Request, next: Next) -> impl Future<Output = Response> {
    let names = Arc::new(Names::of(request.headers()));
    request.extensions_mut().insert(Arc::clone(&names));
    // Of the highest level, or a quieter log would lose the number that stands on the error page.
    let span = tracing::error_span!("request", reference = names.reference, method = request.method().as_str(), path = request.uri().path());
    let stand_in = StandIn::of(&request, &names);
    let for_work = state.clone();
    // In a box, or it would be copied as a whole into each of the futures around it.
    let work = Box::pin(async move {
        match admit(&for_work, &mut request).await {
            Ok(()) => next.run(request).await,
            Err(refusal) => refusal,
        }
    });
    async move {
        let mut response = limits::contain(&state, stand_in, work).instrument(span).await;
        headers::secure(&state, &names, response.headers_mut());
        response
    }
}

/// Puts the [`Visitor`] beside the request, or says why it gets no further.
async fn admit(state: &AppState, request: &mut Request) -> Result<(), Response> {
    limits::enforce(state, request).await?;
    guard::refuse_cross_site(state, request).await?;
    // Neither the files of the site nor the signs of life are about anybody, and they must not need the database.
    if is_impersonal(request.uri().path()) { Ok(()) } else { visitor::identify(state, request).await }
}

fn is_impersonal(path: &str) -> bool {
    path.starts_with("/pkg/") || [ICON, LIVE, READY].contains(&path)
}

/// What the pages and their forms pass.
async fn page(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let is_shown_once = request.uri().path() == handed_over::PAGE;
    if let Err(instead) = prepare(&state, &mut request).await {
        return instead;
    }
    let mut response = forms::answer(&state, request, next).await;
    response.headers_mut().extend(handed_over::forget(&state).filter(|_| is_shown_once).map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

/// Puts what a page shows beside its request, or says what takes its place.
async fn prepare(state: &AppState, request: &mut Request) -> Result<(), Response> {
    mailed_link::open(state, request).await?;
    detour(state, request).await?;
    pages::load(state, request).await
}

/// Foreign origins exactly as configured, none by default, never all (SR-114).
fn with_cors(state: &AppState, routes: Router<AppState>) -> Router<AppState> {
    let origins: Vec<HeaderValue> = state.config.misc.cors_urls.iter().filter_map(|origin| origin.parse().ok()).collect();
    if origins.is_empty() {
        return routes;
    }
    routes.layer(
        CorsLayer::new()
            .allow_origin(origins)
            .allow_credentials(true)
            .allow_methods([Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::PATCH, Method::HEAD, Method::OPTIONS])
            .allow_headers([header::ACCEPT, header::ACCEPT_LANGUAGE, header::CONTENT_LANGUAGE, header::CONTENT_TYPE]),
    )
}

async fn detour(state: &AppState, request: &mut Request) -> Result<(), Response> {
    let is_navigation = matches!(*request.method(), Method::GET | Method::HEAD);
    if is_navigation && request.uri().path() == "/login/connect" && handshakes::pending(state, request.headers()).is_none() {
        return Err(context::failure(state, mem::take(request), AuthError::ConnectionExpired).await);
    }
    let says_whether_proven = mail::is_on(state) && ["/login/verify", "/account"].contains(&request.uri().path());
    let current = request.extensions().get::<Visitor>().and_then(|visitor| visitor.current.as_ref()).filter(|_| says_whether_proven);
    if let Some(user) = current.map(|current| current.user().id) {
        match email_proof::is_due(state, user).await {
            Ok(true) => drop(request.extensions_mut().insert(context::Unproven)),
            Ok(false) => {}
            Err(error) => return Err(context::failure(state, mem::take(request), error).await),
        }
    }
    match context::detour(state, request).filter(|_| is_navigation) {
        Some(target) => Err(Redirect::to(&target).into_response()),
        None => Ok(()),
    }
}

/// `/login/provider`: the page of a trouble, with the reason in the log under its number while there is one, and gone when there
/// is none.
async fn provider_page(State(state): State<AppState>, request: Request) -> Response {
    match state.provider.as_ref().and_then(Provider::trouble) {
        Some(fault) => {
            fault.log();
            let refused = Refused { return_to: ReturnTo::parse(&context::return_to_of(request.uri())), ..fault.refusal.into() };
            context::refusal_page(&state, request.into_parts().0, refused).await
        }
        None => Redirect::to(&return_to::with_target("/login", &context::return_to_of(request.uri()))).into_response(),
    }
}

/// The pages of MediaManager's own frontend, which it leads people to without asking the server. Ours have the same names.
async fn from_mediamanager(State(state): State<AppState>, Path(page): Path<String>, request: Request) -> Response {
    match page.as_str() {
        "signup" | "forgot-password" | "verify" => Redirect::to(&format!("/login/{page}")).into_response(),
        _ => context::failure(&state, request, AuthError::NotFound).await,
    }
}

/// `/`: the front door for strangers, the landing page for everybody else. That page may be MediaManager's, which does not know ours.
async fn front_door(State(state): State<AppState>, Extension(visitor): Extension<Visitor>) -> Redirect {
    if visitor.current.is_some() { Redirect::to(&context::home(&state, &visitor)) } else { Redirect::to("/login") }
}

/// A page with a slash too many is forgiven to whoever only looks: MediaManager's frontend writes its addresses so. A form is not (SR-025).
async fn not_found(State(state): State<AppState>, request: Request) -> Response {
    let path = request.uri().path();
    let meant = path.strip_suffix('/').filter(|meant| matches!(*request.method(), Method::GET | Method::HEAD) && is_forgiven(meant));
    match meant {
        Some(meant) => Redirect::to(&forms::with_query(meant, request.uri())).into_response(),
        None => context::failure(&state, request, AuthError::NotFound).await,
    }
}

/// The pages that MediaManager's frontend knows, and ours beside them. No other path: a setup link stands in no redirect.
fn is_forgiven(path: &str) -> bool {
    let pages = ["/web/login", "/login", "/account", "/users"];
    !path.ends_with('/') && pages.iter().any(|page| path.strip_prefix(page).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

async fn method_not_allowed(State(state): State<AppState>, request: Request) -> Response {
    context::failure(&state, request, AuthError::MethodNotAllowed).await
}
