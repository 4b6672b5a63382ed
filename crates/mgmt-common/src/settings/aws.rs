//! What Lambda puts into every function's environment about AWS itself.

use super::Reader;
use crate::aws::AwsSettings;

/// `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`; `AWS_ENDPOINT_URL` for local platforms.
/// Source: "Defined runtime environment variables" in the Lambda developer guide.
pub fn aws_settings(reader: &mut Reader) -> AwsSettings {
    AwsSettings {
        region: reader.required("AWS_REGION"),
        access_key_id: reader.required("AWS_ACCESS_KEY_ID"),
        secret_access_key: reader.required("AWS_SECRET_ACCESS_KEY"),
        session_token: reader.optional("AWS_SESSION_TOKEN"),
        endpoint_url: reader.optional("AWS_ENDPOINT_URL"),
    }
}
