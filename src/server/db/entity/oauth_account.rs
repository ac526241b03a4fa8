use sea_orm::entity::prelude::*;

/// MediaManager's own link between a user and a provider. Read, to find people again; no row is ever written. Its tokens are not in
/// here, because nothing needs them.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    /// `auth.openid_connect.name` at the time.
    pub oauth_name: String,
    /// The provider's `sub`.
    pub account_id: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
