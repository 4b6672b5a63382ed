//! Programs that the local platform starts, and ends with itself.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::home::Unprivileged;

/// A program under way. Dropping it ends it: politely first, by force after five seconds; then whatever it left behind.
pub(crate) struct Program {
    name: &'static str,
    child: Child,
    /// The signal that asks the program to end; Postgres ends at once on INT and waits for clients on TERM.
    stop_signal: &'static str,
}

impl Program {
    pub(crate) fn start(
        name: &'static str,
        command: &mut Command,
        log: &Path,
        account: Option<Unprivileged>,
    ) -> Result<Self> {
        let log_file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(log_file.try_clone()?).stderr(log_file);
        // A process group of its own: Ctrl-C reaches this program, which then ends the others in order.
        command.process_group(0);
        run_as(command, account);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name, child, stop_signal: "-TERM" })
    }

    pub(crate) fn stopped_by(mut self, signal: &'static str) -> Self {
        self.stop_signal = signal;
        self
    }

    /// Waits until `ready` says so.
    ///
    /// # Errors
    /// When the program ends before, or takes longer than `limit`; with the end of its log.
    pub(crate) async fn wait_until(
        &mut self,
        log: &Path,
        limit: Duration,
        ready: impl AsyncFn() -> bool,
    ) -> Result<()> {
        let started = Instant::now();
        while !ready().await {
            let ended = self.child.try_wait()?;
            if ended.is_some() || started.elapsed() > limit {
                let text = std::fs::read_to_string(log).unwrap_or_default();
                let tail: Vec<&str> = text.lines().rev().take(15).collect();
                let tail: Vec<&str> = tail.into_iter().rev().collect();
                let what = if ended.is_some() { "ended at start" } else { "did not get ready" };
                bail!("{} {what}; its log ({}) ends:\n{}", self.name, log.display(), tail.join("\n"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args([self.stop_signal, &pid]).status();
        let started = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && started.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        // What a program that ended by force was running is still in its process group, which mostly is empty by now.
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{pid}")]).stderr(Stdio::null()).status();
    }
}

/// A person's command, run in this program's place: it shares the terminal, and is asked to end when this is dropped.
pub(crate) struct Guest(pub(crate) tokio::process::Child);

impl Drop for Guest {
    fn drop(&mut self) {
        // There is no id any more when it has ended by itself. Nothing is waited for: the terminal tells the rest.
        if let Some(pid) = self.0.id() {
            let _ = Command::new("kill").args(["-TERM", &pid.to_string()]).status();
        }
    }
}

pub(crate) fn run_as(command: &mut Command, account: Option<Unprivileged>) {
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid).current_dir("/");
    }
}

/// Runs a program to its end.
///
/// # Errors
/// When it cannot be started or fails; with what it printed.
pub(crate) fn run(what: &str, command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{what}: cannot start {command:?}"))?;
    if !output.status.success() {
        let printed = [output.stdout, output.stderr].concat();
        bail!("{what} failed:\n{}", String::from_utf8_lossy(&printed).trim());
    }
    Ok(())
}

/// A port of 127.0.0.1 that is free now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
