use sea_orm_migration::{prelude::*, schema::*};

/// MediaManager's two tables, made only where MediaManager has not made them, and ours beside them.
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0001_first"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if !manager.has_table("user").await? {
            create_user(manager).await?;
        }
        if !manager.has_table("oauth_account").await? {
            create_oauth_account(manager).await?;
        }
        create_account(manager).await?;
        create_session(manager).await?;
        create_throttle(manager).await
    }
}

/// To the column and index what MediaManager's alembic scripts leave behind, so that one program reads both. (MediaManager itself
/// has to come first on a shared database: its first script makes the table and does not look whether it is there.)
async fn create_user(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("user")
        .col(uuid("id").primary_key())
        .col(string_len("email", 320))
        .col(string_len("hashed_password", 1024))
        .col(boolean("is_active"))
        .col(boolean("is_superuser"))
        .col(boolean("is_verified"))
        .to_owned();
    manager.create_table(table).await?;
    manager.create_index(Index::create().name("ix_user_email").table("user").col("email").unique().to_owned()).await
}

async fn create_oauth_account(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("oauth_account")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(string_len("oauth_name", 100))
        .col(string_len("access_token", 4096))
        .col(integer_null("expires_at"))
        .col(string_len_null("refresh_token", 4096))
        .col(string_len("account_id", 320))
        .col(string_len("account_email", 320))
        .foreign_key(to_user("oauth_account_user_id_fkey", "oauth_account").on_delete(ForeignKeyAction::Cascade))
        .to_owned();
    manager.create_table(table).await?;
    for column in ["account_id", "oauth_name"] {
        let name = format!("ix_oauth_account_{column}");
        manager.create_index(Index::create().name(name).table("oauth_account").col(column).to_owned()).await?;
    }
    Ok(())
}

async fn create_account(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("account")
        .col(uuid("user_id").primary_key())
        .col(big_integer("created_at"))
        .col(big_integer_null("email_proven_at"))
        .col(big_integer_null("last_login_at"))
        .foreign_key(to_user("account_user_id_fkey", "account").on_delete(ForeignKeyAction::Cascade))
        .to_owned();
    manager.create_table(table).await
}

async fn create_session(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("session")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(big_integer("created_at"))
        .col(big_integer("expires_at"))
        .col(big_integer_null("ended_at"))
        .col(string_len("method", 16))
        .col(string_len("network", 64))
        .col(string_len("user_agent", 255))
        .foreign_key(to_user("session_user_id_fkey", "session").on_delete(ForeignKeyAction::Cascade))
        .to_owned();
    manager.create_table(table).await?;
    manager.create_index(Index::create().name("ix_session_user_id").table("session").col("user_id").to_owned()).await?;
    manager.create_index(Index::create().name("ix_session_expires_at").table("session").col("expires_at").to_owned()).await
}

async fn create_throttle(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("throttle")
        .col(string_len("key", 400).primary_key())
        .col(integer("failures"))
        .col(big_integer("until"))
        .col(big_integer("last_at"))
        .to_owned();
    manager.create_table(table).await
}

fn to_user(name: &str, from: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().name(name).from(from, "user_id").to("user", "id").to_owned()
}
