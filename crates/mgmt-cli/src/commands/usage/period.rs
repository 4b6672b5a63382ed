//! What is asked for: days, and what of them.

use clap::{Args, ValueEnum};
use jiff::civil::Date;
use jiff::{Span, Timestamp, tz::TimeZone};

use crate::output::Failure;

#[derive(Debug, Args)]
pub(crate) struct Period {
    /// First UTC day, such as 2026-11-02; 29 days before the last one by default.
    #[arg(long)]
    from: Option<Date>,
    /// Last UTC day, itself included; today by default.
    #[arg(long)]
    to: Option<Date>,
}

impl Period {
    /// First and last day.
    pub(crate) fn days(&self) -> Result<(Date, Date), Failure> {
        let to = self.to.unwrap_or_else(|| Timestamp::now().to_zoned(TimeZone::UTC).date());
        let from = self.from.unwrap_or_else(|| to.saturating_sub(Span::new().days(29)));
        if from > to {
            return Err(Failure::new("--from must not be after --to"));
        }
        Ok((from, to))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Granularity {
    Daily,
    Weekly,
    Monthly,
}

impl Granularity {
    fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// One module instead of all.
    #[arg(long)]
    module: Option<String>,
    /// One organisation; platform admins see all without it.
    #[arg(long)]
    org: Option<String>,
    /// Only events of this type.
    #[arg(long)]
    event_type: Option<String>,
    /// Only events that came this way: http or sqs.
    #[arg(long)]
    source: Option<String>,
    /// Weeks are ISO weeks; all days are UTC.
    #[arg(long, value_enum, default_value = "daily")]
    granularity: Granularity,
}

impl Selection {
    pub(crate) fn path(&self, (from, to): (Date, Date)) -> String {
        let route = match &self.module {
            Some(module) => format!("/platform/modules/{}/usage/stats", encoded(module)),
            None => "/platform/modules/usage".to_owned(),
        };
        let mut path = format!("{route}?startDate={from}&endDate={to}&granularity={}", self.granularity.as_str());
        for (name, value) in [("orgId", &self.org), ("eventType", &self.event_type), ("source", &self.source)] {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={}", encoded(value)));
            }
        }
        path
    }
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_are_encoded_for_a_query() {
        assert_eq!(super::encoded("auth0|1 &ü"), "auth0%7C1%20%26%C3%BC");
    }
}
