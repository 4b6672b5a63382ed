//! A wire between a function and Postgres, which a test cuts and restores, and which counts round trips.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What the wire before Postgres does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Passes,
    /// Connections end, and new ones end at once.
    Cut,
    /// New connections are accepted and never answered; old ones end.
    Silent,
    /// Passes until a commit: that reaches Postgres, its answer reaches nobody. Old connections end.
    LosesCommits,
}

/// The wire. It lies until the test's runtime ends.
#[derive(Debug)]
pub struct Cable {
    port: u16,
    postgres: u16,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    wire: AtomicU8,
    changed: Notify,
    round_trips: AtomicU64,
}

impl Cable {
    /// Lays a cable to the server of this URL, whose port must be written out.
    ///
    /// # Panics
    /// The URL has no port, or the loopback interface refuses a listener.
    pub async fn to(url: &str) -> Self {
        let postgres = url.rsplit(':').next().unwrap().split('/').next().unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let wire = AtomicU8::new(Wire::Passes as u8);
        let state = Arc::new(State { wire, changed: Notify::new(), round_trips: AtomicU64::new(0) });
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, postgres, Arc::clone(&shared)));
            }
        });
        Self { port, postgres, state }
    }

    /// The same URL through the cable.
    pub fn url(&self, url: &str) -> String {
        url.replace(&format!(":{}/", self.postgres), &format!(":{}/", self.port))
    }

    /// Ends every connection and treats later ones so.
    pub fn set(&self, wire: Wire) {
        self.state.wire.store(wire as u8, Ordering::SeqCst);
        self.state.changed.notify_waiters();
    }

    /// How often a client has spoken after the server had, or first: the round trips so far, those of connecting too.
    pub fn round_trips(&self) -> u64 {
        self.state.round_trips.load(Ordering::SeqCst)
    }
}

async fn carry(mut client: TcpStream, postgres: u16, state: Arc<State>) {
    let changed = state.changed.notified();
    let wire = state.wire.load(Ordering::SeqCst);
    if wire == Wire::Cut as u8 {
        return;
    }
    if wire == Wire::Silent as u8 {
        changed.await;
        return;
    }
    let mut server = TcpStream::connect(("127.0.0.1", postgres)).await.unwrap();
    let loses_commits = wire == Wire::LosesCommits as u8;
    tokio::select! {
        () = pass(&mut client, &mut server, &state.round_trips, loses_commits) => {}
        () = changed, if !loses_commits => {}
    }
}

async fn pass(client: &mut TcpStream, server: &mut TcpStream, round_trips: &AtomicU64, loses_commits: bool) {
    let (mut sent, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    let mut server_spoke_last = true;
    loop {
        tokio::select! {
            Ok(length) = client.read(&mut sent) => {
                if length == 0 || server.write_all(&sent[..length]).await.is_err() {
                    return;
                }
                if server_spoke_last {
                    round_trips.fetch_add(1, Ordering::SeqCst);
                }
                server_spoke_last = false;
                if loses_commits && sent[..length].windows(7).any(|bytes| bytes == b"commit\0") {
                    // Postgres answers when it has committed; only then does the wire end.
                    let _ = server.read(&mut answered).await;
                    return;
                }
            }
            Ok(length) = server.read(&mut answered) => {
                if length == 0 || client.write_all(&answered[..length]).await.is_err() {
                    return;
                }
                server_spoke_last = true;
            }
            else => return,
        }
    }
}
