use leptos::{prelude::*, server_fn::ServerFn};
use strum::{EnumString, IntoStaticStr};

use crate::{
    app::{page_context::page_context, paths, ui},
    domain::AuthError,
};

/// What an administrator can do to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Action {
    Approve,
    Disable,
    Enable,
    MakeAdministrator,
    MakeMember,
    EndSessions,
    EndSession,
    CreateResetLink,
    Delete,
}

impl Action {
    /// The word in forms and addresses.
    pub fn code(self) -> &'static str {
        self.into()
    }

    /// What the button says.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Approve => "Approve",
            Self::Disable => "Disable",
            Self::Enable => "Enable",
            Self::MakeAdministrator => "Make administrator",
            Self::MakeMember => "Make member",
            Self::EndSessions => "End all sessions",
            Self::EndSession => "End session",
            Self::CreateResetLink => "Make a link for a new password",
            Self::Delete => "Delete",
        }
    }

    /// What it means, for the page that asks before.
    fn meaning(self) -> &'static str {
        match self {
            Self::Approve => "They can use the application from now on.",
            Self::Disable => {
                "They are logged out everywhere and cannot log in until somebody enables the account again. Nothing is deleted."
            }
            Self::Enable => "They can log in again.",
            Self::MakeAdministrator => {
                "They can do everything here that you can, also to your account."
            }
            Self::MakeMember => {
                "They cannot manage users any more. It takes effect with their next click."
            }
            Self::EndSessions | Self::EndSession => "They have to log in again.",
            Self::CreateResetLink => {
                "You get a link to hand over, once. Whoever opens it chooses a new password for this account, and all its sessions end."
            }
            Self::Delete => {
                "The account and everything that belongs to it is deleted for good. Nobody can bring it back."
            }
        }
    }

    /// What is not easily undone.
    pub fn is_dangerous(self) -> bool {
        matches!(self, Self::Disable | Self::Delete)
    }
}

/// Whom a page is about.
#[derive(Clone)]
pub struct TargetUser {
    pub id: String,
    pub email: String,
    /// `admin_emails` has the address.
    pub is_listed: bool,
}

/// Does one thing to one user. Every rule is asked for again: this is a public endpoint (SR-002).
#[server(prefix = "", endpoint = "users/change")]
pub async fn update_user(
    #[server(default)] id: String,
    #[server(default)] action: String,
    #[server(default)] session: String,
) -> Result<(), AuthError> {
    use crate::app::notice::Notice;
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
            .parse::<Action>()
            .map_err(|_| AuthError::BadRequest)?,
    );
    let change = match action {
        Action::EndSessions => {
            return users::revoke_sessions(cx, &admin, id)
                .await
                .map(|()| server_fn::redirect_to_user(id, Notice::SessionsEnded));
        }
        Action::EndSession => {
            let session = session.parse().map_err(|_| AuthError::NotFound)?;
            return users::revoke_session(cx, &admin, id, session)
                .await
                .map(|()| server_fn::redirect_to_user(id, Notice::SessionEnded));
        }
        Action::Delete => {
            return users::delete_user(cx, &admin, id)
                .await
                .map(|()| server_fn::redirect(&paths::USERS, Notice::UserDeleted));
        }
        Action::CreateResetLink => {
            let link = users::create_reset_link(cx, &admin, id).await?;
            server_fn::store_one_time_link(&state, id, &link)?;
            server_fn::redirect_to(paths::RESET_LINK.path);
            return Ok(());
        }
        Action::Approve => UserUpdate {
            is_verified: Some(true),
            ..UserUpdate::default()
        },
        Action::Disable => UserUpdate {
            is_active: Some(false),
            ..UserUpdate::default()
        },
        Action::Enable => UserUpdate {
            is_active: Some(true),
            ..UserUpdate::default()
        },
        Action::MakeAdministrator => UserUpdate {
            is_superuser: Some(true),
            is_verified: Some(true),
            ..UserUpdate::default()
        },
        Action::MakeMember => UserUpdate {
            is_superuser: Some(false),
            ..UserUpdate::default()
        },
    };
    users::update_user(cx, &admin, id, change).await?;
    if action == Action::Approve {
        server_fn::redirect_to(&format!(
            "{}&notice={}",
            super::pending_url(),
            Notice::UserApproved.code()
        ));
    } else {
        server_fn::redirect_to_user(id, Notice::UserUpdated);
    }
    Ok(())
}

/// Gives somebody another address, on the administrator's word.
#[server(prefix = "", endpoint = "users/address")]
pub async fn update_user_email(
    #[server(default)] id: String,
    #[server(default)] email: String,
) -> Result<(), AuthError> {
    use crate::app::notice::Notice;
    use crate::{
        domain::Email,
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

/// `/users/change?id=…&action=…`: asks before something is done to somebody, on a page, so that it
/// works without script.
#[component]
pub fn ConfirmActionPage(user: TargetUser, action: Action) -> impl IntoView {
    let cx = page_context();
    let state = ui::FormState::new(cx.field_error());
    let title = format!("{}?", action.verb());
    let comes_back = (action == Action::MakeMember && user.is_listed).then(|| {
        view! { <p class="warning">"The address is in "<code>"auth.admin_emails"</code>": at the next login they are an administrator again. Take it out there first."</p> }
    });
    let TargetUser { id, email, .. } = user;
    let back = paths::user(&id);
    view! {
        <ui::Layout title=title.clone() has_error=cx.has_error()>
            <h1>{title}</h1>
            <p class="lead"><strong>{email}</strong>": "{action.meaning()}</p>
            {comes_back}
            <ui::PostForm action=format!("{}?id={}&action={}", UpdateUser::PATH, id, action.code())>
                <ui::FormError state/>
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="action" value=action.code()/>
                <button type="submit" class=if action.is_dangerous() { "danger" } else { "" }>{action.verb()}</button>
            </ui::PostForm>
            <p class="links"><a href=back>"Back"</a></p>
        </ui::Layout>
    }
    .into_any()
}

/// `/users/address?id=…`
#[component]
pub fn UserEmailPage(user: TargetUser) -> impl IntoView {
    let cx = page_context();
    let state = ui::FormState::new(cx.field_error());
    let (typed, back) = (cx.typed("email"), paths::user(&user.id));
    let TargetUser { id, email, .. } = user;
    view! {
        <ui::Layout title="Change e-mail" has_error=cx.has_error()>
            <h1>"Change e-mail"</h1>
            <p class="lead"><strong>{email}</strong>" logs in with the new address from now on. It counts as unproven until the person confirms it."</p>
            <ui::PostForm action=format!("{}?id={}", UpdateUserEmail::PATH, id)>
                <ui::FormError state/>
                <input type="hidden" name="id" value=id/>
                <ui::EmailField state value=typed is_fixed=false/>
                <button type="submit">"Change e-mail"</button>
            </ui::PostForm>
            <p class="links"><a href=back>"Back"</a></p>
        </ui::Layout>
    }
    .into_any()
}
