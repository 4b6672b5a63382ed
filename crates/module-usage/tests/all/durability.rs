//! Acknowledged means durable: Postgres is killed with SIGKILL while events are acknowledged, and nothing of them is missing when it
//! is back. A server of its own, from the programs of the test server, with the settings that a production server has.

use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mgmt_common::serve::Service;
use mgmt_common::settings::DatabaseRole;
use mgmt_testkit::database::{PASSWORD, REQUEST_LOGIN, TestDatabase, WORKER_LOGIN, sql_files};
use mgmt_testkit::gateway::{Request, Who};
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};

use crate::bed::{BATCH, deliver, send, settings};
use crate::values::{event, message};

struct Server {
    programs: PathBuf,
    data: PathBuf,
    /// The owner of the test server's data: Postgres does not run as root.
    owner: (u32, u32),
    port: u16,
    postmaster: Option<Child>,
}

impl Server {
    async fn make() -> Self {
        let admin = TestDatabase::empty().await.admin().await;
        let setting = async |query: &str| admin.query_one(query, &[]).await.unwrap().get::<_, String>(0);
        let programs = PathBuf::from(setting("select setting from pg_config where name = 'BINDIR'").await);
        let owner = std::fs::metadata(setting("show data_directory").await).unwrap();
        let data = std::env::temp_dir().join(format!("module-usage-{}", uuid::Uuid::now_v7().simple()));
        std::fs::create_dir(&data).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { programs, data, owner: (owner.uid(), owner.gid()), port, postmaster: None };
        chown(&server.data, Some(server.owner.0), Some(server.owner.1)).unwrap();
        let mut initdb = server.command("initdb");
        initdb.args(["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "-D"]).arg(&server.data);
        assert!(initdb.status().unwrap().success());
        server
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .current_dir(Path::new("/"));
        if std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() != self.owner.0) {
            command.uid(self.owner.0).gid(self.owner.1);
        }
        command
    }

    fn spawn(&self) -> Child {
        let mut postgres = self.command("postgres");
        postgres.arg("-D").arg(&self.data).args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        postgres.args(["-c", "unix_socket_directories=", "-c", "restart_after_crash=off"]);
        postgres.spawn().unwrap()
    }

    async fn start(&mut self) -> Client {
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

    /// All of its processes at once, as when a machine loses its memory.
    fn kill(&mut self) {
        if let Some(mut postmaster) = self.postmaster.take() {
            let group = format!("-{}", postmaster.id());
            assert!(Command::new("kill").args(["-9", "--", &group]).status().unwrap().success());
            postmaster.wait().unwrap();
        }
    }

    fn url(&self, login: &str) -> String {
        format!("postgres://{login}:{PASSWORD}@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

/// Sends batches until the database is gone; the numbers of the events that were acknowledged.
async fn write(service: Service, over_http: bool, first: u64) -> Vec<u64> {
    let mut acknowledged = Vec::new();
    for batch in 0.. {
        let numbers: Vec<u64> = (0..20).map(|n| first + batch * 20 + n).collect();
        let events: Vec<Value> = numbers.iter().map(|number| event(*number)).collect();
        let done = if over_http {
            let request = Request::post(BATCH).json(&json!({ "events": events })).by(Who::Member);
            send(&service, &request).await.status == 200
        } else {
            let messages: Vec<String> = events.iter().map(|event| message("org-a", "u", event)).collect();
            deliver(&service, &messages).await.unwrap() == json!({"batchItemFailures": []})
        };
        if !done {
            break;
        }
        acknowledged.extend(numbers);
    }
    acknowledged
}

async fn survive(rounds: u64, loud: bool) {
    let mut server = Server::make().await;
    let admin = server.start().await;
    for (file, sql) in ["bootstrap", "schema", "migrations"].into_iter().flat_map(sql_files) {
        admin.batch_execute(sql).await.unwrap_or_else(|error| panic!("{file}: {error:?}"));
    }
    drop(admin);
    let mut acknowledged: Vec<u64> = Vec::new();
    for round in 0..rounds {
        let writers: Vec<_> =
            [(true, REQUEST_LOGIN, DatabaseRole::Request), (false, WORKER_LOGIN, DatabaseRole::Worker)]
                .into_iter()
                .zip(1_u64..)
                .map(|((over_http, login, role), writer)| {
                    let service = module_usage::service(settings(server.url(login), role));
                    tokio::spawn(write(service, over_http, (round * 2 + writer) * 1_000_000))
                })
                .collect();
        tokio::time::sleep(Duration::from_millis(150 + round * 17 % 100)).await;
        server.kill();
        let before = acknowledged.len();
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
        let admin = server.start().await;
        let ids: Vec<String> =
            acknowledged.iter().map(|number| event(*number)["id"].as_str().unwrap()[24..].to_owned()).collect();
        let missing = "select count(*) from unnest($1::text[]) sent
            where not exists (select from platform_module_usage where right(event_id::text, 12) = sent)";
        let row = admin.query_one(missing, &[&ids]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), 0, "round {round}: acknowledged and missing");
        let differing = "select count(*) from (select distinct usage_date from platform_module_usage_daily) days
            cross join lateral module_mgmt.verify_usage(usage_date)";
        assert_eq!(admin.query_one(differing, &[]).await.unwrap().get::<_, i64>(0), 0, "round {round}: daily = raw");
        if loud {
            let told = acknowledged.len() - before;
            let _ = writeln!(std::io::stderr(), "round {}: {told} acknowledged and there", round + 1);
        }
    }
    assert!(!acknowledged.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_killed_postgres() {
    survive(2, false).await;
}

/// `scripts/storm` runs it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a minute of work: scripts/storm"]
async fn what_was_acknowledged_survives_twenty_killed_postgreses() {
    survive(20, true).await;
}
