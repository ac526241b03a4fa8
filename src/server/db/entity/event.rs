use sea_orm::entity::prelude::*;

/// Something that has happened (SR-180). No secrets, and nothing that somebody has typed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    /// In the order of happening.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Unix seconds.
    pub at: i64,
    pub kind: String,
    /// Whose account it is about; it may be gone by now.
    pub user_id: Option<Uuid>,
    /// Who did it, where that was somebody else.
    pub actor_id: Option<Uuid>,
    /// How: `password`, `oidc`, `setup`, `shell`, the kind of a mail; empty where there is nothing to say.
    pub method: String,
    /// Where from; `-` where the operator wants no addresses.
    pub network: String,
    /// The number of the request, as the person was told it.
    pub reference: String,
    /// A stable word, or the reason in the words of an operator.
    pub detail: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
