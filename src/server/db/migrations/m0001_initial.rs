use sea_orm_migration::{prelude::*, schema::*};

/// Creates our tables, and MediaManager's two where MediaManager has not created them.
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0001_initial"
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
        create_user_account(manager).await?;
        create_session(manager).await?;
        create_identity(manager).await?;
        create_rate_limit(manager).await?;
        create_used_token(manager).await?;
        create_outbox(manager).await?;
        create_event(manager).await
    }
}

/// Has the columns and indexes that MediaManager's Alembic scripts create, so that one program
/// reads both. On a shared database MediaManager must start first: its first script creates the
/// table without checking whether it exists.
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
    manager
        .create_index(
            Index::create()
                .name("ix_user_email")
                .table("user")
                .col("email")
                .unique()
                .to_owned(),
        )
        .await
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
        .foreign_key(&mut references_user("oauth_account"))
        .to_owned();
    manager.create_table(table).await?;
    create_indexes(manager, "oauth_account", &["account_id", "oauth_name"]).await
}

async fn create_user_account(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("auth_user_account")
        .col(uuid("user_id").primary_key())
        .col(big_integer("created_at"))
        .col(big_integer_null("email_verified_at"))
        .col(big_integer_null("last_login_at"))
        .col(boolean("is_passwordless").default(false))
        .col(big_integer_null("approved_at"))
        .col(string_len_null("approved_by", 40))
        .col(big_integer_null("admin_granted_at"))
        .col(string_len_null("admin_granted_by", 40))
        .col(integer("link_generation").default(0))
        .foreign_key(&mut references_user("auth_user_account"))
        .to_owned();
    manager.create_table(table).await
}

/// `identity_id` is not a foreign key: a session may outlive the identity that opened it.
async fn create_session(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("auth_session")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(big_integer("created_at"))
        .col(big_integer("expires_at"))
        .col(big_integer_null("ended_at"))
        .col(string_len("method", 32))
        .col(string_len("client_ip", 64))
        .col(string_len("user_agent", 255))
        .col(boolean("is_known_device").default(false))
        .col(uuid_null("identity_id"))
        .col(string_len_null("provider_sid", 255))
        .foreign_key(&mut references_user("auth_session"))
        .to_owned();
    manager.create_table(table).await?;
    create_index(manager, "auth_session", &["user_id", "created_at"]).await?;
    create_indexes(manager, "auth_session", &["expires_at", "identity_id"]).await
}

async fn create_identity(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("auth_identity")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(string_len("issuer", 512))
        .col(string_len("subject", 255))
        .col(string_len_null("email", 254))
        .col(big_integer("created_at"))
        .col(big_integer("last_login_at"))
        .foreign_key(&mut references_user("auth_identity"))
        .to_owned();
    manager.create_table(table).await?;
    let unique = Index::create()
        .name("ix_auth_identity_issuer_subject")
        .table("auth_identity")
        .col("issuer")
        .col("subject")
        .unique()
        .to_owned();
    manager.create_index(unique).await?;
    create_indexes(manager, "auth_identity", &["user_id"]).await
}

async fn create_rate_limit(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("auth_rate_limit")
        .col(string_len("key", 400).primary_key())
        .col(integer("failures"))
        .col(big_integer("blocked_until"))
        .col(big_integer("last_attempt_at"))
        .to_owned();
    manager.create_table(table).await
}

async fn create_used_token(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("auth_used_token")
        .col(string_len("id", 64).primary_key())
        .col(big_integer("expires_at"))
        .to_owned();
    manager.create_table(table).await
}

async fn create_outbox(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("auth_outbox")
        .col(uuid("id").primary_key())
        .col(string_len("kind", 32))
        .col(string_len("address", 320))
        .col(uuid_null("user_id"))
        .col(string_len("client_ip", 64))
        .col(big_integer("created_at"))
        .col(big_integer("next_attempt_at"))
        .col(integer("attempts"))
        .to_owned();
    manager.create_table(table).await?;
    create_indexes(manager, "auth_outbox", &["next_attempt_at"]).await
}

/// Has no foreign keys, because an event outlives the account that it is about.
async fn create_event(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("auth_event")
        .col(big_pk_auto("id"))
        .col(big_integer("occurred_at"))
        .col(string_len("kind", 32))
        .col(uuid_null("user_id"))
        .col(uuid_null("actor_id"))
        .col(string_len("method", 32))
        .col(string_len("client_ip", 64))
        .col(string_len("request_id", 64))
        .col(string_len("detail", 500))
        .to_owned();
    manager.create_table(table).await?;
    // For the audit log's purge, which goes by kind.
    create_index(manager, "auth_event", &["kind", "id"]).await?;
    create_index(manager, "auth_event", &["user_id", "kind"]).await?;
    create_indexes(manager, "auth_event", &["occurred_at", "request_id"]).await
}

/// One index for each column.
async fn create_indexes(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    for &column in columns {
        create_index(manager, table, &[column]).await?;
    }
    Ok(())
}

/// One index over all columns.
async fn create_index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    let mut index = Index::create()
        .name(format!("ix_{table}_{}", columns.join("_")))
        .table(table)
        .to_owned();
    for &column in columns {
        index.col(column);
    }
    manager.create_index(index).await
}

fn references_user(table: &'static str) -> ForeignKeyCreateStatement {
    let name = format!("{table}_user_id_fkey");
    ForeignKey::create()
        .name(name)
        .from(table, "user_id")
        .to("user", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}
