//! What statistics are asked for, and the buckets of a period.

use jiff::Span;
use jiff::civil::{Date, Weekday};

/// What is asked for; every value is checked.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// `None`: all organisations.
    pub(crate) org_id: Option<String>,
    /// `None`: all modules.
    pub(crate) module: Option<String>,
    pub(crate) start: Date,
    /// Itself included.
    pub(crate) end: Date,
    pub(crate) granularity: &'static str,
    pub(crate) event_type: Option<String>,
    pub(crate) source: Option<String>,
}

impl Question {
    /// `($1)[1]` to `($1)[7]` of the statements.
    pub(super) fn parameters(&self) -> [Option<String>; 7] {
        [
            Some(self.start.to_string()),
            Some(self.end.to_string()),
            self.org_id.clone(),
            self.module.clone(),
            self.event_type.clone(),
            self.source.clone(),
            // As date_trunc spells them.
            Some(match self.granularity {
                "weekly" => "week".into(),
                "monthly" => "month".into(),
                _ => "day".into(),
            }),
        ]
    }

    /// The first day of the bucket, and the part of the bucket that lies in the period.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = (Date, Date, Date)> {
        let first = match self.granularity {
            "weekly" => self.start.saturating_sub(Span::new().days(self.start.weekday().since(Weekday::Monday))),
            "monthly" => self.start.first_of_month(),
            _ => self.start,
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
            "weekly" => Span::new().days(7),
            "monthly" => Span::new().months(1),
            _ => Span::new().days(1),
        })
    }
}
