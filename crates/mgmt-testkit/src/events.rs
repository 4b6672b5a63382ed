//! Events of EventBridge and SQS, as Lambda hands them to a function.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// A tick of the EventBridge rule of this name. `time` is RFC 3339 in UTC.
/// Source: "Using Lambda with EventBridge Scheduler and rules" in the Lambda developer guide.
pub fn scheduled(time: &str, rule: &str) -> Value {
    json!({
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event", "source": "aws.events",
        "account": "123456789012", "time": time, "region": "eu-central-1",
        "resources": [format!("arn:aws:events:eu-central-1:123456789012:rule/{rule}")], "detail": {},
    })
}

/// Messages `m-0`, `m-1` and so on with these bodies.
/// Source: "Using Lambda with Amazon SQS" in the Lambda developer guide.
pub fn queued(bodies: &[String]) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis()).to_string();
    let record = |(number, body): (usize, &String)| {
        json!({
            "messageId": format!("m-{number}"), "receiptHandle": "AQEB", "body": body,
            "attributes": {
                "ApproximateReceiveCount": "1", "SentTimestamp": now, "SenderId": "AIDA", "ApproximateFirstReceiveTimestamp": now,
            },
            "messageAttributes": {}, "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3", "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:usage", "awsRegion": "eu-central-1",
        })
    };
    json!({ "Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>() })
}
