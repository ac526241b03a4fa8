use sea_orm_migration::{prelude::*, schema::*};

/// What has happened, who granted what, and what voids links.
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0004_events"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_event(manager).await?;
        for (table, column) in [
            ("account", ColumnDef::new("approved_at").big_integer().null().to_owned()),
            ("account", ColumnDef::new("approved_by").string_len(40).null().to_owned()),
            ("account", ColumnDef::new("admin_at").big_integer().null().to_owned()),
            ("account", ColumnDef::new("admin_by").string_len(40).null().to_owned()),
            ("account", ColumnDef::new("links_voided").integer().not_null().default(0).to_owned()),
            ("outbox", ColumnDef::new("user_id").uuid().null().to_owned()),
        ] {
            alter(manager, table, column).await?;
        }
        Ok(())
    }
}

/// No foreign keys: what happened stays true when the account is gone.
async fn create_event(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("event")
        .col(big_pk_auto("id"))
        .col(big_integer("at"))
        .col(string_len("kind", 32))
        .col(uuid_null("user_id"))
        .col(uuid_null("actor_id"))
        .col(string_len("method", 16))
        .col(string_len("network", 64))
        .col(string_len("reference", 64))
        .col(string_len("detail", 500))
        .to_owned();
    manager.create_table(table).await?;
    for column in ["at", "kind", "user_id", "reference"] {
        manager.create_index(Index::create().name(format!("ix_event_{column}")).table("event").col(column).to_owned()).await?;
    }
    Ok(())
}

/// One column at a time: SQLite takes no more.
async fn alter(manager: &SchemaManager<'_>, table: &'static str, mut column: ColumnDef) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(table).add_column(&mut column).to_owned()).await
}
