//! Live checks of everything the program depends on, from the machine it runs on. They change
//! nothing.

use std::time::Duration;

use futures_util::future::join_all;

use crate::server::{
    config::Config,
    crypto::random,
    db,
    diagnostics::CheckResult,
    mailer::Mailer,
    oidc::{self, Provider, Providers},
};

const FRONTEND_TIMEOUT: Duration = Duration::from_secs(5);
/// For all checks of the provider together.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(20);

/// Runs all checks, the slow ones concurrently.
pub async fn run_checks(
    config: &Config,
    providers: &Providers,
    mailer: &Mailer,
) -> Vec<CheckResult> {
    let (database, frontend_url, mail, providers) = tokio::join!(
        db::inspect(config.database_url.expose()),
        check_frontend_url(config),
        mail(config, mailer),
        join_all(providers.iter().map(check_provider))
    );
    let warnings = config.warnings.iter().map(|warning| {
        CheckResult::warning(
            "configuration",
            warning.clone(),
            "the setting that this names, unless it is meant so",
        )
    });
    [database, frontend_url, mail]
        .into_iter()
        .chain(providers.into_iter().flatten())
        .chain(warnings)
        .collect()
}

async fn check_provider(provider: &Provider) -> Vec<CheckResult> {
    tokio::time::timeout(PROVIDER_TIMEOUT, provider.inspect())
        .await
        .unwrap_or_else(|_| {
            vec![CheckResult::error(
                "provider",
                "did not answer everything within 20 seconds",
                oidc::HINT_PROVIDER_LOG,
            )]
        })
}

/// Checks whether the public URL leads to this program, through any proxy. A failure is only a
/// warning: a machine need not reach its own public address, and the server may not be running.
async fn check_frontend_url(config: &Config) -> CheckResult {
    let (check, url, correlation_id) = (
        "frontend_url",
        config.link("/livez"),
        random::uuid().to_string(),
    );
    let hint =
        "if browsers cannot reach it either, change misc.frontend_url, or the proxy in front";
    let client = match reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(FRONTEND_TIMEOUT)
        .build()
    {
        Ok(client) => client,
        Err(err) => {
            return CheckResult::warning(
                check,
                format!("cannot be tried: {}", oidc::causes(&err)),
                "the certificate authorities of this machine (ca-certificates)",
            );
        }
    };
    match client
        .get(&url)
        .header("x-correlation-id", &correlation_id)
        .send()
        .await
    {
        // Only this program echoes the correlation id.
        Ok(answer)
            if answer.status().is_success()
                && answer
                    .headers()
                    .get("x-correlation-id")
                    .is_some_and(|value| value == correlation_id.as_str()) =>
        {
            CheckResult::ok(check, format!("{url} leads to this program"))
        }
        Ok(answer) => CheckResult::warning(
            check,
            format!(
                "{url} answers {}, but not as this program does",
                answer.status()
            ),
            hint,
        ),
        Err(err) if err.is_timeout() => CheckResult::warning(
            check,
            format!("{url} does not answer from here within 5 seconds"),
            hint,
        ),
        Err(err) => CheckResult::warning(
            check,
            format!("{url} does not answer from here: {}", oidc::causes(&err)),
            hint,
        ),
    }
}

async fn mail(config: &Config, mailer: &Mailer) -> CheckResult {
    let check = "mail";
    let Some(smtp) = &config.smtp else {
        return CheckResult::ok(
            check,
            "no mail settings: addresses are not proven and nothing is sent",
        );
    };
    match mailer.inspect().await {
        Ok(()) => CheckResult::ok(
            check,
            format!("{}:{} takes our login", smtp.host, smtp.port),
        ),
        Err(error) => CheckResult::error(
            check,
            format!("{}:{}: {}", smtp.host, smtp.port, error.reason),
            "[notifications.smtp_config]; `mail test ADDRESS` shows more",
        ),
    }
}
