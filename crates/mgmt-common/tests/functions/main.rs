//! Listing and invoking functions against the strict Lambda fake.

mod invoke;
mod reads;

use std::time::Duration;

use mgmt_common::aws::{AwsSettings, CallLimits};
use mgmt_common::functions::Functions;
use mgmt_testkit::lambda_api::LambdaFake;

/// A client that gives up soon; the fake's violations are looked at by each test's last line.
pub(crate) fn functions(fake: &LambdaFake) -> Functions {
    functions_at(&fake.url())
}

pub(crate) fn functions_at(url: &str) -> Functions {
    let aws = AwsSettings {
        region: "eu-central-1".to_owned(),
        access_key_id: "AKIATEST".to_owned(),
        secret_access_key: "secret".to_owned(),
        session_token: Some("token".to_owned()),
        endpoint_url: Some(url.to_owned()),
    };
    let limits = CallLimits { initial_backoff: Duration::from_millis(1), ..CallLimits::default() };
    Functions::new(aws, limits)
}
