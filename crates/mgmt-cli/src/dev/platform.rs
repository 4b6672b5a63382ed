//! The whole local platform: started in order, ended in reverse by being dropped.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use axum::http::Method;
use serde_json::Value;
use tokio::task::spawn_blocking;

use super::aws::Aws;
use super::deploy::{deploy, function_names};
use super::gateway::{Gateway, Listener};
use super::home::Home;
use super::http::{Answer, Http};
use super::identity::{Issuer, MEMBER, PEOPLE, PLATFORM_ADMIN, Person, write_secret};
use super::ministack::{MiniStack, Python};
use super::postgres::{LOGIN_PASSWORD, Postgres};
use crate::migration::{Passwords, migrate};
use crate::output::progress;

/// How the lines begin that Lambda itself writes around each invocation.
const FRAMES: [&str; 3] = ["START RequestId", "END RequestId", "REPORT RequestId"];

/// Which data a platform works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Data {
    /// A developer's, kept from start to start.
    Kept,
    /// A fresh database in a cluster of its own.
    Fresh,
}

/// The running platform. The fields are dropped in this order: nobody loses what it needs while it still answers.
pub(crate) struct Platform {
    _gateway: Gateway,
    _ministack: MiniStack,
    postgres: Postgres,
    pub(crate) aws: Aws,
    pub(crate) http: Http,
    issuer: Issuer,
    /// The origin of the API, for example `http://127.0.0.1:8080`.
    pub(crate) url: String,
    _claim: File,
}

impl Platform {
    /// `port` 0 takes a free one for the API.
    pub(crate) async fn start(home: &Home, data: Data, port: u16) -> Result<Self> {
        let (cluster, database, ministack_files) = match data {
            Data::Kept => ("cluster", "module_mgmt", "ministack"),
            Data::Fresh => ("smoke-cluster", "smoke", "ministack-smoke"),
        };
        let claim = home.claim(cluster)?;
        let http = Http::new();
        // A taken port is told before anything else is started.
        let listener = Listener::bind(port).await?;
        let python = {
            let home = home.clone();
            spawn_blocking(move || Python::install(&home)).await.context("the installation was interrupted")??
        };
        let issuer = Issuer::open(&home.root, &python, listener.url.clone())?;
        progress("starting Postgres and MiniStack");
        let (postgres, ministack) = tokio::try_join!(
            Postgres::start(home, cluster, data == Data::Kept),
            MiniStack::start(home, &python, ministack_files, &http)
        )?;
        postgres.make_database(database, data == Data::Fresh).await?;
        let passwords = Passwords { request: Some(LOGIN_PASSWORD), worker: Some(LOGIN_PASSWORD) };
        let applied = migrate(&postgres.url(database), None, true, false, passwords).await?.applied;
        progress(&format!("the database is migrated ({} files were new)", applied.len()));
        let aws = Aws::new(http.clone(), ministack.url());
        let api_id = deploy(&aws, postgres.port, database, &issuer.url).await?;
        let host = format!("{api_id}.execute-api.localhost:{}", ministack.port);
        let url = listener.url.clone();
        let gateway = listener.serve(&issuer, http.clone(), ministack.port, &host)?;
        Ok(Self { _gateway: gateway, _ministack: ministack, postgres, aws, http, issuer, url, _claim: claim })
    }

    /// A request to the API as a person, or without an identity.
    pub(crate) async fn ask(
        &self,
        person: Option<&Person>,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let authorization = person.map(|person| self.token(person)).transpose()?.map(|token| format!("Bearer {token}"));
        let headers: Vec<(&str, &str)> = authorization.iter().map(|value| ("authorization", value.as_str())).collect();
        self.http.send(method, &format!("{}{path}", self.url), &headers, body).await
    }

    pub(crate) fn token(&self, person: &Person) -> Result<String> {
        self.issuer.token(person)
    }

    /// Writes what the functions have logged to a file, as MiniStack's own log does not hold it.
    pub(crate) async fn save_logs(&self, home: &Home) -> Result<PathBuf> {
        let mut text = String::new();
        for name in function_names() {
            let lines = self.aws.logged(name).await?;
            let own = lines.iter().filter(|line| !FRAMES.iter().any(|frame| line.starts_with(frame)));
            text.extend(own.map(|line| format!("{name}: {line}\n")));
        }
        let file = home.root.join("functions.log");
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }

    /// Where everything is and how to ask it something, for a developer. The tokens are written to files too, and what a
    /// shell needs to `.dev/env`, so that the README's commands can be pasted as they are.
    pub(crate) fn welcome(&self, home: &Home) -> Result<String> {
        let folder = home.root.join("tokens");
        std::fs::create_dir_all(&folder)?;
        let mut tokens = String::new();
        for person in &PEOPLE {
            let token = self.token(person)?;
            write_secret(&folder.join(person.id), token.as_bytes())?;
            tokens += &format!("\n{}:\n{token}\n", person.title);
        }
        let exports = exports(&self.url, &folder)?;
        let file = home.root.join("env");
        std::fs::write(&file, &exports).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(format!(
            "\nTokens, valid for 12 hours:\n{tokens}\n\
             API        {url}\n\
             AWS        {aws} (MiniStack)\n\
             Postgres   {postgres}\n\
             Logs       {logs}\n\n\
             In another terminal, paste this, or run: . {file}\n\n{exports}\n\
             Then try:\n  curl $MODULE_MGMT_URL/platform/health\n  \
             curl -H \"Authorization: Bearer $MODULE_MGMT_TOKEN\" $MODULE_MGMT_URL/platform/lambda-config\n  \
             curl -H \"Authorization: Bearer $MEMBER_TOKEN\" $MODULE_MGMT_URL/platform/navigation\n  \
             curl -H \"Authorization: Bearer $MEMBER_TOKEN\" $MODULE_MGMT_URL/samples/orders/1\n  \
             mgmt modules list\n\n\
             Ctrl-C stops everything.",
            url = self.url,
            aws = self.aws.endpoint,
            postgres = self.postgres.url("module_mgmt"),
            logs = home.root.join("*.log").display(),
            file = file.display(),
        ))
    }
}

/// What a shell needs to talk to this platform. It names the tokens' files, which only their owner reads.
fn exports(url: &str, tokens: &Path) -> Result<String> {
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let programs = program.parent().context("this program is in no folder")?;
    let token = |person: &Person| tokens.join(person.id);
    Ok(format!(
        "export MODULE_MGMT_URL={url}\n\
         export MODULE_MGMT_TOKEN=$(cat '{admin}')\n\
         export MEMBER_TOKEN=$(cat '{member}')\n\
         export PATH='{programs}':$PATH\n",
        admin = token(&PLATFORM_ADMIN).display(),
        member = token(&MEMBER).display(),
        programs = programs.display(),
    ))
}
