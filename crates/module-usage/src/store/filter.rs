//! What statistics are asked for, and the buckets of a period.

use jiff::Span;
use jiff::civil::{Date, Weekday};
use module_mgmt_protocol::usage::EventType;
use serde::Serialize;
use utoipa::ToSchema;

/// How long the buckets of a series are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Granularity {
    Daily,
    /// ISO 8601 weeks, from Monday.
    Weekly,
    Monthly,
}

impl Granularity {
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        match text {
            "daily" => Some(Self::Daily),
            "weekly" => Some(Self::Weekly),
            "monthly" => Some(Self::Monthly),
            _ => None,
        }
    }

    /// As `date_trunc` spells it.
    fn date_part(self) -> &'static str {
        match self {
            Self::Daily => "day",
            Self::Weekly => "week",
            Self::Monthly => "month",
        }
    }
}

/// Which way events came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Http,
    Sqs,
}

impl Source {
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        [Self::Http, Self::Sqs].into_iter().find(|source| source.as_str() == text)
    }

    /// As the API and the database spell it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Sqs => "sqs",
        }
    }
}

/// What is asked for; every value is checked.
#[derive(Debug, Clone)]
pub(crate) struct StatsFilter {
    /// `None`: all organisations.
    pub(crate) org_id: Option<String>,
    /// `None`: all modules.
    pub(crate) module: Option<String>,
    pub(crate) start: Date,
    /// Itself included.
    pub(crate) end: Date,
    pub(crate) granularity: Granularity,
    pub(crate) event_type: Option<EventType>,
    pub(crate) source: Option<Source>,
}

impl StatsFilter {
    /// `($1)[1]` to `($1)[7]` of the statements.
    pub(super) fn parameters(&self) -> [Option<String>; 7] {
        [
            Some(self.start.to_string()),
            Some(self.end.to_string()),
            self.org_id.clone(),
            self.module.clone(),
            self.event_type.map(|event_type| event_type.as_str().to_owned()),
            self.source.map(|source| source.as_str().to_owned()),
            // As date_trunc spells them.
            Some(self.granularity.date_part().to_owned()),
        ]
    }

    /// The first day of the bucket, and the part of the bucket that lies in the period.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = (Date, Date, Date)> {
        let first = match self.granularity {
            Granularity::Weekly => {
                self.start.saturating_sub(Span::new().days(self.start.weekday().since(Weekday::Monday)))
            }
            Granularity::Monthly => self.start.first_of_month(),
            Granularity::Daily => self.start,
        };
        let starts = std::iter::successors(Some(first), |first| Some(self.next(*first)));
        starts.take_while(|first| *first <= self.end).map(|first| {
            let (start, end) = self.clip(first);
            (first, start, end)
        })
    }

    pub(crate) fn clip(&self, first: Date) -> (Date, Date) {
        (first.max(self.start), self.next(first).saturating_sub(Span::new().days(1)).min(self.end))
    }

    fn next(&self, first: Date) -> Date {
        first.saturating_add(match self.granularity {
            Granularity::Weekly => Span::new().days(7),
            Granularity::Monthly => Span::new().months(1),
            Granularity::Daily => Span::new().days(1),
        })
    }
}
