//! The functions of an imaginary platform: what a schedule and modules keep warm here, and what the gate stands before.

use anyhow::Result;

use super::aws::{Aws, NewFunction, Runtime};
use super::http_api::{HttpApi, Route};
use super::package;
use crate::output::progress;

/// The key of the Python package.
const PYTHON_PACKAGE: &str = "python-function";
/// As the client's own description says: the handler and the client side by side.
const PYTHON_FILES: [(&str, &[u8]); 2] = [
    ("handler.py", include_bytes!("../../../../examples/python-function/handler.py")),
    ("module_mgmt.py", include_bytes!("../../../../clients/python/module_mgmt.py")),
];

pub(crate) struct Sample {
    pub(crate) name: &'static str,
    description: &'static str,
    package: &'static str,
    runtime: Runtime,
    /// The routes below this prefix, and the module that they belong to; none where it only answers pings.
    gate: Option<Gated>,
}

pub(crate) struct Gated {
    pub(crate) prefix: &'static str,
    pub(crate) module: &'static str,
}

pub(crate) const SAMPLES: [Sample; 5] = [
    pinged("sample-orders"),
    pinged("sample-invoices"),
    pinged("sample-reports"),
    Sample {
        name: "sample-orders-api",
        description: "A sample function in Rust that answers while its module is on.",
        package: "gated-function",
        runtime: Runtime::Executable,
        gate: Some(RUST_GATE),
    },
    Sample {
        name: "sample-invoices-api",
        description: "A sample function in Python that answers while its module is on.",
        package: PYTHON_PACKAGE,
        runtime: Runtime::Python,
        gate: Some(PYTHON_GATE),
    },
];
pub(crate) const RUST_GATE: Gated = Gated { prefix: "/samples/orders", module: "module-orders" };
pub(crate) const PYTHON_GATE: Gated = Gated { prefix: "/samples/invoices", module: "module-invoices" };

const fn pinged(name: &'static str) -> Sample {
    let description = "A sample function that answers warm pings.";
    Sample { name, description, package: "warmed-function", runtime: Runtime::Executable, gate: None }
}

/// The workspace members that samples are built from.
pub(crate) fn executables() -> impl Iterator<Item = &'static str> {
    SAMPLES.iter().filter(|sample| matches!(sample.runtime, Runtime::Executable)).map(|sample| sample.package)
}

/// Uploads what is not built.
pub(crate) async fn upload_sources(aws: &Aws) -> Result<()> {
    progress(&format!("uploading {PYTHON_PACKAGE}"));
    aws.upload_package(PYTHON_PACKAGE, package::zip(&PYTHON_FILES)?).await
}

/// `origin` is where the functions reach the control plane.
pub(crate) async fn deploy(aws: &Aws, api: &HttpApi<'_>, origin: &str) -> Result<()> {
    for Sample { name, description, package, runtime, gate } in &SAMPLES {
        progress(&format!("deploying {name}"));
        let environment = gate.as_ref().map_or_else(Vec::new, |gate| {
            vec![("MODULE_MGMT_URL", origin.to_owned()), ("MODULE_NAME", gate.module.to_owned())]
        });
        let function = NewFunction { name, description, package, runtime: *runtime, environment, timeout_seconds: 10 };
        let arn = aws.create_function(&function).await?;
        if let Some(gate) = gate {
            api.add_routes(&[Route::below(gate.prefix)], &arn).await?;
        }
    }
    Ok(())
}
