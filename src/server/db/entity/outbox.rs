use sea_orm::entity::prelude::*;

/// A mail that waits. What it says is made when it is sent: a token is never stored (SR-042), and whoever has been disabled or deleted
/// meanwhile gets none.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    /// As somebody typed it, or of an account; the mail goes to the account's, unless `user_id` says whose business another address is.
    pub address: String,
    pub user_id: Option<Uuid>,
    /// Where the request came from, for the notices that say so.
    pub network: String,
    /// Unix seconds.
    pub created_at: i64,
    pub due_at: i64,
    pub attempts: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
