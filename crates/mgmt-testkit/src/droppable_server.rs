//! A loopback HTTP server whose handlers can drop their own connection, which is how a lost response looks to a client.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// Connections that may wait to be accepted. The usual 128 overflow when 200 invokes start together, and the kernel then lets the
/// overflowing clients try again only after a whole second.
const BACKLOG: u32 = 4096;

/// A running server; it stops when this value is dropped.
#[derive(Debug)]
pub struct DroppableServer {
    address: SocketAddr,
    task: JoinHandle<io::Result<()>>,
}

impl DroppableServer {
    /// Serves the router on a free port of 127.0.0.1. Handlers find a [`Connection`] as `ConnectInfo`.
    ///
    /// # Errors
    /// The loopback interface refuses a listener.
    pub async fn start(router: Router) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        let service = router.into_make_service_with_connect_info::<Connection>();
        let task = tokio::spawn(async move { axum::serve(DroppableListener(listener), service).await });
        Ok(Self { address, task })
    }

    /// `http://127.0.0.1:{port}`, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for DroppableServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The connection that a request came in on.
#[derive(Debug, Clone, Default)]
pub struct Connection(Arc<AtomicBool>);

impl Connection {
    /// Makes the next write to the client fail, so that the server closes the connection without an answer.
    pub fn drop_without_answer(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Connected<IncomingStream<'_, DroppableListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, DroppableListener>) -> Self {
        stream.io().connection.clone()
    }
}

struct DroppableListener(TcpListener);

impl Listener for DroppableListener {
    type Io = DroppableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Small answers must not wait for the client's delayed acknowledgement, which would look like a slow AWS. A
        // socket that refuses the option is only slower.
        let _ = stream.set_nodelay(true);
        (DroppableStream { stream, connection: Connection::default() }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

struct DroppableStream {
    stream: TcpStream,
    connection: Connection,
}

impl AsyncRead for DroppableStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for DroppableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.connection.0.load(Ordering::SeqCst) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
