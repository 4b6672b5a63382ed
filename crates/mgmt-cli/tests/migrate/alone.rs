//! On a server that has never seen us. Roles belong to the whole server, so these tests hide the existing ones under other
//! names meanwhile and run alone (.config/nextest.toml).

use mgmt_testkit::database::{PASSWORD, REQUEST_LOGIN, TestDatabase, WORKER_LOGIN};
use tokio_postgres::{Client, NoTls};

use crate::bed::{FILES, applied, migrate, plain, refusal, text};

const ROLES: [&str; 7] =
    ["anon", "authenticated", "service_role", "module_mgmt_request", "module_mgmt_worker", REQUEST_LOGIN, WORKER_LOGIN];

/// Gives the hidden roles their names back; what the test made under those names goes with its database.
async fn restore(server: &Client, database: Option<&str>) {
    if let Some(database) = database {
        server.batch_execute(&format!("drop database if exists {database} with (force)")).await.unwrap();
    }
    for role in ROLES {
        if exists(server, &hidden(role)).await {
            server.batch_execute(&format!("drop role if exists {role}")).await.unwrap();
            server.batch_execute(&format!("alter role {} rename to {role}", hidden(role))).await.unwrap();
        }
    }
}

fn hidden(role: &str) -> String {
    format!("hidden_{role}")
}

async fn exists(server: &Client, role: &str) -> bool {
    server.query_opt("select from pg_roles where rolname = $1", &[&role]).await.unwrap().is_some()
}

/// Runs the test on an empty database of a server without our roles; they come back whatever happens in it.
async fn on_a_new_server(test: impl AsyncFn(&TestDatabase)) {
    // The template of the other tests needs the roles under their names: it is made before.
    drop(TestDatabase::create().await);
    let database = TestDatabase::empty().await;
    let server_url = database.admin_url().replace(&database.name, "postgres");
    let (server, connection) = tokio_postgres::connect(&server_url, NoTls).await.unwrap();
    tokio::spawn(connection);
    // A run that was killed has not restored them.
    restore(&server, None).await;
    for role in ROLES {
        server.batch_execute(&format!("alter role {role} rename to {}", hidden(role))).await.unwrap();
    }
    let outcome = {
        let test = std::panic::AssertUnwindSafe(test(&database));
        futures_util::FutureExt::catch_unwind(test).await
    };
    restore(&server, Some(&database.name)).await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

async fn log_in(database: &TestDatabase, login: &str, password: &str) -> bool {
    let url = database.url(login).replace(&format!(":{PASSWORD}@"), &format!(":{password}@"));
    tokio_postgres::connect(&url, NoTls).await.is_ok()
}

#[tokio::test]
async fn a_fresh_server_gets_roles_schema_passwords_and_a_schedule_that_is_off() {
    on_a_new_server(async |database| {
        let mut command = migrate(&database.admin_url());
        // A password that needs quoting in SQL.
        command.env("REQUEST_LOGIN_PASSWORD", "it's;--x").env("WORKER_LOGIN_PASSWORD", "worker");
        assert_eq!(applied(command).await, FILES);
        let admin = database.admin().await;
        let roles = "select string_agg(concat_ws(' ', rolname, rolcanlogin, rolinherit, rolbypassrls, rolsuper), ',' order by rolname)
            from pg_roles where rolname = any (array['anon', 'authenticated', 'service_role']) or rolname like 'module_mgmt%'";
        assert_eq!(
            text(&admin, roles).await,
            "anon f f f f,authenticated f f f f,module_mgmt_definer f f f f,module_mgmt_request f f f f,module_mgmt_request_login t f f f,\
             module_mgmt_worker f f f f,module_mgmt_worker_login t f f f,service_role f f t f"
        );
        let schedule = "select config_value ->> 'enabled' from platform_lambda_config where config_key = 'lambda_warming'";
        assert_eq!(text(&admin, schedule).await, "false");
        let jwt = "select set_config('request.jwt.claims', '{\"sub\":\"auth0|1\"}', false) || coalesce(auth.uid()::text, ' no uuid')";
        assert_eq!(text(&admin, jwt).await, "{\"sub\":\"auth0|1\"} no uuid");

        assert!(log_in(database, REQUEST_LOGIN, "it's;--x").await && log_in(database, WORKER_LOGIN, "worker").await);
        assert!(!log_in(database, REQUEST_LOGIN, PASSWORD).await);
        // Without a password the one that is set stays.
        assert_eq!(applied(migrate(&database.admin_url())).await, Vec::<String>::new());
        assert!(log_in(database, REQUEST_LOGIN, "it's;--x").await);
    })
    .await;
}

#[tokio::test]
async fn plain_postgres_without_bootstrap_is_told_what_to_do() {
    on_a_new_server(async |database| {
        let said = refusal(plain(&database.admin_url())).await;
        assert!(said.contains("on plain Postgres run mgmt migrate --bootstrap-roles"), "{said}");
        assert_eq!(applied(migrate(&database.admin_url())).await, FILES[1..]);
    })
    .await;
}
