//! JSON logs and CloudWatch metrics, both as lines on standard output, which Lambda ships to CloudWatch.

use std::io::Write as _;

use serde_json::{Map, Value, json};
use tracing_subscriber::filter::LevelFilter;

/// Starts JSON logging. A second call changes nothing.
pub fn start(level: LevelFilter) {
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_max_level(level);
    // An error means that logging was started before, as tests do.
    let _ = subscriber.try_init();
}

/// One metric of an embedded-metric-format line.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    pub name: &'static str,
    /// A CloudWatch unit, such as `Count` or `Milliseconds`.
    pub unit: &'static str,
    pub value: f64,
}

/// Writes metrics in CloudWatch's embedded metric format.
/// Source: "Specification: Embedded metric format" in the CloudWatch user guide.
pub fn emit(namespace: &str, dimensions: &[(&str, &str)], metrics: &[Metric], timestamp_ms: i64) {
    let line = embedded_metrics(namespace, dimensions, metrics, timestamp_ms).to_string();
    // A closed standard output leaves nobody to tell.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// The document that [`emit`] writes.
pub fn embedded_metrics(namespace: &str, dimensions: &[(&str, &str)], metrics: &[Metric], timestamp_ms: i64) -> Value {
    let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let definitions: Vec<Value> = metrics.iter().map(|m| json!({"Name": m.name, "Unit": m.unit})).collect();
    let mut line = Map::new();
    line.insert(
        "_aws".into(),
        json!({
            "Timestamp": timestamp_ms,
            "CloudWatchMetrics": [{"Namespace": namespace, "Dimensions": [names], "Metrics": definitions}],
        }),
    );
    line.extend(dimensions.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
    line.extend(metrics.iter().map(|m| (m.name.to_owned(), json!(m.value))));
    Value::Object(line)
}
