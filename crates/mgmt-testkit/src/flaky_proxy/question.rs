//! A question of the test's own on a connection that a function keeps: what its next request would find there.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

#[derive(Debug)]
pub(super) struct Question {
    pub(super) statement: String,
    pub(super) answer: oneshot::Sender<Result<String, String>>,
}

impl Question {
    /// Asks while neither side is in the middle of something.
    pub(super) async fn ask(self, server: &mut TcpStream) {
        let answer = ask(server, &self.statement).await.unwrap_or_else(|error| Err(error.to_string()));
        // A test that no longer waits has failed already.
        let _ = self.answer.send(answer);
    }
}

/// The first column of the only row. An error: what Postgres said, or that a transaction is open.
/// Source: "Message Formats" in the PostgreSQL manual.
async fn ask(server: &mut TcpStream, statement: &str) -> std::io::Result<Result<String, String>> {
    let length = u32::try_from(statement.len() + 5).map_err(std::io::Error::other)?;
    let message = [b"Q", length.to_be_bytes().as_slice(), statement.as_bytes(), b"\0"].concat();
    server.write_all(&message).await?;
    let mut answer = Err("no row".to_owned());
    loop {
        let kind = server.read_u8().await?;
        let length = server.read_u32().await?.saturating_sub(4);
        let mut body = vec![0; usize::try_from(length).map_err(std::io::Error::other)?];
        server.read_exact(&mut body).await?;
        match kind {
            // Two bytes count the columns, four are the first one's length.
            b'D' => answer = Ok(String::from_utf8_lossy(body.get(6..).unwrap_or_default()).into_owned()),
            b'E' => answer = Err(String::from_utf8_lossy(&body).into_owned()),
            b'Z' if body != b"I" => return Ok(Err("the connection was left inside a transaction".to_owned())),
            b'Z' => return Ok(answer),
            _ => {}
        }
    }
}
