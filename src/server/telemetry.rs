//! The log, and the metrics for Prometheus.

pub mod log;
pub mod metrics;
