use std::sync::LazyLock;

use uuid::Uuid;

use super::devices::Device;
use crate::domain::GrantSource;

static CLI: LazyLock<ClientInfo> = LazyLock::new(|| ClientInfo {
    rate_limit_key: GrantSource::Shell.name().to_owned(),
    ..ClientInfo::default()
});

/// The client that sent a request.
#[derive(Clone, Debug, Default)]
pub struct ClientInfo {
    /// The client's IPv4 address or IPv6 /64. Rate limits count by it, and log and sessions show
    /// it.
    pub rate_limit_key: String,
    /// The `User-Agent` header, at most 255 characters.
    pub user_agent: String,
    /// The id of the request in the log and on error pages.
    pub request_id: String,
    /// The live session whose cookie came with the request. It is revoked when a new one starts, so
    /// that nothing set before a login survives it (SR-094).
    pub presented_session: Option<Uuid>,
    /// The devices in the cookies of a request that may log in (SR-269).
    pub devices: Vec<Device>,
}

impl ClientInfo {
    /// The operator on the command line.
    pub fn cli() -> &'static Self {
        &CLI
    }

    /// The client that caused a queued mail: only its address was stored.
    pub(super) fn of_mail(rate_limit_key: &str) -> Self {
        Self {
            rate_limit_key: rate_limit_key.to_owned(),
            ..Self::default()
        }
    }
}
