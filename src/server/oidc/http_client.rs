//! The HTTP client for all requests to a provider (SR-083): certificates are checked, redirects are
//! not followed, time and size are bounded.

use std::{
    fs,
    pin::Pin,
    time::{Duration, Instant},
};

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http};
use reqwest::{Certificate, redirect::Policy};

use tokio::time::timeout_at;

use super::{
    HINT_PROVIDER_LOG,
    error::{OidcFailure, RequestFailure},
};
use crate::{
    domain::oidc_error::OidcError,
    server::{config::OpenIdConnect, telemetry::metrics},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// For a whole request, from the first byte sent to the last byte read.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Why a request has no usable answer.
#[derive(Debug)]
pub struct HttpError {
    reason: String,
    /// The status of the answer, if one arrived.
    pub status: Option<http::StatusCode>,
    /// The fix, where the error itself shows it.
    hint: Option<&'static str>,
}

impl HttpError {
    fn no_response(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            status: None,
            hint: None,
        }
    }

    fn unusable(status: http::StatusCode, reason: impl Into<String>) -> Self {
        Self {
            status: Some(status),
            ..Self::no_response(reason)
        }
    }

    /// What to change, or `default` where the error does not show it.
    pub fn hint_or(&self, default: &'static str) -> &'static str {
        self.hint.unwrap_or(default)
    }

    /// Whose failure it is.
    pub fn kind(&self) -> RequestFailure {
        match self.status {
            None => RequestFailure::NoResponse,
            Some(status) if status.is_server_error() => RequestFailure::ServerError,
            Some(_) => RequestFailure::None,
        }
    }
}

impl std::fmt::Display for HttpError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for HttpError {}

/// An HTTP client that bounds its answers. Cheap to clone.
#[derive(Clone)]
pub struct HttpClient(reqwest::Client);

/// Used by the library in place of its own adapter, which reads an answer of any length.
impl<'c> AsyncHttpClient<'c> for HttpClient {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(send(self, request))
    }
}

/// Creates the client, with the operator's certificate authority if one is configured.
///
/// # Errors
/// A sentence for the operator.
pub fn new(config: &OpenIdConnect) -> Result<HttpClient, String> {
    let mut builder = reqwest::Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT)
        // An https provider is never requested over http.
        .https_only(config.configuration_endpoint.scheme() == "https")
        // Some reverse proxies compress whatever does not refuse it.
        .default_headers(http::HeaderMap::from_iter([(
            http::header::ACCEPT_ENCODING,
            http::HeaderValue::from_static("identity"),
        )]))
        .user_agent(concat!("mediamanager-auth/", env!("CARGO_PKG_VERSION")));
    if let Some(file) = &config.ca_file {
        let failure = |what: String| {
            format!(
                "policy.openid_connect.ca_file {}: {what}; it must be a PEM file with certificates",
                file.display()
            )
        };
        let pem = fs::read(file).map_err(|err| failure(err.to_string()))?;
        let certificates =
            Certificate::from_pem_bundle(&pem).map_err(|err| failure(err.to_string()))?;
        if certificates.is_empty() {
            return Err(failure("holds no certificate".to_owned()));
        }
        for certificate in certificates {
            builder = builder.add_root_certificate(certificate);
        }
    }
    builder
        .build()
        .map(HttpClient)
        .map_err(|err| format!("cannot prepare the HTTP client: {err}"))
}

/// Sends one request and reads the whole answer within the limits.
///
/// # Errors
/// `HttpError`, with the chain of causes and without the URL's query.
async fn send(client: &HttpClient, request: HttpRequest) -> Result<HttpResponse, HttpError> {
    let since = Instant::now();
    let answer = send_unmeasured(client, request).await;
    metrics::observe_provider_request(since, answer.is_ok());
    answer
}

async fn send_unmeasured(
    client: &HttpClient,
    request: HttpRequest,
) -> Result<HttpResponse, HttpError> {
    let request = request.try_into().map_err(|err| explain(&err))?;
    let mut response = client
        .0
        .execute(request)
        .await
        .map_err(|err| explain(&err))?;
    let status = response.status();
    let mut answer = http::Response::builder().status(status);
    for (name, value) in response.headers() {
        answer = answer.header(name, value);
    }
    // Compression was refused: a compressed answer could be far larger than its counted bytes.
    if response
        .headers()
        .get(http::header::CONTENT_ENCODING)
        .is_some_and(|encoding| encoding != "identity")
    {
        return Err(HttpError::unusable(
            status,
            "the answer is compressed, which was not asked for",
        ));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|err| explain(&err))? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_BODY_BYTES {
            return Err(HttpError::unusable(
                status,
                "the answer is larger than 1 MiB",
            ));
        }
    }
    answer
        .body(body)
        .map_err(|err| HttpError::unusable(status, err.to_string()))
}

/// Requests a document with GET.
///
/// # Errors
/// `HttpError`, also for every status but 200.
pub async fn get(
    client: &HttpClient,
    url: &str,
    headers: &[(http::HeaderName, String)],
) -> Result<HttpResponse, HttpError> {
    let mut request = http::Request::get(url);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request
        .body(Vec::new())
        .map_err(|err| HttpError::no_response(err.to_string()))?;
    let response = send(client, request).await?;
    match response.status() {
        http::StatusCode::OK => Ok(response),
        status if status.is_redirection() => Err(HttpError::unusable(
            status,
            format!("it answers with a redirect ({status}), which is not followed"),
        )),
        status => Err(HttpError::unusable(
            status,
            format!("it answers with {status}"),
        )),
    }
}

/// The HTTP status of the answer to GET, whatever it is.
///
/// # Errors
/// `HttpError`.
pub async fn status(client: &HttpClient, url: &str) -> Result<http::StatusCode, HttpError> {
    let request = http::Request::get(url)
        .body(Vec::new())
        .map_err(|err| HttpError::no_response(err.to_string()))?;
    Ok(send(client, request).await?.status())
}

/// The media type of an answer, in lower case and without parameters.
pub fn media_type(response: &HttpResponse) -> String {
    let value = response
        .headers()
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

fn explain(err: &reqwest::Error) -> HttpError {
    if err.is_timeout() {
        let what = if err.is_connect() {
            "no connection within 5 seconds"
        } else {
            "no whole answer within 10 seconds"
        };
        return HttpError::no_response(what);
    }
    let causes = causes(err);
    if causes.contains("CaUsedAsEndEntity") {
        return HttpError {
            hint: Some(HINT_SELF_SIGNED_AUTHORITY),
            ..HttpError::no_response(
                "its server certificate is itself a certificate authority (self-signed)",
            )
        };
    }
    HttpError::no_response(causes)
}

/// `openssl req -x509` makes such a certificate, and no setting here makes it a server's.
const HINT_SELF_SIGNED_AUTHORITY: &str = "give the provider a server certificate signed by your certificate authority, and put the authority's certificate into policy.openid_connect.ca_file";

/// All causes of an error in one line, because reqwest's own text stops at "error sending request".
/// The URL is left out: it may have a query, and the caller names it.
pub fn causes(err: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(err);
    while let Some(err) = cause {
        causes.push(err.to_string());
        cause = err.source();
    }
    if causes.is_empty() {
        "the request could not be sent".to_owned()
    } else {
        causes.join(": ")
    }
}

/// Bounds work that waits for an endpoint of the provider, so that a person gets an answer within
/// ten seconds (SR-084).
///
/// # Errors
/// `ProviderUnreachable` at the deadline, or the error of the work.
pub async fn with_deadline<T>(
    deadline: tokio::time::Instant,
    endpoint: &str,
    work: impl Future<Output = Result<T, OidcFailure>>,
) -> Result<T, OidcFailure> {
    timeout_at(deadline, work).await.unwrap_or_else(|_| {
        let reason = format!("{endpoint} did not finish answering within 10 seconds");
        Err(
            OidcFailure::new(OidcError::ProviderUnreachable, reason, HINT_PROVIDER_LOG)
                .of_request(RequestFailure::NoResponse),
        )
    })
}
