use sea_orm_migration::{prelude::*, schema::*};

/// People's accounts at the OpenID provider, and what ends with a login there.
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0002_identities"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_identity(manager).await?;
        create_spent(manager).await?;
        alter(manager, "account", ColumnDef::new("is_passwordless").boolean().not_null().default(false).to_owned()).await?;
        alter(manager, "session", ColumnDef::new("identity_id").uuid().null().to_owned()).await?;
        alter(manager, "session", ColumnDef::new("provider_session").string_len(255).null().to_owned()).await?;
        manager.create_index(Index::create().name("ix_session_identity_id").table("session").col("identity_id").to_owned()).await
    }
}

async fn create_identity(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut user =
        ForeignKey::create().name("identity_user_id_fkey").from("identity", "user_id").to("user", "id").on_delete(ForeignKeyAction::Cascade).to_owned();
    let table = Table::create()
        .table("identity")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(string_len("issuer", 512))
        .col(string_len("subject", 255))
        .col(string_len_null("email", 254))
        .col(big_integer("created_at"))
        .col(big_integer("last_login_at"))
        .foreign_key(&mut user)
        .to_owned();
    manager.create_table(table).await?;
    let unique = Index::create().name("ix_identity_issuer_subject").table("identity").col("issuer").col("subject").unique().to_owned();
    manager.create_index(unique).await?;
    manager.create_index(Index::create().name("ix_identity_user_id").table("identity").col("user_id").to_owned()).await
}

async fn create_spent(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create().table("spent").col(string_len("id", 64).primary_key()).col(big_integer("expires_at")).to_owned();
    manager.create_table(table).await
}

/// One column at a time: SQLite takes no more.
async fn alter(manager: &SchemaManager<'_>, table: &'static str, mut column: ColumnDef) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(table).add_column(&mut column).to_owned()).await
}
