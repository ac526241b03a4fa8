use sea_orm_migration::{prelude::*, schema::*};

/// Mail that waits to be sent, so that a restart loses none of it.
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0003_outbox"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("outbox")
            .col(uuid("id").primary_key())
            .col(string_len("kind", 32))
            .col(string_len("address", 320))
            .col(string_len("network", 64))
            .col(big_integer("created_at"))
            .col(big_integer("due_at"))
            .col(integer("attempts"))
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(Index::create().name("ix_outbox_due_at").table("outbox").col("due_at").to_owned()).await
    }
}
