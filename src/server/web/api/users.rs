use axum::{
    Extension, Json,
    extract::{Path, Request, State, rejection::PathRejection},
    http::StatusCode,
};
use uuid::Uuid;

use super::{
    error::ApiError,
    fastapi::{JsonObject, UserBody},
    schema,
    user_update::{self, SelfUpdateBody, UserUpdateBody},
};
use crate::{
    domain::{AuditEvent, AuthError},
    server::{
        AppState,
        flows::{
            Ctx, account,
            events::{self, EventDetails},
            sessions::Admin,
            users,
        },
        web::middleware::authenticate::RequestAuth,
    },
};

type Id = Result<Path<String>, PathRejection>;

/// Who is asking, approved or not.
#[utoipa::path(
    get,
    path = "/api/v1/users/me",
    responses(
        (status = 200, description = "Whoever is asking", body = UserBody),
        schema::Unauthenticated401,
        schema::NeedsDatabase
    ),
    security(("cookie" = []), ("bearer" = []))
)]
pub async fn get_me(request: Request) -> Result<Json<UserBody>, ApiError> {
    // Borrowed, not cloned: MediaManager's frontend calls this route for every session check.
    let auth = request
        .extensions()
        .get::<RequestAuth>()
        .ok_or(AuthError::NotLoggedIn)?;
    Ok(Json(UserBody::from(auth.current_user()?.user())))
}

/// Changes one's own address or password, and nothing else (SR-141, SR-142). Another address takes
/// effect when the mail is answered, so the user comes back with the present one.
#[utoipa::path(
    patch,
    path = "/api/v1/users/me",
    request_body = SelfUpdateBody,
    responses(
        (status = 200, description = "Oneself, as it is now", body = UserBody),
        (status = 400, description = "The password cannot be used, or the present one is wrong", body = schema::Refused),
        schema::Unauthenticated401,
        (status = 403, description = "The login is too old, the address is for an administrator to change, or the request was made by another site", body = schema::Refused),
        (status = 409, description = "The address is `null`", body = schema::Refused),
        schema::HasBody,
        schema::RateLimited,
        schema::NeedsDatabase
    ),
    security(("cookie" = []), ("bearer" = []))
)]
pub async fn update_me(
    State(state): State<AppState>,
    Extension(auth): Extension<RequestAuth>,
    body: JsonObject,
) -> Result<Json<UserBody>, ApiError> {
    let current = auth.current_user()?;
    account::update_self(
        &auth.ctx(&state),
        current,
        SelfUpdateBody::try_from(body)?.into(),
    )
    .await
    .map_err(user_update::refused)?;
    Ok(Json(UserBody::from(current.user())))
}

/// Nobody deletes themselves here: `me` is read as the id of nobody, as in the original. The
/// account page does it.
#[utoipa::path(
    delete,
    path = "/api/v1/users/me",
    responses(
        schema::AdminOnly,
        schema::NotFound
    ),
    security(("cookie" = []), ("bearer" = []))
)]
pub async fn delete_me(
    State(state): State<AppState>,
    Extension(auth): Extension<RequestAuth>,
) -> Result<StatusCode, ApiError> {
    admin(&auth.ctx(&state), &auth)?;
    Err(AuthError::NotFound.into())
}

/// Everybody, for approved administrators. Not paged: MediaManager's frontend asks once and shows
/// all.
#[utoipa::path(
    get,
    path = "/api/v1/users/all",
    responses(
        (status = 200, description = "Everybody", body = Vec<UserBody>),
        schema::AdminOnly,
        schema::NeedsDatabase
    ),
    security(("cookie" = []), ("bearer" = []))
)]
pub async fn list_users(
    State(state): State<AppState>,
    Extension(auth): Extension<RequestAuth>,
) -> Result<Json<Vec<UserBody>>, ApiError> {
    let cx = auth.ctx(&state);
    let users = users::list_all(&cx, &admin(&cx, &auth)?).await?;
    Ok(Json(users.iter().map(UserBody::from).collect()))
}

/// One user, for administrators.
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}",
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, description = "The user", body = UserBody),
        schema::AdminOnly,
        schema::NotFound,
        schema::NeedsDatabase
    ),
    security(("cookie" = []), ("bearer" = []))
)]
pub async fn get_user(
    State(state): State<AppState>,
    Extension(auth): Extension<RequestAuth>,
    id: Id,
) -> Result<Json<UserBody>, ApiError> {
    let cx = auth.ctx(&state);
    let admin = admin(&cx, &auth)?;
    let user = users::find(&cx, &admin, parse(id)?).await?;
    Ok(Json(UserBody::from(&user)))
}

/// Changes a user, all of it or nothing. The last active administrator stays one (SR-144).
#[utoipa::path(
    patch,
    path = "/api/v1/users/{id}",
    params(("id" = Uuid, Path)),
    request_body = UserUpdateBody,
    responses(
        (status = 200, description = "The user, changed", body = UserBody),
        (status = 400, description = "The address or the password cannot be used, or the present one is wrong", body = schema::Refused),
        schema::AdminOnly,
        schema::NotFound,
        (status = 409, description = "This is the last active administrator, or something is `null` that cannot be", body = schema::Refused),
        schema::HasBody,
        schema::RateLimited,
        schema::NeedsDatabase
    ),
    security(("cookie" = []), ("bearer" = []))
)]
pub async fn update_user(
    State(state): State<AppState>,
    Extension(auth): Extension<RequestAuth>,
    id: Id,
    body: JsonObject,
) -> Result<Json<UserBody>, ApiError> {
    let cx = auth.ctx(&state);
    let admin = admin(&cx, &auth)?;
    let id = parse(id)?;
    users::find(&cx, &admin, id).await?;
    let change = UserUpdateBody::try_from(body)?.into();
    let user = users::update_user(&cx, &admin, id, change)
        .await
        .map_err(user_update::refused)?;
    Ok(Json(UserBody::from(&user)))
}

/// Deletes a user and everything that belongs to them (SR-145).
#[utoipa::path(
    delete,
    path = "/api/v1/users/{id}",
    params(("id" = Uuid, Path)),
    responses(
        (status = 204, description = "They are gone"),
        schema::AdminOnly,
        schema::NotFound,
        (status = 409, description = "This is the last active administrator", body = schema::Refused),
        schema::NeedsDatabase
    ),
    security(("cookie" = []), ("bearer" = []))
)]
pub async fn delete_user(
    State(state): State<AppState>,
    Extension(auth): Extension<RequestAuth>,
    id: Id,
) -> Result<StatusCode, ApiError> {
    let cx = auth.ctx(&state);
    let admin = admin(&cx, &auth)?;
    users::delete_user(&cx, &admin, parse(id)?)
        .await
        .map_err(user_update::refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The administrator who sends the request. Denied requests are only logged, without a database row
/// (SR-140): MediaManager's frontend requests the list for every user who opens its settings.
fn admin(cx: &Ctx<'_>, auth: &RequestAuth) -> Result<Admin, AuthError> {
    let current = auth.current_user()?;
    current.admin().inspect_err(|_| {
        events::log_event(
            cx,
            AuditEvent::AccessDenied,
            EventDetails::for_user(current.user().id),
        )
    })
}

/// Accepts every spelling that FastAPI accepts: without hyphens, in braces, as a URN.
fn parse(id: Id) -> Result<Uuid, AuthError> {
    let Path(text) = id.map_err(|_| AuthError::NotFound)?;
    Uuid::parse_str(&text).map_err(|_| AuthError::NotFound)
}
