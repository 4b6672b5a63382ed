//! PgBouncer in transaction mode before the test server: every statement of ours must work through it.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::home::Home;
use super::postgres::Postgres;
use super::process::{Program, free_port};

/// The running pooler.
pub(crate) struct PgBouncer {
    pub(crate) port: u16,
    _program: Program,
}

impl PgBouncer {
    pub(crate) async fn start(home: &Home, postgres: &Postgres) -> Result<Self> {
        let port = free_port()?;
        let folder = home.database.join("pgbouncer");
        home.owned_folder(&folder)?;
        let (config, users) = (folder.join("pgbouncer.ini"), folder.join("users.txt"));
        fs::write(
            &users,
            "\"module_mgmt_request_login\" \"local-only\"\n\"module_mgmt_worker_login\" \"local-only\"\n",
        )?;
        fs::write(
            &config,
            format!(
                "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
                 unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\npool_mode = transaction\n\
                 default_pool_size = 3\nmax_client_conn = 500\n",
                postgres.port,
                users.display()
            ),
        )?;
        let log = home.root.join("pgbouncer.log");
        let mut command = Command::new("pgbouncer");
        command.arg(&config);
        let mut program = Program::start("pgbouncer", &mut command, &log, home.unprivileged)?;
        let listens = async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok();
        program.wait_until(&log, Duration::from_secs(10), listens).await?;
        Ok(Self { port, _program: program })
    }
}
