use sea_orm::entity::prelude::*;

/// What MediaManager's `user` has no column for. A user without this row is one that MediaManager made.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// Unix seconds.
    pub created_at: i64,
    /// When it was proven that the address belongs to the person; not the same as being approved.
    pub email_proven_at: Option<i64>,
    pub last_login_at: Option<i64>,
    /// Nobody knows the password: the account was made by a provider's login, or its password was void.
    pub is_passwordless: bool,
    /// When and by whom the person was let in; unknown when MediaManager did it.
    pub approved_at: Option<i64>,
    /// The id of an administrator, or `setup`, `shell`, `provider`, `admin_emails`.
    pub approved_by: Option<String>,
    /// When and by whom the person was made an administrator.
    pub admin_at: Option<i64>,
    pub admin_by: Option<String>,
    /// How often all links of the account were made void (SR-046).
    pub links_voided: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
