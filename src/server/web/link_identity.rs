//! Starts linking an identity. The request of the form is kept in an encrypted cookie that names
//! the session: a link to this route that an attacker puts into a browser starts nothing (SR-058).

use axum::{
    Extension,
    extract::{Request, State},
    http::header,
    response::{IntoResponse, Redirect, Response},
};

use super::{
    cookies::login_attempts::{self, LINK_REQUEST},
    middleware::authenticate::RequestAuth,
};
use crate::{
    app::paths,
    server::{
        AppState,
        flows::oidc::{self, AuthorizationRequest, CallbackError, LoginPurpose},
        web::render,
    },
};

/// Sends the browser to the provider, or back to the form where none was sent.
pub async fn start_linking(
    State(state): State<AppState>,
    Extension(auth): Extension<RequestAuth>,
    request: Request,
) -> Response {
    let asked = LINK_REQUEST.get(&state, request.headers());
    let connects = auth
        .current
        .as_ref()
        .and_then(|current| asked.filter(|asked| asked.is_of(current, state.clock.now())));
    let (Some(connects), Some(provider)) = (connects, state.providers.first()) else {
        return Redirect::to(paths::LINK_IDENTITY.path).into_response();
    };
    let wanted = AuthorizationRequest::new(provider, LoginPurpose::Link(connects));
    match oidc::start_login(&state, wanted).await {
        Ok(begun) => {
            let mut response = Redirect::to(&begun.url).into_response();
            let kept = login_attempts::set_login_attempt(&state, request.headers(), &begun.attempt);
            let cleared = LINK_REQUEST.clear(&state);
            response.headers_mut().extend(
                kept.into_iter()
                    .chain(cleared)
                    .map(|cookie| (header::SET_COOKIE, cookie)),
            );
            response
        }
        Err(error) => render::oidc_error_page(
            &state,
            &request.into_parts().0,
            CallbackError {
                is_linking: true,
                ..error.into()
            },
        ),
    }
}
