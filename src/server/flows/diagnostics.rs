//! A live look at everything that the program depends on, from its own place. Changes nothing
//! anywhere.

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
/// For all that is asked of the provider.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(20);

/// Looks at everything, the slow things side by side.
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

/// Whether the address that people type leads to this program, through whatever stands in between.
/// Not wrong if not: a machine need not reach its own public address, and the program may not be
/// running.
async fn check_frontend_url(config: &Config) -> CheckResult {
    let (what, url, number) = (
        "frontend_url",
        config.link("/livez"),
        random::uuid().to_string(),
    );
    let fix = "if browsers cannot reach it either, change misc.frontend_url, or the proxy in front";
    let client = match reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(FRONTEND_TIMEOUT)
        .build()
    {
        Ok(client) => client,
        Err(err) => {
            return CheckResult::warning(
                what,
                format!("cannot be tried: {}", oidc::causes(&err)),
                "the certificate authorities of this machine (ca-certificates)",
            );
        }
    };
    match client
        .get(&url)
        .header("x-correlation-id", &number)
        .send()
        .await
    {
        // The number comes back from this program and from no other.
        Ok(answer)
            if answer.status().is_success()
                && answer
                    .headers()
                    .get("x-correlation-id")
                    .is_some_and(|value| value == number.as_str()) =>
        {
            CheckResult::ok(what, format!("{url} leads to this program"))
        }
        Ok(answer) => CheckResult::warning(
            what,
            format!(
                "{url} answers {}, but not as this program does",
                answer.status()
            ),
            fix,
        ),
        Err(err) if err.is_timeout() => CheckResult::warning(
            what,
            format!("{url} does not answer from here within 5 seconds"),
            fix,
        ),
        Err(err) => CheckResult::warning(
            what,
            format!("{url} does not answer from here: {}", oidc::causes(&err)),
            fix,
        ),
    }
}

async fn mail(config: &Config, mailer: &Mailer) -> CheckResult {
    let what = "mail";
    let Some(smtp) = &config.smtp else {
        return CheckResult::ok(
            what,
            "no mail settings: addresses are not proven and nothing is sent",
        );
    };
    match mailer.inspect().await {
        Ok(()) => CheckResult::ok(what, format!("{}:{} takes our login", smtp.host, smtp.port)),
        Err(not_sent) => CheckResult::error(
            what,
            format!("{}:{}: {}", smtp.host, smtp.port, not_sent.reason),
            "[notifications.smtp_config]; `mail test ADDRESS` shows more",
        ),
    }
}
