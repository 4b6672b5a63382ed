//! Entry point of the module-usage function.

use mgmt_common::settings::Reader;
use mgmt_common::settings::service::log_level;
use mgmt_common::telemetry;
use mgmt_common::web::serve;
use module_usage::settings::Settings;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let mut reader = Reader::environment();
    telemetry::start(log_level(&mut reader));
    serve::run(module_usage::service(Settings::read(reader)?)).await
}
