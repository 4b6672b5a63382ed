//! MiniStack, a local AWS from PyPI that runs `provided.al2023` binaries without containers, in a venv of its own.

use std::fs;
use std::io::{self, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::home::Home;
use super::http::Http;
use super::process::{Program, free_port, run};
use crate::output::progress;

const VERSION: &str = "1.5.33";
/// Without this package MiniStack's JWT authorizer answers 401 to every token.
const CRYPTOGRAPHY_VERSION: &str = "50.0.2";
/// MiniStack answers requests within milliseconds once it listens; importing its services takes seconds.
const START_LIMIT: Duration = Duration::from_secs(60);

const RESET_LIMIT: Duration = Duration::from_secs(5);

/// The venv that MiniStack runs in.
#[derive(Debug, Clone)]
pub(crate) struct Python {
    pub(crate) program: PathBuf,
}

/// The running server.
pub(crate) struct MiniStack {
    pub(crate) port: u16,
    _program: Program,
}

impl Python {
    /// Makes the venv when there is none. A marker written last tells a whole venv from one whose making was killed.
    pub(crate) fn install(home: &Home) -> Result<Self> {
        let venv = home.root.join(format!("ministack-{VERSION}"));
        let python = Self { program: venv.join("bin/python") };
        let marker = venv.join("complete");
        if !marker.exists() {
            progress(&format!("installing MiniStack {VERSION}"));
            run("making the Python venv", Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
            let mut pip = Command::new(&python.program);
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
            pip.arg(format!("ministack=={VERSION}")).arg(format!("cryptography=={CRYPTOGRAPHY_VERSION}"));
            run("installing MiniStack", &mut pip)?;
            fs::write(&marker, VERSION).with_context(|| format!("cannot write {}", marker.display()))?;
        }
        Ok(python)
    }
}

impl MiniStack {
    /// Starts with nothing deployed; `name` keeps the files of a smoke run apart from those of a developer.
    pub(crate) async fn start(home: &Home, python: &Python, name: &str, http: &Http) -> Result<Self> {
        let port = free_port()?;
        let files = home.root.join(name);
        if files.exists() {
            fs::remove_dir_all(&files).with_context(|| format!("cannot clear {}", files.display()))?;
        }
        fs::create_dir_all(&files)?;
        let log = home.root.join(format!("{name}.log"));
        let mut command = Command::new(&python.program);
        command.args(["-m", "ministack"]);
        // Functions inherit MiniStack's environment, so it is a known one and not the developer's.
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("TMPDIR", &files);
        command.env("GATEWAY_PORT", port.to_string()).env("BIND_HOST", "127.0.0.1");
        command.env("IOT_MTLS_ENABLED", "0").env("SFTP_ENABLED", "0").env("PYTHONUNBUFFERED", "1");
        // By default an idle instance ends after 300 seconds, at the very moment of a ping every five minutes.
        command.env("LAMBDA_WARM_TTL_SECONDS", "900");
        // AWS's own default; MiniStack's depends on the machine's memory.
        command.env("LAMBDA_ACCOUNT_CONCURRENCY", "1000");
        let program = Program::start("MiniStack", &mut command, &log, None)?;
        let mut server = Self { port, _program: program };
        let health = format!("{}/_ministack/health", server.url());
        let answers = async || http.get(&health).await.is_ok_and(|answer| answer.status == 200);
        server._program.wait_until(&log, START_LIMIT, answers).await?;
        Ok(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Lets MiniStack end the functions it runs. At its own end it leaves them behind; killed then, they would stay
    /// zombies wherever process 1 collects nobody, as in many containers.
    fn end_functions(&self) -> io::Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(RESET_LIMIT))?;
        let request =
            "POST /_ministack/reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes())?;
        io::copy(&mut stream, &mut io::sink()).map(drop)
    }
}

impl Drop for MiniStack {
    fn drop(&mut self) {
        // A MiniStack that does not answer is ended by force, with all it runs.
        let _ = self.end_functions();
    }
}
