//! Certificates of the provider.

use axum::http::StatusCode;

use super::{ada, is_unusable, private};
use crate::support::log::Log;

#[tokio::test]
async fn a_private_certificate_authority_is_trusted_when_it_is_configured() {
    let (home, _file) = private(true).await;
    assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let log = Log::begin();
    let (home, _file) = private(false).await;
    is_unusable(&home.app, "provider_unreachable").await;
    assert_eq!(home.provider.asked(), Vec::<String>::new());
    assert!(
        log.text().contains("certificate") && log.text().contains("ca_file"),
        "{}",
        log.text()
    );
}
