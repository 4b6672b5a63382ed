//! Entry point of the lambda-warmer function.

use lambda_warmer::settings::Settings;
use mgmt_common::settings::Reader;
use mgmt_common::settings::service::log_level;
use mgmt_common::telemetry;
use mgmt_common::web::serve;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let mut reader = Reader::environment();
    telemetry::start(log_level(&mut reader));
    serve::run(lambda_warmer::service(Settings::read(reader)?)).await
}
