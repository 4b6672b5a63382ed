//! A wire between a function and Postgres, which a test cuts and restores.
#![expect(clippy::unwrap_used, reason = "a test that cannot be arranged should stop where it fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
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
    state: Arc<(AtomicU8, Notify)>,
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
        let state = Arc::new((AtomicU8::new(Wire::Passes as u8), Notify::new()));
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
        self.state.0.store(wire as u8, Ordering::SeqCst);
        self.state.1.notify_waiters();
    }
}

async fn carry(mut client: TcpStream, postgres: u16, state: Arc<(AtomicU8, Notify)>) {
    let changed = state.1.notified();
    let wire = state.0.load(Ordering::SeqCst);
    if wire == Wire::Cut as u8 {
        return;
    }
    if wire == Wire::Silent as u8 {
        changed.await;
        return;
    }
    let mut server = TcpStream::connect(("127.0.0.1", postgres)).await.unwrap();
    if wire == Wire::LosesCommits as u8 {
        return lose_commits(&mut client, &mut server).await;
    }
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        () = changed => {}
    }
}

async fn lose_commits(client: &mut TcpStream, server: &mut TcpStream) {
    let (mut sent, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            Ok(length) = client.read(&mut sent) => {
                server.write_all(&sent[..length]).await.unwrap();
                if length == 0 || sent[..length].windows(7).any(|bytes| bytes == b"commit\0") {
                    // Postgres answers when it has committed; only then does the wire end.
                    let _ = server.read(&mut answered).await;
                    return;
                }
            }
            Ok(length) = server.read(&mut answered) => client.write_all(&answered[..length]).await.unwrap(),
        }
    }
}
