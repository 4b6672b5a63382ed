//! Every operation of a function's OpenAPI document as every role: Faults, rows 12 and 14.
#![expect(clippy::unwrap_used, reason = "a document without paths is no document")]

use serde_json::Value;

use crate::function::FunctionUnderTest;
use crate::gateway::{EVERYBODY, Request};

/// What an operation answers each role, in the order of [`EVERYBODY`], and a request that would succeed.
pub type Expected = ([u64; EVERYBODY.len()], Request);

/// Compares every operation's answer to every role with the table. Returns the number of operations.
///
/// The roles come in the order of [`EVERYBODY`], so that those who may change nothing come before those who may. `before_each`
/// arranges what every request finds.
///
/// # Panics
/// A status differs, or the table has no line for an operation of the document.
pub async fn check_every_operation(
    function: &FunctionUnderTest,
    document: &Value,
    table: impl Fn(&str, &str) -> Option<Expected>,
    before_each: impl AsyncFn(),
) -> usize {
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let (statuses, request) =
                table(method, path).unwrap_or_else(|| panic!("{method} {path} is not in the table of roles"));
            for (who, status) in EVERYBODY.into_iter().zip(statuses) {
                before_each().await;
                let answer = function.send(&request.clone().by(who)).await;
                assert_eq!(answer.status, status, "{method} {path} as {who:?}: {answer:?}");
            }
            operations += 1;
        }
    }
    operations
}
