use sea_orm::entity::prelude::*;

/// Failed attempts of one key: an account, or a network.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "throttle")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    pub failures: i32,
    /// Unix seconds: end of a network's window, or the time before which an account's next attempt is refused.
    pub until: i64,
    /// Unix seconds of the latest attempt, for purging.
    pub last_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
