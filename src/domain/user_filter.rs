use strum::{EnumIter, EnumString, IntoStaticStr};

/// Restricts a list of users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum UserFilter {
    #[default]
    #[strum(serialize = "")]
    All,
    /// Active, but not approved.
    Pending,
    /// Active and approved.
    Active,
    Disabled,
    Administrators,
}

impl UserFilter {
    /// The value of the query parameter.
    pub fn code(self) -> &'static str {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::IntoEnumIterator;

    #[test]
    fn a_filter_is_read_back_from_its_code() {
        for filter in UserFilter::iter() {
            assert_eq!(filter.code().parse(), Ok(filter));
        }
        assert_eq!(UserFilter::All.code(), "");
    }
}
