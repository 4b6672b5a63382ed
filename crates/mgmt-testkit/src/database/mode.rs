//! The two ways to a database, and tests that go both.

/// How a function reaches its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionMode {
    Direct,
    /// Through PgBouncer in transaction mode.
    PgBouncer,
}

/// Makes two tests of an `async fn(ConnectionMode)` that lies beside it, so that both run at once: `name::direct` and
/// `name::through_pgbouncer`.
#[macro_export]
macro_rules! direct_and_through_pgbouncer {
    ($name:ident) => {
        mod $name {
            use mgmt_testkit::database::ConnectionMode;

            #[tokio::test]
            async fn direct() {
                super::$name(ConnectionMode::Direct).await;
            }

            #[tokio::test]
            async fn through_pgbouncer() {
                super::$name(ConnectionMode::PgBouncer).await;
            }
        }
    };
}
