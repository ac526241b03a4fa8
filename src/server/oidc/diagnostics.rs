//! Live checks of the provider from the server's own network, so that an operator finds a mistake
//! before anybody logs in: metadata, keys, clock, client credentials and redirect URI.

use oauth2::basic::BasicErrorResponseType;
use openidconnect::http::{StatusCode, header};

use super::{
    AuthorizationSecrets, HINT_PROVIDER_LOG, HINT_UNREACHABLE, Metadata, Provider,
    authorization_code::{self, TokenEndpointError},
    cache::fetch_keys,
    discovery,
    error::RequestFailure,
    http_client,
    jwks::Key,
};
use crate::{
    domain::oidc_error::OidcError,
    server::{crypto::random, diagnostics::CheckResult, oidc::OidcFailure},
};

/// Alphanumeric, because some providers refuse other codes before they look at the client.
const MADE_UP_CODE: &str = "nobodyHasGivenThisCodeOut00";
/// Beyond this difference of the clocks, in seconds, tokens are refused (SR-066).
const CLOCK_SKEW_ERROR_SECONDS: u64 = 60;
/// From this difference on, in seconds, the check warns.
const CLOCK_SKEW_WARNING_SECONDS: u64 = 10;

impl Provider {
    /// Runs all checks. A check that depends on a failed one is left out.
    pub async fn inspect(&self) -> Vec<CheckResult> {
        let config = self.config();
        let url = config.configuration_endpoint.as_str();
        let response = match http_client::get(&self.0.http, url, &[]).await {
            Ok(response) => response,
            Err(why) => {
                return vec![CheckResult::error(
                    "provider",
                    format!("{url} cannot be read: {why}"),
                    why.hint_or(HINT_UNREACHABLE),
                )];
            }
        };
        let metadata = match discovery::read(response.body(), config) {
            Ok(metadata) => metadata,
            Err(failure) => return vec![failed("provider", failure)],
        };
        let mut findings = vec![
            CheckResult::ok(
                "provider",
                format!(
                    "{} answers at {url}, issuer {}",
                    config.name, metadata.issuer
                ),
            ),
            CheckResult::ok("algorithms", metadata.algorithms.join(", ")),
        ];
        findings.extend(
            response
                .headers()
                .get(header::DATE)
                .and_then(|date| date.to_str().ok())
                .and_then(|date| self.check_clock(date)),
        );
        findings.extend(metadata.unusable_logout.as_ref().map(|failure| {
            CheckResult::warning(
                "logout",
                format!(
                    "the logout at the provider is not offered: {}",
                    failure.reason
                ),
                failure.hint.clone(),
            )
        }));
        findings.push(match fetch_keys(&self.0.http, &metadata).await {
            Ok(keys) if keys.iter().all(Key::is_too_long) => CheckResult::error(
                "keys",
                format!("{} has no key that can be used", metadata.jwks_uri),
                "choose an asymmetric signing key for this client at the provider",
            ),
            Ok(keys) => match keys.iter().find(|key| key.is_too_long()) {
                Some(long) => CheckResult::warning(
                    "keys",
                    format!(
                        "{} has an RSA key of {} bits, which cannot be used",
                        metadata.jwks_uri, long.rsa_bits
                    ),
                    "choose a signing key of 2048 to 4096 bits for this client at the provider",
                ),
                None => CheckResult::ok("keys", format!("{} at {}", keys.len(), metadata.jwks_uri)),
            },
            Err(failure) => failed("keys", failure),
        });
        findings.push(self.check_client_credentials(&metadata).await);
        findings.push(self.check_redirect_uri(&metadata).await);
        findings
    }

    fn check_clock(&self, date: &str) -> Option<CheckResult> {
        let theirs = httpdate::parse_http_date(date)
            .ok()?
            .duration_since(std::time::UNIX_EPOCH)
            .ok()?
            .as_secs();
        let apart = theirs.abs_diff(u64::try_from(self.0.clock.now()).ok()?);
        let fix = "let both machines keep their clocks right (NTP)";
        Some(match apart {
            0..CLOCK_SKEW_WARNING_SECONDS => CheckResult::ok(
                "clock",
                format!("{apart} seconds apart from the provider's"),
            ),
            CLOCK_SKEW_WARNING_SECONDS..=CLOCK_SKEW_ERROR_SECONDS => CheckResult::warning(
                "clock",
                format!(
                    "{apart} seconds apart from the provider's; beyond {CLOCK_SKEW_ERROR_SECONDS} nobody can log in"
                ),
                fix,
            ),
            _ => CheckResult::error(
                "clock",
                format!("{apart} seconds apart from the provider's, so its tokens are refused"),
                fix,
            ),
        })
    }

    /// Redeems an invented code: a provider that accepts the client's credentials complains about
    /// the code, another about the client.
    async fn check_client_credentials(&self, metadata: &Metadata) -> CheckResult {
        let config = self.config();
        match authorization_code::redeem(
            &self.0.http,
            config,
            metadata,
            MADE_UP_CODE,
            &self.dummy_secrets(),
        )
        .await
        {
            Err(TokenEndpointError {
                error: Some(BasicErrorResponseType::InvalidGrant),
                ..
            }) => CheckResult::ok(
                "client",
                format!("the provider knows {:?} by its secret", config.client_id),
            ),
            // Some providers answer so to a code of unknown form.
            Err(TokenEndpointError {
                error: Some(BasicErrorResponseType::InvalidRequest),
                failure,
            }) => CheckResult::warning(
                "client",
                format!(
                    "{}, of a code that nobody has given out: only a login shows whether it knows us",
                    failure.reason
                ),
                failure.hint,
            ),
            // Words of its own, such as Rauthy's `Unauthorized` and `BadRequest`: they may be about
            // the code or about the client.
            Err(TokenEndpointError {
                error: Some(BasicErrorResponseType::Extension(_)),
                failure,
            }) if failure.request == RequestFailure::CodeRejected => CheckResult::warning(
                "client",
                format!(
                    "{}, of a code that nobody has given out: only a login shows whether it knows us",
                    failure.reason
                ),
                format!(
                    "if logins fail, {}",
                    authorization_code::auth_method_hint(config, metadata)
                ),
            ),
            Err(TokenEndpointError { failure, .. }) => failed("client", failure),
            Ok(_) => CheckResult::error(
                "client",
                "the provider gives out tokens for a code that does not exist",
                "do not use this provider",
            ),
        }
    }

    /// Opens the provider's login page with our redirect URI and with one that nobody has
    /// registered. A provider answers an unknown redirect URI with an error page (RFC 6749
    /// §4.1.2.1); the second request shows whether this provider does so at this point, because
    /// some check the URI only after the login.
    async fn check_redirect_uri(&self, metadata: &Metadata) -> CheckResult {
        let what = "redirect URI";
        let uri = &self.config().redirect_uri;
        let register =
            format!("register exactly this redirect URI for the client at the provider: {uri}");
        let of_nobody = format!("{uri}-of-nobody");
        let (ours, of_nobody) = tokio::join!(
            self.fetch_login_page(metadata, uri),
            self.fetch_login_page(metadata, &of_nobody)
        );
        match (ours, of_nobody) {
            (Ok(ours), _) if is_rejection(ours) => CheckResult::error(
                what,
                format!("the provider's login page answers {ours} to {uri}"),
                register,
            ),
            (Ok(_), Ok(of_nobody)) if is_rejection(of_nobody) => {
                CheckResult::ok(what, format!("{uri} is not refused"))
            }
            (Ok(ours), Ok(_)) => {
                let says = format!(
                    "the provider's login page answers {ours} to whatever URI it is sent: only a login shows whether it takes ours"
                );
                CheckResult::warning(what, says, register)
            }
            (Err(failure), _) | (_, Err(failure))
                if failure.error == OidcError::ProviderUnreachable =>
            {
                CheckResult::warning(what, failure.reason, register)
            }
            (Err(failure), _) | (_, Err(failure)) => failed(what, failure),
        }
    }

    /// The HTTP status of the provider's login page for a redirect URI.
    async fn fetch_login_page(
        &self,
        metadata: &Metadata,
        redirect_uri: &str,
    ) -> Result<StatusCode, OidcFailure> {
        let scopes = ["openid", "email", "profile"].map(ToOwned::to_owned);
        let secrets = AuthorizationSecrets {
            redirect_uri: redirect_uri.to_owned(),
            ..self.dummy_secrets()
        };
        let url = self.authorization_url(metadata, &secrets, "a-look-by-the-operator", &scopes)?;
        let unreachable = |why: http_client::HttpError| {
            OidcFailure::new(
                OidcError::ProviderUnreachable,
                format!("the provider's login page cannot be reached from here: {why}"),
                why.hint_or(""),
            )
        };
        http_client::status(&self.0.http, &url)
            .await
            .map_err(unreachable)
    }

    fn dummy_secrets(&self) -> AuthorizationSecrets {
        let made_up = || random::uuid().simple().to_string();
        AuthorizationSecrets {
            nonce: made_up(),
            verifier: format!("{}{}", made_up(), made_up()),
            redirect_uri: self.config().redirect_uri.clone(),
        }
    }
}

fn is_rejection(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

fn failed(what: &'static str, failure: OidcFailure) -> CheckResult {
    // Some failures have no hint, because no setting mends them during a login. Here every line
    // names a next step.
    CheckResult::error(
        what,
        failure.reason,
        if failure.hint.is_empty() {
            HINT_PROVIDER_LOG.to_owned()
        } else {
            failure.hint
        },
    )
}
