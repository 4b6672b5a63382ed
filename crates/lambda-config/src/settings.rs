//! What this function reads from its environment.

use mgmt_common::aws::AwsSettings;
use mgmt_common::schedule::name::Namespace;
use mgmt_common::settings::{DatabaseSettings, Reader, SettingsError, aws, service};
use mgmt_common::warming::boundary::Boundary;
use module_mgmt_protocol::caller::ClaimNames;

#[derive(Clone)]
pub struct Settings {
    pub database: DatabaseSettings,
    pub claim_names: ClaimNames,
    pub aws: AwsSettings,
    pub namespace: Namespace,
    /// `WARMER_FUNCTION_ARN`: the target of every rule.
    pub warmer_arn: String,
    /// `DEAD_LETTER_ARN`: the queue for ticks that EventBridge could not deliver.
    pub dead_letter_arn: Option<String>,
    /// `FUNCTION_PREFIX`: only functions whose names begin so are listed; empty lists all.
    pub function_prefix: String,
    /// `WARMING_ACCOUNTS`: other accounts whose functions may be warmed.
    pub warming_accounts: Vec<String>,
    /// `RULE_WRITES_PER_SECOND`, 5 by default.
    pub rule_writes_per_second: u32,
}

impl Settings {
    /// Which functions may be warmed.
    pub fn boundary(&self) -> Boundary {
        Boundary::new(Some(&self.namespace), Some(&self.warmer_arn), &self.warming_accounts)
    }

    /// # Errors
    /// Everything that is missing or wrong.
    pub fn read(mut reader: Reader) -> Result<Self, SettingsError> {
        let database = DatabaseSettings::read(&mut reader);
        let claim_names = service::claim_names(&mut reader);
        let aws = aws::aws_settings(&mut reader);
        let warmer_arn = reader.required("WARMER_FUNCTION_ARN");
        let dead_letter_arn = reader.optional("DEAD_LETTER_ARN");
        let function_prefix = reader.or("FUNCTION_PREFIX", "");
        let warming_accounts = service::warming_accounts(&mut reader);
        let writes = reader.parsed("RULE_WRITES_PER_SECOND", "5", |text| text.parse().ok().filter(|n| *n > 0));
        let namespace = service::namespace(&mut reader);
        let (Some(namespace), Some(rule_writes_per_second)) = (namespace, writes) else {
            return reader.finish(()).and(Err(SettingsError(Vec::new())));
        };
        reader.finish(Self {
            database,
            claim_names,
            aws,
            namespace,
            warmer_arn,
            dead_letter_arn,
            function_prefix,
            warming_accounts,
            rule_writes_per_second,
        })
    }
}
