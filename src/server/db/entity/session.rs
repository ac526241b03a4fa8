use sea_orm::entity::prelude::*;

/// One signed-in browser. The token in its cookie names this row; no live row, no session.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    /// 128 random bits; worth nothing without a signature around it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    /// When the person logged in, Unix seconds.
    pub created_at: i64,
    pub expires_at: i64,
    /// When it was ended by a person before its time.
    pub ended_at: Option<i64>,
    /// `password`, `oidc` or `setup`.
    pub method: String,
    /// Where the login came from: an IPv4 address or an IPv6 /64.
    pub network: String,
    /// The browser's own words, cut to 255 characters.
    pub user_agent: String,
    /// The account at the provider through which the person came in.
    pub identity_id: Option<Uuid>,
    /// The provider's own session (`sid`), for back-channel logout.
    pub provider_session: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
