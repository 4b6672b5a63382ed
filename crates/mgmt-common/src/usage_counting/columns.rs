//! A batch as one array for each column, which costs the database less than taking a thousand events apart from JSON.

use jiff::Timestamp;
use serde_json::value::RawValue;
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::db::Parameter;
use crate::usage::check::CheckedEvent;
use crate::usage::item::BatchItem;
use crate::usage::refusal::Refusal;

/// Arguments by name: most are arrays of texts, and in another order they would be taken too.
pub(super) const STATEMENT: &str = "-- count
    select module_mgmt.record_usage_columns(event_ids => $1, org_ids => $2, user_ids => $3, module_names => $4, event_types => $5,
      statuses => $6, occurred => $7, durations => $8, hashes => $9, actions => $10, endpoints => $11, methods => $12,
      error_codes => $13, error_messages => $14, metadatas => $15, reasons => $16, details => $17, raw_items => $18, most_per_minute => $19) as outcomes";

/// The arrays in the order of [`STATEMENT`]. An item that is refused has its reason and nothing else.
pub(super) struct Columns<'a> {
    ids: Vec<Option<Uuid>>,
    organisations: Vec<Option<&'a str>>,
    users: Vec<Option<&'a str>>,
    modules: Vec<Option<&'a str>>,
    types: Vec<Option<&'static str>>,
    statuses: Vec<Option<&'static str>>,
    occurred: Vec<Option<Timestamp>>,
    durations: Vec<Option<i32>>,
    hashes: Vec<Option<&'a [u8]>>,
    actions: Vec<Option<&'a str>>,
    endpoints: Vec<Option<&'a str>>,
    methods: Vec<Option<&'a str>>,
    error_codes: Vec<Option<&'a str>>,
    error_messages: Vec<Option<&'a str>>,
    metadata: Vec<Option<Json<&'a RawValue>>>,
    reasons: Vec<Option<&'static str>>,
    details: Vec<Option<String>>,
    raw: Vec<Option<String>>,
    most_per_minute: Option<i32>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(items: &'a [BatchItem<'a>], judged: &'a [Option<Refusal>], most_per_minute: Option<i32>) -> Self {
        let counted: Vec<Option<&CheckedEvent<'_>>> = items
            .iter()
            .zip(judged)
            .map(|(item, refusal)| item.event.as_ref().ok().filter(|_| refusal.is_none()))
            .collect();
        Self {
            ids: column(&counted, |event| Some(event.id)),
            organisations: items.iter().map(|item| item.attribution.org_id.as_deref()).collect(),
            users: items.iter().map(|item| item.attribution.user_id.as_deref()).collect(),
            modules: column(&counted, |event| Some(event.module_name.as_ref())),
            types: column(&counted, |event| Some(event.event_type.as_str())),
            statuses: column(&counted, |event| Some(event.status.as_str())),
            occurred: column(&counted, |event| Some(event.occurred_at)),
            durations: column(&counted, |event| event.duration_ms),
            hashes: column(&counted, |event| Some(event.content_hash.as_slice())),
            actions: column(&counted, |event| event.event_action.as_deref()),
            endpoints: column(&counted, |event| event.endpoint.as_deref()),
            methods: column(&counted, |event| event.http_method.as_deref()),
            error_codes: column(&counted, |event| event.error_code.as_deref()),
            error_messages: column(&counted, |event| event.error_message.as_deref()),
            metadata: column(&counted, |event| event.metadata.map(Json)),
            reasons: judged.iter().map(|refusal| refusal.as_ref().map(|refusal| refusal.reason.as_str())).collect(),
            details: judged
                .iter()
                .map(|refusal| refusal.as_ref().map(|refusal| shorten(&refusal.detail(), usize::MAX)))
                .collect(),
            raw: items
                .iter()
                .zip(judged)
                .map(|(item, refusal)| refusal.as_ref().map(|_| shorten(item.raw, 2_000)))
                .collect(),
            most_per_minute,
        }
    }

    pub(super) fn parameters(&self) -> [Parameter<'_>; 19] {
        [
            Parameter::new(&self.ids),
            Parameter::new(&self.organisations),
            Parameter::new(&self.users),
            Parameter::new(&self.modules),
            Parameter::new(&self.types),
            Parameter::new(&self.statuses),
            Parameter::new(&self.occurred),
            Parameter::new(&self.durations),
            Parameter::new(&self.hashes),
            Parameter::new(&self.actions),
            Parameter::new(&self.endpoints),
            Parameter::new(&self.methods),
            Parameter::new(&self.error_codes),
            Parameter::new(&self.error_messages),
            Parameter::new(&self.metadata),
            Parameter::new(&self.reasons),
            Parameter::new(&self.details),
            Parameter::new(&self.raw),
            Parameter::new(&self.most_per_minute),
        ]
    }
}

fn column<'a, T>(
    events: &[Option<&'a CheckedEvent<'a>>],
    of: impl Fn(&'a CheckedEvent<'a>) -> Option<T>,
) -> Vec<Option<T>> {
    events.iter().map(|event| event.and_then(&of)).collect()
}

/// Text that Postgres takes: no NUL, and not too long.
fn shorten(text: &str, limit: usize) -> String {
    text.chars().filter(|c| *c != '\0').take(limit).collect()
}
