use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    app::{page_context::page_context, paths, ui},
    domain::{AuthError, UserAction},
    islands::{FormError, FormState},
    text::en::pages::{
        links,
        users::actions::{self as text, email as email_text},
    },
};

/// The user that an action applies to.
#[derive(Clone)]
pub struct TargetUser {
    pub id: String,
    pub email: String,
    /// `auth.admin_emails` contains the address.
    pub is_listed: bool,
}

/// Performs one action on one user. It checks every permission itself, because it is a public
/// endpoint (SR-002).
#[server(prefix = "", endpoint = "users/change")]
pub async fn update_user(
    #[server(default)] id: String,
    #[server(default)] action: String,
    #[server(default)] session: String,
) -> Result<(), AuthError> {
    use crate::domain::Notice;
    use crate::server::{
        flows::users::{self, UserUpdate},
        web::server_fn,
    };
    let (state, auth) = server_fn::request()?;
    let admin = server_fn::admin(&auth)?;
    let cx = &auth.ctx(&state);
    let (id, action) = (
        id.parse().map_err(|_| AuthError::NotFound)?,
        action
            .parse::<UserAction>()
            .map_err(|_| AuthError::BadRequest)?,
    );
    let change = match action {
        UserAction::EndSessions => {
            return users::revoke_sessions(cx, &admin, id)
                .await
                .map(|()| server_fn::redirect_to_user(id, Notice::SessionsEnded));
        }
        UserAction::EndSession => {
            let session = session.parse().map_err(|_| AuthError::NotFound)?;
            return users::revoke_session(cx, &admin, id, session)
                .await
                .map(|()| server_fn::redirect_to_user(id, Notice::SessionEnded));
        }
        UserAction::Delete => {
            return users::delete_user(cx, &admin, id)
                .await
                .map(|()| server_fn::redirect(&paths::USERS, Notice::UserDeleted));
        }
        UserAction::CreateResetLink => {
            let link = users::create_reset_link(cx, &admin, id).await?;
            server_fn::store_one_time_link(&state, &admin, id, &link)?;
            server_fn::redirect_to(paths::RESET_LINK.path);
            return Ok(());
        }
        UserAction::Approve => UserUpdate {
            is_verified: Some(true),
            ..UserUpdate::default()
        },
        UserAction::Disable => UserUpdate {
            is_active: Some(false),
            ..UserUpdate::default()
        },
        UserAction::Enable => UserUpdate {
            is_active: Some(true),
            ..UserUpdate::default()
        },
        UserAction::MakeAdministrator => UserUpdate {
            is_superuser: Some(true),
            is_verified: Some(true),
            ..UserUpdate::default()
        },
        UserAction::MakeMember => UserUpdate {
            is_superuser: Some(false),
            ..UserUpdate::default()
        },
    };
    users::update_user(cx, &admin, id, change).await?;
    if action == UserAction::Approve {
        server_fn::redirect_with(&super::pending_url(), Notice::UserApproved);
    } else {
        server_fn::redirect_to_user(id, Notice::UserUpdated);
    }
    Ok(())
}

/// Changes a user's e-mail address without a verification of the new one.
#[server(prefix = "", endpoint = "users/address")]
pub async fn update_user_email(
    #[server(default)] id: String,
    #[server(default)] email: String,
) -> Result<(), AuthError> {
    use crate::{
        domain::{Email, Notice},
        server::{
            flows::users::{self, UserUpdate},
            web::server_fn,
        },
    };
    let (state, auth) = server_fn::request()?;
    let admin = server_fn::admin(&auth)?;
    let id = id.parse().map_err(|_| AuthError::NotFound)?;
    let change = UserUpdate {
        email: Some(Email::parse(&email)?),
        ..UserUpdate::default()
    };
    users::update_user(&auth.ctx(&state), &admin, id, change).await?;
    server_fn::redirect_to_user(id, Notice::UserUpdated);
    Ok(())
}

/// `/users/change?id=…&action=…`: asks for confirmation. It is a page, so that it works without
/// script.
#[component]
pub fn ConfirmActionPage(user: TargetUser, action: UserAction) -> impl IntoView {
    let cx = page_context();
    let state = FormState::new(cx.field_error());
    let comes_back = (action == UserAction::MakeMember && user.is_listed).then(|| {
        view! { <p class="warning">{text::STILL_LISTED}<code>"auth.admin_emails"</code>{text::ADMINISTRATOR_AGAIN}</p> }
    });
    let TargetUser { id, email, .. } = user;
    let back = paths::user(&id);
    view! {
        <ui::Layout title=text::title(action) has_error=cx.has_error()>
            <h1>{text::title(action)}</h1>
            <p class="lead"><strong>{email}</strong>": "{text::effect(action)}</p>
            {comes_back}
            <ui::PostForm action=format!("{}?id={}&action={}", UpdateUser::PATH, id, action.code())>
                <FormError state/>
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="action" value=action.code()/>
                <button type="submit" class=if action.is_dangerous() { "danger" } else { "" }>{text::action(action)}</button>
            </ui::PostForm>
            <p class="links"><a href=back>{links::BACK}</a></p>
        </ui::Layout>
    }
    .into_any()
}

/// `/users/address?id=…`
#[component]
pub fn UserEmailPage(user: TargetUser) -> impl IntoView {
    let cx = page_context();
    let state = FormState::new(cx.field_error());
    let (typed, back) = (cx.typed("email"), paths::user(&user.id));
    let TargetUser { id, email, .. } = user;
    view! {
        <ui::Layout title=email_text::TITLE has_error=cx.has_error()>
            <h1>{email_text::TITLE}</h1>
            <p class="lead"><strong>{email}</strong>{email_text::LEAD}</p>
            <ui::PostForm action=format!("{}?id={}", UpdateUserEmail::PATH, id)>
                <FormError state/>
                <input type="hidden" name="id" value=id/>
                <ui::NewEmailField value=typed is_own=false/>
                <button type="submit">{email_text::TITLE}</button>
            </ui::PostForm>
            <p class="links"><a href=back>{links::BACK}</a></p>
        </ui::Layout>
    }
    .into_any()
}
