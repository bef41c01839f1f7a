//! A connection, from its acceptance to the first byte of HTTP: plain, or after a handshake.

use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsAcceptor;
use tracing::debug;

use super::Listener;

/// The first byte of every TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// What is read of a client that is turned away, so that it hears why.
const UNREAD_BYTES_MAX: u64 = 64 * 1024;

/// What somebody hears who speaks plain HTTP where TLS is spoken.
const SPEAK_TLS: &[u8] = b"HTTP/1.0 400 Bad Request\r\n\
    content-type: text/plain; charset=utf-8\r\nconnection: close\r\n\r\n\
    this is an HTTPS server and was asked by HTTP; use https:// (in Prometheus: scheme: https)\n";

/// A connection as it was accepted.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A connection on which HTTP is spoken.
pub(super) type Spoken = Box<dyn ReadWrite>;

/// Both directions.
pub(super) trait ReadWrite: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ReadWrite for T {}

/// How a connection began.
pub(super) enum Greeting {
    /// HTTP can be spoken.
    Done(Spoken),
    /// Somebody spoke plain HTTP where TLS is on, and was told so.
    NotTls,
}

/// Waits for the next connection.
pub(super) async fn accept(listener: &Listener) -> io::Result<Stream> {
    match listener {
        Listener::Tcp(listener) => listener.accept().await.map(|(stream, _)| Stream::Tcp(stream)),
        Listener::Unix(listener, _) => {
            listener.accept().await.map(|(stream, _)| Stream::Unix(stream))
        }
    }
}

/// Shakes hands where TLS is on.
pub(super) async fn greet(stream: Stream, tls: Option<Arc<ServerConfig>>) -> io::Result<Greeting> {
    match (stream, tls) {
        (Stream::Tcp(mut stream), tls) => {
            if let Err(error) = stream.set_nodelay(true) {
                debug!(%error, "cannot set TCP_NODELAY");
            }
            let Some(tls) = tls else { return Ok(Greeting::Done(Box::new(stream))) };
            let mut first = [0];
            if stream.peek(&mut first).await? == 1 && first[0] != HANDSHAKE {
                stream.write_all(SPEAK_TLS).await?;
                part(stream).await?;
                return Ok(Greeting::NotTls);
            }
            shake_hands(stream, tls).await
        }
        (Stream::Unix(stream), None) => Ok(Greeting::Done(Box::new(stream))),
        (Stream::Unix(stream), Some(tls)) => shake_hands(stream, tls).await,
    }
}

async fn shake_hands<S: ReadWrite + 'static>(
    stream: S,
    tls: Arc<ServerConfig>,
) -> io::Result<Greeting> {
    match TlsAcceptor::from(tls).accept(stream).into_fallible().await {
        Ok(stream) => Ok(Greeting::Done(Box::new(stream))),
        Err((error, stream)) => {
            part(stream).await?;
            Err(error)
        }
    }
}

/// Closes a connection so that the last word is heard: closed with bytes still unread, it would be
/// reset, and a client would see that and not why.
async fn part(mut stream: impl ReadWrite) -> io::Result<()> {
    stream.shutdown().await?;
    tokio::io::copy(&mut stream.take(UNREAD_BYTES_MAX), &mut tokio::io::sink()).await?;
    Ok(())
}
