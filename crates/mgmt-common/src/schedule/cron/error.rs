//! Why a text is no cron expression.

/// AWS refuses longer expressions (`PutRule`, parameter `ScheduleExpression`).
pub const MAX_EXPRESSION_LENGTH: usize = 256;

/// Why an expression is not one that EventBridge takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    #[error("the expression has {0} characters, EventBridge allows {MAX_EXPRESSION_LENGTH}")]
    TooLong(usize),
    #[error("the expression must look like cron(minutes hours day-of-month month day-of-week year)")]
    NotCron,
    #[error("the expression has {0} fields, EventBridge needs six")]
    FieldCount(usize),
    #[error("exactly one of day-of-month and day-of-week must be `?`")]
    DayFields,
    #[error("{field} {text:?}: {reason}")]
    Field {
        /// The field as the user guide names it, for example `day-of-week`.
        field: &'static str,
        /// The part of the field that is wrong.
        text: String,
        reason: String,
    },
}
