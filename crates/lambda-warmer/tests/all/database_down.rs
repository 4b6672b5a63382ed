use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use mgmt_testkit::database::{TestDatabase, WORKER_LOGIN};
use mgmt_testkit::lambda_api::FakeFunction;
use serde_json::json;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use crate::bed::Bed;

/// A way to the database that a test can cut.
async fn cuttable(url: &str) -> (String, Arc<AtomicBool>) {
    let port: u16 = url.rsplit(':').next().unwrap().split('/').next().unwrap().parse().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    let is_cut = Arc::new(AtomicBool::new(false));
    let cut = Arc::clone(&is_cut);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let cut = Arc::clone(&cut);
            tokio::spawn(async move {
                if cut.load(Ordering::Relaxed) {
                    return;
                }
                let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let passing = copy_bidirectional(&mut client, &mut server);
                let watching = async {
                    while !cut.load(Ordering::Relaxed) {
                        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                    }
                };
                tokio::select! { _ = passing => {}, () = watching => {} }
            });
        }
    });
    (url.replace(&port.to_string(), &own.to_string()), is_cut)
}

#[tokio::test]
async fn without_the_database_the_last_good_schedule_goes_on_and_is_marked_stale() {
    let database = TestDatabase::create().await;
    let (url, is_cut) = cuttable(&database.url(WORKER_LOGIN)).await;
    let bed = Bed::with_url(database, url).await;
    bed.lambda.add(FakeFunction::new("orders"));
    bed.always(json!(["orders"])).await;

    is_cut.store(true, Ordering::Relaxed);
    let error = bed.tick_at(Timestamp::now()).await.unwrap_err();
    assert!(error.contains("has seen no schedule yet"), "{error}");

    is_cut.store(false, Ordering::Relaxed);
    assert_eq!(bed.tick().await["recorded"], true);

    is_cut.store(true, Ordering::Relaxed);
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let later = Timestamp::now() + jiff::SignedDuration::from_mins(1);
    let answer = bed.tick_at(later).await.unwrap();
    assert_eq!(
        (&answer["outcome"], &answer["stale"], &answer["recorded"]),
        (&json!("ran"), &json!(true), &json!(false))
    );
    assert!(answer["report"]["note"].as_str().unwrap().contains("the database was down"), "{answer}");
    assert_eq!(bed.lambda.counters("orders").invokes, 2);
    // The same tick again, still without a database: this sandbox knows that it ran.
    assert_eq!(bed.tick_at(later).await.unwrap()["outcome"], "alreadyClaimed");
    assert_eq!(bed.lambda.counters("orders").invokes, 2);
}
