//! What the claims of a provider decide here: pure functions of the operator's rules, the claims
//! and what is known of the account (SR-070 to SR-073). The flows in `server::flows::oidc` look the
//! facts up and carry the decisions out.

use super::Email;

/// A person as the provider knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalUser {
    pub issuer: String,
    /// Unique at this issuer, never reused, and the only thing that identifies a person there
    /// (SR-070).
    pub subject: String,
    pub email: Option<String>,
    pub is_email_verified: bool,
    /// The provider's own session, for back-channel logout.
    pub session: Option<String>,
}

/// What the operator lets a provider decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProviderRules {
    /// `policy.openid_connect.trust_unverified_email`, default false: believe the provider's
    /// addresses although it does not say `email_verified` (SR-073).
    pub trust_unverified_email: bool,
}

/// What an external user gets here by the provider's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub email: Result<Email, UnusableEmail>,
    /// Whether the address counts as verified: the provider says so, or the operator says so for it
    /// (SR-073).
    pub is_email_trusted: bool,
}

/// Why the provider's address cannot be the address of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnusableEmail {
    Missing,
    Malformed,
}

/// What an external user gets here.
pub fn decide(rules: ProviderRules, user: &ExternalUser) -> Grant {
    let email = user.email.as_deref().ok_or(UnusableEmail::Missing);
    Grant {
        is_email_trusted: user.email.is_some()
            && (user.is_email_verified || rules.trust_unverified_email),
        email: email.and_then(|email| Email::parse(email).map_err(|_| UnusableEmail::Malformed)),
    }
}

/// What is known of an account that an external user may belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountFacts {
    pub is_active: bool,
    pub is_email_verified: bool,
    /// Nobody is known to know its password.
    pub is_passwordless: bool,
    /// The account was created for an external user, with a password that nobody has ever known.
    pub is_created_by_provider: bool,
}

/// What becomes of an identity that is new here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountDecision {
    Create,
    Link,
    /// Link, and revoke what was set before: an account whose address was never verified may have
    /// been made by a stranger who waits for the owner (SR-037).
    LinkAndRevokeCredentials,
    /// Link once the account's password is given: the address alone proves nothing.
    ConfirmWithPassword,
    RefuseDisabled,
    /// The address proves nothing, and there is no password that could.
    RefuseUnprovable,
}

/// What becomes of an identity that is new here; `account` is the one that has the provider's
/// address.
pub fn match_account(is_email_trusted: bool, account: Option<AccountFacts>) -> AccountDecision {
    match account {
        None => AccountDecision::Create,
        Some(account) if !is_email_trusted && account.is_passwordless => {
            AccountDecision::RefuseUnprovable
        }
        // A disabled account is not told apart here: whether it is one, its password decides.
        Some(_) if !is_email_trusted => AccountDecision::ConfirmWithPassword,
        Some(account) if !account.is_active => AccountDecision::RefuseDisabled,
        Some(account) if !account.is_email_verified => AccountDecision::LinkAndRevokeCredentials,
        Some(_) => AccountDecision::Link,
    }
}

/// What becomes of an account's address when its owner logs in with the provider (SR-071).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailSync {
    /// Account and provider agree, or the provider names no usable address.
    Keep,
    /// The address is the provider's already, and counts as verified from now on.
    SetVerified,
    /// The account takes the provider's address, if no other account has it.
    Change,
    /// Account and provider have never agreed, so the account's own address stays.
    Diverged,
    /// The provider's new address is not believed.
    Untrusted,
    /// Nobody has verified the account's address, so its password may be a stranger's: the owner of
    /// the new address must not find themselves in that account.
    Unverified,
}

/// Compares the account's address with the provider's. `last_email` is the provider's address at
/// the last login at which account and provider agreed.
pub fn sync_email(
    grant: &Grant,
    last_email: Option<&str>,
    account_email: &str,
    account: AccountFacts,
) -> EmailSync {
    let Ok(email) = &grant.email else {
        return EmailSync::Keep;
    };
    let is_same = account_email.eq_ignore_ascii_case(email.as_str());
    let was_same = last_email.is_some_and(|last| last.eq_ignore_ascii_case(account_email));
    let is_owners = account.is_email_verified || account.is_created_by_provider;
    match (is_same, grant.is_email_trusted) {
        (false, _) if !was_same => EmailSync::Diverged,
        (false, false) => EmailSync::Untrusted,
        (false, true) if !is_owners => EmailSync::Unverified,
        (false, true) => EmailSync::Change,
        (true, true) if is_owners && !account.is_email_verified => EmailSync::SetVerified,
        (true, _) => EmailSync::Keep,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: &str = "ada@example.org";

    fn user(email: Option<&str>, is_email_verified: bool) -> ExternalUser {
        ExternalUser {
            issuer: "https://idp.example.org".to_owned(),
            subject: "1".to_owned(),
            email: email.map(ToOwned::to_owned),
            is_email_verified,
            session: None,
        }
    }

    #[test]
    fn only_a_verified_address_or_the_operators_word_is_trusted() {
        let ada = || Email::parse(ADA).map_err(|_| UnusableEmail::Malformed);
        #[rustfmt::skip]
        let table = [
            // the provider's address, verified, trust_unverified_email → the address, trusted
            (Some(ADA),               true,  false, ada(),                          true),
            (Some(ADA),               false, false, ada(),                          false),
            (Some(ADA),               false, true,  ada(),                          true),
            (Some("ADA@Example.ORG"), true,  false, ada(),                          true),
            (Some("ada"),             true,  false, Err(UnusableEmail::Malformed),  true),
            (None,                    true,  false, Err(UnusableEmail::Missing),    false),
            (None,                    false, true,  Err(UnusableEmail::Missing),    false),
        ];
        for (address, is_verified, trust_unverified_email, email, is_email_trusted) in table {
            let rules = ProviderRules {
                trust_unverified_email,
            };
            let grant = decide(rules, &user(address, is_verified));
            let expected = Grant {
                email,
                is_email_trusted,
            };
            assert_eq!(grant, expected, "{address:?} {is_verified} {rules:?}");
        }
    }

    #[test]
    fn an_address_alone_opens_no_account() {
        use AccountDecision::*;
        let facts = |is_active, is_email_verified, is_passwordless| {
            Some(AccountFacts {
                is_active,
                is_email_verified,
                is_passwordless,
                is_created_by_provider: false,
            })
        };
        #[rustfmt::skip]
        let table = [
            // trusted, the account: active, verified, passwordless → what becomes of the identity
            (true,  None,                       Create),
            (false, None,                       Create),
            (true,  facts(true, true, false),   Link),
            (true,  facts(true, true, true),    Link),
            (true,  facts(true, false, false),  LinkAndRevokeCredentials),
            (true,  facts(true, false, true),   LinkAndRevokeCredentials),
            (true,  facts(false, true, false),  RefuseDisabled),
            (true,  facts(false, false, true),  RefuseDisabled),
            (false, facts(true, true, false),   ConfirmWithPassword),
            (false, facts(true, false, false),  ConfirmWithPassword),
            (false, facts(false, true, false),  ConfirmWithPassword),
            (false, facts(true, true, true),    RefuseUnprovable),
            (false, facts(false, false, true),  RefuseUnprovable),
        ];
        for (is_trusted, account, decision) in table {
            assert_eq!(
                match_account(is_trusted, account),
                decision,
                "{is_trusted} {account:?}"
            );
        }
    }

    #[test]
    fn an_address_is_followed_only_from_where_both_agreed() {
        use EmailSync::*;
        const OLD: &str = "old@example.org";
        const OTHER: &str = "other@example.org";
        #[rustfmt::skip]
        let table = [
            // the provider's, trusted, at the last login, the account's, verified, by provider
            (Some(ADA), true,  Some(ADA),   ADA,   true,  false, Keep),
            (Some(ADA), true,  Some(ADA),   ADA,   false, true,  SetVerified),
            (Some(ADA), true,  None,        ADA,   false, true,  SetVerified),
            (Some(ADA), true,  Some(ADA),   ADA,   false, false, Keep),
            (Some(ADA), false, Some(ADA),   ADA,   false, true,  Keep),
            (Some(ADA), true,  Some(OLD),   OLD,   true,  false, Change),
            (Some(ADA), true,  Some("OLD@example.org"), OLD, true, false, Change),
            (Some(ADA), true,  Some(OLD),   OLD,   false, true,  Change),
            (Some(ADA), true,  Some(OLD),   OLD,   false, false, Unverified),
            (Some(ADA), false, Some(OLD),   OLD,   true,  false, Untrusted),
            (Some(ADA), true,  Some(OTHER), OLD,   true,  false, Diverged),
            (Some(ADA), false, Some(OTHER), OLD,   true,  false, Diverged),
            (Some(ADA), true,  None,        OLD,   true,  false, Diverged),
            (None,      true,  Some(OLD),   OLD,   true,  false, Keep),
            (Some("?"), true,  Some(OLD),   OLD,   true,  false, Keep),
        ];
        for row in table {
            let (address, is_trusted, last, own, is_email_verified, is_created_by_provider, sync) =
                row;
            let grant = decide(ProviderRules::default(), &user(address, is_trusted));
            let account = AccountFacts {
                is_active: true,
                is_email_verified,
                is_created_by_provider,
                ..AccountFacts::default()
            };
            assert_eq!(sync_email(&grant, last, own, account), sync, "{row:?}");
        }
    }
}
