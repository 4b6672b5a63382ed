//! A Postgres of a test's own, from the programs of the test server, with the settings that a production server has.

use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mgmt_testkit::database::{PASSWORD, TestDatabase, sql_files};
use tokio_postgres::{Client, NoTls};

use crate::small_disk::SmallDisk;

pub(crate) struct Server {
    programs: PathBuf,
    data: PathBuf,
    /// The owner of the test server's data: Postgres does not run as root.
    owner: (u32, u32),
    port: u16,
    postmaster: Option<Child>,
    /// Where the data lies, unless it lies among everybody's.
    pub(crate) disk: Option<SmallDisk>,
}

impl Server {
    /// With a number, its data lies on a file system of so many megabytes, if the machine lets us mount one.
    pub(crate) async fn make(megabytes: Option<u32>) -> Self {
        let database = TestDatabase::empty().await;
        let admin = database.admin().await;
        let setting = async |query: &str| admin.query_one(query, &[]).await.unwrap().get::<_, String>(0);
        let programs = PathBuf::from(setting("select setting from pg_config where name = 'BINDIR'").await);
        let owner = std::fs::metadata(setting("show data_directory").await).unwrap();
        let owner = (owner.uid(), owner.gid());
        let data = std::env::temp_dir().join(format!("module-usage-{}", uuid::Uuid::now_v7().simple()));
        std::fs::create_dir(&data).unwrap();
        chown(&data, Some(owner.0), Some(owner.1)).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let disk = megabytes.and_then(|megabytes| SmallDisk::mount(&data, megabytes, owner));
        let server = Self { programs, data, owner, port, postmaster: None, disk };
        let mut initdb = server.command("initdb");
        initdb.args(["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "-D"]).arg(&server.data);
        if megabytes.is_some() {
            initdb.arg("--wal-segsize=1");
        }
        assert!(initdb.status().unwrap().success());
        server
    }

    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = match &self.disk {
            Some(disk) => disk.command(&program),
            None => {
                let mut command = Command::new(program);
                if own_uid() != self.owner.0 {
                    command.uid(self.owner.0).gid(self.owner.1);
                }
                command
            }
        };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.process_group(0).current_dir(Path::new("/"));
        command
    }

    fn spawn(&self) -> Child {
        let mut postgres = self.command("postgres");
        postgres.arg("-D").arg(&self.data).args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        postgres.args(["-c", "unix_socket_directories=", "-c", "restart_after_crash=off"]);
        postgres.spawn().unwrap()
    }

    pub(crate) async fn start(&mut self) -> Client {
        let mut postmaster = self.spawn();
        let started = Instant::now();
        loop {
            if let Ok((client, connection)) = tokio_postgres::connect(&self.url("postgres"), NoTls).await {
                tokio::spawn(connection);
                self.postmaster = Some(postmaster);
                return client;
            }
            // It gives up at once while a killed process of the last one still holds the shared memory.
            if postmaster.try_wait().unwrap().is_some() {
                postmaster = self.spawn();
            }
            assert!(started.elapsed() < Duration::from_secs(60), "Postgres does not come up");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether it has not ended by itself.
    pub(crate) fn is_up(&mut self) -> bool {
        self.postmaster.as_mut().is_some_and(|postmaster| postmaster.try_wait().unwrap().is_none())
    }

    /// All of its processes at once, as when a machine loses its memory.
    pub(crate) fn kill(&mut self) {
        if let Some(mut postmaster) = self.postmaster.take() {
            let group = format!("-{}", postmaster.id());
            // One that has ended by itself may have left nobody behind.
            let killed = Command::new("kill").args(["-9", "--", &group]).stderr(Stdio::null()).status().unwrap();
            assert!(killed.success() || postmaster.try_wait().unwrap().is_some());
            postmaster.wait().unwrap();
        }
    }

    pub(crate) fn url(&self, login: &str) -> String {
        format!("postgres://{login}:{PASSWORD}@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        drop(self.disk.take());
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

pub(crate) fn own_uid() -> u32 {
    std::fs::metadata("/proc/self").map_or(u32::MAX, |own| own.uid())
}

pub(crate) async fn load_schema(admin: &Client) {
    for (file, sql) in ["bootstrap", "schema", "migrations"].into_iter().flat_map(sql_files) {
        admin.batch_execute(sql).await.unwrap_or_else(|error| panic!("{file}: {error:?}"));
    }
}
