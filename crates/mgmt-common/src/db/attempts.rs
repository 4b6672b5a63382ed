//! Runs a transaction, again where the database asks for it.

use std::time::Duration;

use super::error::{Error, Fault, Result};
use super::identity::Identity;
use super::pool::{Connections, within};
use super::transaction::{Transaction, Work};

/// How often a transaction is run when the database asks for a retry (40001, 40P01).
const ATTEMPTS: u32 = 4;

/// A transaction that was committed or rolled back.
struct Ended<T, E> {
    result: Result<T, E>,
    /// A statement failed because of a concurrent transaction.
    wants_retry: bool,
}

/// The limit is over all attempts: a request waits no longer because the database asked for a retry.
pub(super) async fn run<'work, T, E, W>(connections: &Connections, identity: &Identity, work: W) -> Result<T, E>
where
    E: From<Error>,
    W: Work<'work, T, E>,
{
    let attempts = async {
        let mut attempt = 1;
        loop {
            let ended = run_once(connections, identity, &work).await;
            let wants_retry = match &ended {
                Ok(ended) => ended.wants_retry,
                Err(fault) => fault.wants_retry(),
            };
            if !wants_retry || attempt == ATTEMPTS {
                return ended.map(|ended| ended.result);
            }
            tracing::info!(transaction = name_of::<W>(), attempt, "repeated after a conflict with another transaction");
            tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
            attempt += 1;
        }
    };
    let ended = within(identity.limit, attempts).await;
    ended.unwrap_or_else(|error| {
        tracing::warn!(transaction = name_of::<W>(), %error, "a transaction failed");
        Err(error.into())
    })
}

async fn run_once<'work, T, E>(
    connections: &Connections,
    identity: &Identity,
    work: &impl Work<'work, T, E>,
) -> Result<Ended<T, E>, Fault> {
    let transaction = match begin(connections, identity).await {
        // As with reads: a connection that died while the sandbox was frozen has done nothing yet.
        Err(fault) if fault.is_disconnect() => {
            connections.forget();
            begin(connections, identity).await?
        }
        other => other?,
    };
    match work(&transaction).await {
        Ok(value) => {
            transaction.commit().await?;
            Ok(Ended { result: Ok(value), wants_retry: false })
        }
        Err(error) => {
            let wants_retry = transaction.wants_retry();
            transaction.rollback().await;
            Ok(Ended { result: Err(error), wants_retry })
        }
    }
}

async fn begin(connections: &Connections, identity: &Identity) -> Result<Transaction, Fault> {
    let Identity { role, claims, statement_timeout, .. } = identity;
    Transaction::begin(connections.connect().await?, role, claims, *statement_timeout).await
}

/// The function that a transaction is written in, for the log: the path of its closure without what the compiler adds.
fn name_of<W>() -> &'static str {
    std::any::type_name::<W>().split("::{{closure}}").next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::name_of;

    fn name<W>(_: W) -> &'static str {
        name_of::<W>()
    }

    #[tokio::test]
    async fn a_transaction_is_named_after_its_function() {
        let named = name(|| ());
        assert!(named.ends_with("::a_transaction_is_named_after_its_function"), "{named}");
    }
}
