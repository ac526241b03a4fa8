use sea_orm::entity::prelude::*;

/// Somebody's account at an OpenID provider. The pair of issuer and subject is unique, and the only thing that identifies it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identity")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    /// To the byte as the provider publishes it.
    pub issuer: String,
    pub subject: String,
    /// What the provider said at the last login; for people to recognise it by, never to find it by.
    pub email: Option<String>,
    /// Unix seconds.
    pub created_at: i64,
    pub last_login_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
