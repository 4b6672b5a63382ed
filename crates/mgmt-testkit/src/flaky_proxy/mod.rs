//! A TCP proxy between a function and Postgres. A test cuts and restores its connections, and reads how many round trips they made.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

mod question;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use question::Question;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};

/// What the proxy does with connections to Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    Passes,
    /// Connections end, and new ones end at once.
    Cut,
    /// New connections are accepted and never answered; old ones end.
    Silent,
    /// Passes until a commit: the commit reaches Postgres, its answer does not reach the client. Old connections end.
    LosesCommits,
}

/// The running proxy. It runs until the test's runtime ends.
#[derive(Debug)]
pub struct FlakyProxy {
    port: u16,
    postgres: u16,
    state: Arc<State>,
    questions: mpsc::UnboundedSender<Question>,
}

#[derive(Debug)]
struct State {
    traffic: AtomicU8,
    changed: Notify,
    round_trips: AtomicU64,
    questions: Mutex<mpsc::UnboundedReceiver<Question>>,
}

impl FlakyProxy {
    /// Starts a proxy to the server of this URL, whose port must be written out.
    ///
    /// # Panics
    /// The URL has no port, or the loopback interface refuses a listener.
    pub async fn to(url: &str) -> Self {
        let postgres = url.rsplit(':').next().unwrap().split('/').next().unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let traffic = AtomicU8::new(Traffic::Passes as u8);
        let (questions, asked) = mpsc::unbounded_channel();
        let state =
            State { traffic, changed: Notify::new(), round_trips: AtomicU64::new(0), questions: Mutex::new(asked) };
        let state = Arc::new(state);
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, postgres, Arc::clone(&shared)));
            }
        });
        Self { port, postgres, state, questions }
    }

    /// The same URL through the proxy.
    pub fn url(&self, url: &str) -> String {
        url.replace(&format!(":{}/", self.postgres), &format!(":{}/", self.port))
    }

    /// Ends every connection and treats later ones so.
    pub fn set(&self, traffic: Traffic) {
        self.state.traffic.store(traffic as u8, Ordering::SeqCst);
        self.state.changed.notify_waiters();
    }

    /// How often a client has spoken after the server had, or first: the round trips so far, those of connecting too.
    pub fn round_trips(&self) -> u64 {
        self.state.round_trips.load(Ordering::SeqCst)
    }
}

impl FlakyProxy {
    /// Asks Postgres on a connection that a client keeps open, in between its statements: this is what the client's next statement
    /// would find, such as a role or a setting that was left. The statement has one row with one text.
    ///
    /// # Panics
    /// No connection is open, one was left inside a transaction, or the statement fails.
    pub async fn ask(&self, statement: &str) -> String {
        let (answer, answered) = oneshot::channel();
        self.questions.send(Question { statement: statement.to_owned(), answer }).unwrap();
        let answered = tokio::time::timeout(Duration::from_secs(5), answered).await;
        answered.expect("a connection is open").expect("the connection stays open").unwrap()
    }
}

async fn carry(mut client: TcpStream, postgres: u16, state: Arc<State>) {
    let changed = state.changed.notified();
    let traffic = state.traffic.load(Ordering::SeqCst);
    if traffic == Traffic::Cut as u8 {
        return;
    }
    if traffic == Traffic::Silent as u8 {
        changed.await;
        return;
    }
    let mut server = TcpStream::connect(("127.0.0.1", postgres)).await.unwrap();
    let loses_commits = traffic == Traffic::LosesCommits as u8;
    tokio::select! {
        () = pass(&mut client, &mut server, &state, loses_commits) => {}
        () = changed, if !loses_commits => {}
    }
}

async fn pass(client: &mut TcpStream, server: &mut TcpStream, state: &State, loses_commits: bool) {
    let (mut sent, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    let mut server_spoke_last = true;
    loop {
        tokio::select! {
            read = client.read(&mut sent) => {
                let Ok(length @ 1..) = read else { return };
                if server.write_all(&sent[..length]).await.is_err() {
                    return;
                }
                if server_spoke_last {
                    state.round_trips.fetch_add(1, Ordering::SeqCst);
                }
                server_spoke_last = false;
                if loses_commits && sent[..length].windows(7).any(|bytes| bytes == b"commit\0") {
                    // Postgres answers when it has committed; only then does the connection end.
                    let _ = server.read(&mut answered).await;
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                if client.write_all(&answered[..length]).await.is_err() {
                    return;
                }
                server_spoke_last = true;
            }
            Some(question) = next_question(state), if server_spoke_last => question.ask(server).await,
        }
    }
}

async fn next_question(state: &State) -> Option<Question> {
    state.questions.lock().await.recv().await
}
