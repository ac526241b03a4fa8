use axum::{
    Extension, Json,
    response::{IntoResponse, Response},
};

use super::wire;
use crate::server::http::visitor::Visitor;

/// `GET /users/me`: who is asking, approved or not.
pub async fn me(Extension(visitor): Extension<Visitor>) -> Response {
    match visitor.current_user() {
        Ok(current) => Json(wire::UserBody::from(current.user())).into_response(),
        Err(error) => wire::failure(error),
    }
}
