//! The one way out of the program over HTTP (SR-083): certificates checked, no redirects, five
//! seconds to connect, ten in all, one mebibyte at most.

use std::{
    fs,
    pin::Pin,
    time::{Duration, Instant},
};

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http};
use reqwest::{Certificate, redirect::Policy};

use crate::server::{config::OpenIdConnect, telemetry::metrics};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// From the first byte sent to the last byte read.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Why there is no answer.
#[derive(Debug)]
pub struct HttpError(pub String);

impl std::fmt::Display for HttpError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for HttpError {}

/// The client. Cheap to clone.
#[derive(Clone)]
pub struct HttpClient(reqwest::Client);

/// What the library asks of a client; its own adapter would read an answer without end.
impl<'c> AsyncHttpClient<'c> for HttpClient {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(send(self, request))
    }
}

/// Makes the client, with the operator's certificate authority if there is one.
///
/// # Errors
/// A sentence for the operator.
pub fn new(config: &OpenIdConnect) -> Result<HttpClient, String> {
    let mut builder = reqwest::Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT)
        // Never a step down: an https provider is spoken to over https only.
        .https_only(config.configuration_endpoint.scheme() == "https")
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

/// Sends one request and reads the whole answer, within the limits.
///
/// # Errors
/// `HttpError`, with the chain of causes and without the address's query.
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
    let mut answer = http::Response::builder().status(response.status());
    for (name, value) in response.headers() {
        answer = answer.header(name, value);
    }
    // None was asked for: what arrives compressed could be far larger than what was counted.
    if response
        .headers()
        .get(http::header::CONTENT_ENCODING)
        .is_some_and(|encoding| encoding != "identity")
    {
        return Err(HttpError(
            "the answer is compressed, which was not asked for".to_owned(),
        ));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|err| explain(&err))? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_BODY_BYTES {
            return Err(HttpError("the answer is larger than 1 MiB".to_owned()));
        }
    }
    answer.body(body).map_err(|err| HttpError(err.to_string()))
}

/// Asks for a document.
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
        .map_err(|err| HttpError(err.to_string()))?;
    let response = send(client, request).await?;
    match response.status() {
        http::StatusCode::OK => Ok(response),
        status if status.is_redirection() => Err(HttpError(format!(
            "it answers with a redirect ({status}), which is not followed"
        ))),
        status => Err(HttpError(format!("it answers with {status}"))),
    }
}

/// The status with which an address answers, whatever it is.
///
/// # Errors
/// `HttpError`.
pub async fn status(client: &HttpClient, url: &str) -> Result<http::StatusCode, HttpError> {
    let request = http::Request::get(url)
        .body(Vec::new())
        .map_err(|err| HttpError(err.to_string()))?;
    Ok(send(client, request).await?.status())
}

/// The media type of an answer, without parameters and in lower case.
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
        return HttpError(what.to_owned());
    }
    HttpError(causes(err))
}

/// All causes in one line: reqwest's own text stops at "error sending request". The address is not
/// repeated: it may have a query, and the caller names it.
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
