use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{Uri, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::IntoView;

use super::render;
use crate::{
    app::page_context::PageContext,
    domain::AuthError,
    server::{AppState, flows::Ctx, web::middleware::authenticate::RequestAuth},
};

/// A request for a page and its context; the first argument of a page handler.
pub struct PageRequest {
    pub state: AppState,
    pub auth: RequestAuth,
    pub uri: Uri,
    pub context: Arc<PageContext>,
}

/// A rendered page, or the error page to show instead.
pub type PageResult = Result<Response, PageError>;

/// The error that prevents a page. `access::run` renders the error page with the context of the
/// request.
#[derive(Clone, Copy)]
pub struct PageError(pub AuthError);

impl From<AuthError> for PageError {
    fn from(error: AuthError) -> Self {
        Self(error)
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let mut response = render::status(self.0).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl PageRequest {
    /// The context for flows.
    pub fn ctx(&self) -> Ctx<'_> {
        self.auth.ctx(&self.state)
    }

    /// Renders a component with its properties.
    ///
    /// # Errors
    /// None; a `Result`, so that a handler can end with it.
    pub fn render<V: IntoView + 'static>(self, view: impl FnOnce() -> V) -> PageResult {
        Ok(render::page(self.context, view))
    }

    /// A query parameter without control characters: no valid value contains them, and PostgreSQL
    /// cannot compare NUL (SR-151).
    pub fn query(&self, name: &str) -> String {
        self.context
            .query
            .get(name)
            .map(|value| value.chars().filter(|c| !c.is_control()).collect())
            .unwrap_or_default()
    }

    /// The page number in a list, from 1. An invalid number is the first page.
    pub fn page_number(&self) -> u64 {
        self.query("page")
            .parse()
            .ok()
            .filter(|page| *page > 0)
            .unwrap_or(1)
    }
}

/// Redirects the browser to another page.
///
/// # Errors
/// None; a `Result`, so that a handler can end with it.
pub fn redirect(target: &str) -> PageResult {
    Ok(Redirect::to(target).into_response())
}

impl FromRequestParts<AppState> for PageRequest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self {
            state: state.clone(),
            auth: parts
                .extensions
                .get::<RequestAuth>()
                .cloned()
                .unwrap_or_default(),
            uri: parts.uri.clone(),
            context: parts
                .extensions
                .get::<Arc<PageContext>>()
                .cloned()
                .unwrap_or_default(),
        })
    }
}
