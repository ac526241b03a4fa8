use axum::{
    Extension, Json,
    extract::{Path, Request, State, rejection::PathRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use uuid::Uuid;

use super::{
    patch, shapes,
    wire::{self, UserBody},
};
use crate::{
    domain::{AuthError, Event},
    server::{
        AppState,
        flows::{
            account,
            events::{self, Note},
            sessions::Admin,
            users,
        },
        http::visitor::Visitor,
    },
};

type Id = Result<Path<String>, PathRejection>;

/// Who is asking, approved or not.
#[utoipa::path(
    get,
    path = "/api/v1/users/me",
    responses(
        (status = 200, description = "Whoever is asking", body = UserBody),
        shapes::ForUsers,
        shapes::Stored
    ),
    security(("cookie" = []), ("bearer" = []))
)]
pub async fn me(request: Request) -> Response {
    // Looked at and not copied: this is the session check of MediaManager's frontend.
    let visitor = request.extensions().get::<Visitor>();
    match visitor.ok_or(AuthError::NotLoggedIn).and_then(Visitor::current_user) {
        Ok(current) => Json(UserBody::from(current.user())).into_response(),
        Err(error) => wire::failure(error),
    }
}

/// Changes one's own address or password, and nothing else (SR-141, SR-142). Another address takes effect when the mail is answered, so
/// the user comes back with the present one.
#[utoipa::path(
    patch,
    path = "/api/v1/users/me",
    request_body = shapes::ChangeMe,
    responses(
        (status = 200, description = "Oneself, as it is now", body = UserBody),
        (status = 400, description = "The password cannot be used, or the present one is wrong", body = shapes::Refused),
        shapes::ForUsers,
        (status = 403, description = "The login is too old, the address is for an administrator to change, or the request was made by another site", body = shapes::Refused),
        (status = 409, description = "The address is `null`", body = shapes::Refused),
        shapes::WithBody,
        shapes::Throttled,
        shapes::Stored
    ),
    security(("cookie" = []), ("bearer" = []))
)]
pub async fn change_me(State(state): State<AppState>, Extension(visitor): Extension<Visitor>, request: Request) -> Response {
    let body = match wire::read_object(request).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let current = match visitor.current_user() {
        Ok(current) => current,
        Err(error) => return wire::failure(error),
    };
    let change = match patch::own(&body) {
        Ok(change) => change,
        Err(unfit) => return unfit.into(),
    };
    match account::change(&state, current, change, &visitor.origin).await {
        Ok(()) => Json(UserBody::from(current.user())).into_response(),
        Err(error) => patch::refused(error),
    }
}

/// Nobody deletes themselves here: `me` is read as the id of nobody, as in the original. The account page does it.
#[utoipa::path(
    delete,
    path = "/api/v1/users/me",
    responses(
        shapes::ForAdministrators,
        shapes::NotFound
    ),
    security(("cookie" = []), ("bearer" = []))
)]
pub async fn delete_me(State(state): State<AppState>, Extension(visitor): Extension<Visitor>) -> Response {
    wire::failure(admin(&state, &visitor).err().unwrap_or(AuthError::NotFound))
}

/// Everybody, for approved administrators. Not paged: MediaManager's frontend asks once and shows all.
#[utoipa::path(
    get,
    path = "/api/v1/users/all",
    responses(
        (status = 200, description = "Everybody", body = Vec<UserBody>),
        shapes::ForAdministrators,
        shapes::Stored
    ),
    security(("cookie" = []), ("bearer" = []))
)]
pub async fn all(State(state): State<AppState>, Extension(visitor): Extension<Visitor>) -> Response {
    let admin = match admin(&state, &visitor) {
        Ok(admin) if admin.user().is_verified => admin,
        Ok(_) => return wire::failure(AuthError::Forbidden),
        Err(error) => return wire::failure(error),
    };
    match users::everybody(&state, &admin).await {
        Ok(users) => Json(users.iter().map(UserBody::from).collect::<Vec<_>>()).into_response(),
        Err(error) => wire::failure(error),
    }
}

/// One user, for administrators.
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}",
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, description = "The user", body = UserBody),
        shapes::ForAdministrators,
        shapes::NotFound,
        shapes::Stored
    ),
    security(("cookie" = []), ("bearer" = []))
)]
pub async fn one(State(state): State<AppState>, Extension(visitor): Extension<Visitor>, id: Id) -> Response {
    let admin = match admin(&state, &visitor) {
        Ok(admin) => admin,
        Err(error) => return wire::failure(error),
    };
    let Some(id) = parse(id) else { return wire::failure(AuthError::NotFound) };
    match users::find(&state, &admin, id).await {
        Ok(user) => Json(UserBody::from(&user)).into_response(),
        Err(error) => wire::failure(error),
    }
}

/// Changes a user, all of it or nothing. The last active administrator stays one (SR-144).
#[utoipa::path(
    patch,
    path = "/api/v1/users/{id}",
    params(("id" = Uuid, Path)),
    request_body = shapes::ChangeUser,
    responses(
        (status = 200, description = "The user, changed", body = UserBody),
        (status = 400, description = "The address or the password cannot be used, or the present one is wrong", body = shapes::Refused),
        shapes::ForAdministrators,
        shapes::NotFound,
        (status = 409, description = "This is the last active administrator, or something is `null` that cannot be", body = shapes::Refused),
        shapes::WithBody,
        shapes::Throttled,
        shapes::Stored
    ),
    security(("cookie" = []), ("bearer" = []))
)]
pub async fn change_one(State(state): State<AppState>, Extension(visitor): Extension<Visitor>, id: Id, request: Request) -> Response {
    let body = match wire::read_object(request).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let admin = match admin(&state, &visitor) {
        Ok(admin) => admin,
        Err(error) => return wire::failure(error),
    };
    let Some(id) = parse(id) else { return wire::failure(AuthError::NotFound) };
    if let Err(error) = users::find(&state, &admin, id).await {
        return wire::failure(error);
    }
    let change = match patch::of_user(&body) {
        Ok(change) => change,
        Err(unfit) => return unfit.into(),
    };
    match users::update(&state, &admin, id, change, &visitor.origin).await {
        Ok(user) => Json(UserBody::from(&user)).into_response(),
        Err(error) => patch::refused(error),
    }
}

/// Deletes a user and everything that belongs to them (SR-145).
#[utoipa::path(
    delete,
    path = "/api/v1/users/{id}",
    params(("id" = Uuid, Path)),
    responses(
        (status = 204, description = "They are gone"),
        shapes::ForAdministrators,
        shapes::NotFound,
        (status = 409, description = "This is the last active administrator", body = shapes::Refused),
        shapes::Stored
    ),
    security(("cookie" = []), ("bearer" = []))
)]
pub async fn delete_one(State(state): State<AppState>, Extension(visitor): Extension<Visitor>, id: Id) -> Response {
    let admin = match admin(&state, &visitor) {
        Ok(admin) => admin,
        Err(error) => return wire::failure(error),
    };
    let Some(id) = parse(id) else { return wire::failure(AuthError::NotFound) };
    match users::delete(&state, &admin, id, &visitor.origin).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => patch::refused(error),
    }
}

/// The administrator who is asking. Refusals are logged (SR-140), as a line only: MediaManager's frontend asks for the list on behalf of
/// everybody who opens its settings.
fn admin(state: &AppState, visitor: &Visitor) -> Result<Admin, AuthError> {
    let current = visitor.current_user()?;
    current.as_admin().inspect_err(|_| events::log(state, Event::AccessRefused, &visitor.origin, Note::of(current.user().id)))
}

/// In any spelling that the original takes: without hyphens, in braces, as a URN.
fn parse(id: Id) -> Option<Uuid> {
    id.ok().and_then(|Path(text)| Uuid::parse_str(&text).ok())
}
