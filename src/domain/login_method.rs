use strum::{EnumString, IntoStaticStr};

/// How a session began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum LoginMethod {
    Password,
    /// Through the OpenID provider.
    Oidc,
    /// With the setup link, as the first administrator.
    Setup,
}

impl LoginMethod {
    /// The value in the database and in the log.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
