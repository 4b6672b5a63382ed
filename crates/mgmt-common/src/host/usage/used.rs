//! A use, from its beginning to its end.

use std::time::{Duration, Instant};

use super::UsageRecord;

/// A longer use is recorded as this long; the control plane takes no more.
const LONGEST: Duration = Duration::from_hours(24);

/// A use that has begun.
#[derive(Debug)]
pub struct Use {
    id: uuid::Uuid,
    started: Instant,
    event_type: &'static str,
    /// What was done, in words of the module.
    pub event_action: Option<String>,
    /// The route, without the ids in it.
    pub endpoint: Option<String>,
    pub http_method: Option<String>,
}

/// How a use ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    Well,
    HalfWell,
    /// With a code that programs can read. Words may hold what users wrote, so they are not recorded.
    Badly(String),
}

impl Use {
    /// Call it when the use begins. `event_type` is one of `api_call`, `page_view`, `feature_use`, `error`, `export`, `import`.
    pub fn begin(event_type: &'static str) -> Self {
        let (id, started) = (uuid::Uuid::now_v7(), Instant::now());
        Self { id, started, event_type, event_action: None, endpoint: None, http_method: None }
    }

    /// The record of it. Texts are cut to what the control plane takes.
    pub(super) fn end(self, module: &str, ended: Ended) -> UsageRecord {
        let (status, error_code) = match ended {
            Ended::Well => ("success", None),
            Ended::HalfWell => ("partial", None),
            Ended::Badly(code) => ("failure", Some(cut(&code, 200))),
        };
        let duration = self.started.elapsed().min(LONGEST);
        UsageRecord {
            id: self.id.to_string(),
            module_name: module.to_owned(),
            event_type: self.event_type,
            event_action: self.event_action.map(|text| cut(&text, 200)),
            endpoint: self.endpoint.map(|text| cut(&text, 2_000)),
            http_method: self.http_method.map(|text| cut(&text, 20)),
            duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            status,
            error_code,
        }
    }
}

fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}
