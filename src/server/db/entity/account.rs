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
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
