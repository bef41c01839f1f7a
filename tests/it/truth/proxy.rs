//! A proxy between an exporter and its API that can break the way in every manner.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What the way is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Open,
    /// Nobody listens.
    Refused,
    /// The connection is reset in the middle of the answer.
    Reset,
    /// Whatever is sent, nothing comes back.
    Silent,
}

/// The proxy; it ends when dropped.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    way: watch::Sender<Way>,
    _runtime: Runtime,
}

impl Proxy {
    /// Stands before `api` from now on.
    pub(super) fn before(api: SocketAddr) -> Self {
        let runtime = Runtime::new().unwrap();
        let (way, watched) = watch::channel(Way::Open);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(listen(listener, api, watched));
        Self { address, way, _runtime: runtime }
    }

    pub(super) fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

async fn listen(listener: TcpListener, api: SocketAddr, mut way: watch::Receiver<Way>) {
    let address = listener.local_addr().unwrap();
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        let now = *way.borrow_and_update();
        if now == Way::Refused {
            listener = None;
        } else if listener.is_none() {
            listener = Some(TcpListener::bind(address).await.unwrap());
        }
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await.unwrap().0,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            stream = accepted => drop(connections.spawn(carry(stream, api, way.clone()))),
            changed = way.changed() => if changed.is_err() { return },
        }
    }
}

/// Carries bytes until the way changes; then the connection ends as the new way has it.
async fn carry(mut client: TcpStream, api: SocketAddr, mut way: watch::Receiver<Way>) {
    let now = *way.borrow_and_update();
    let mut server = TcpStream::connect(api).await.unwrap();
    let carried = async {
        match now {
            Way::Open | Way::Refused => {
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            }
            Way::Reset => cut(&mut client, &mut server).await,
            Way::Silent => std::future::pending().await,
        }
    };
    tokio::select! {
        () = carried => {}
        _ = way.changed() => {}
    }
}

/// Carries one request, a few bytes of its answer, and a reset.
async fn cut(client: &mut TcpStream, server: &mut TcpStream) {
    let mut buffer = [0; 4096];
    let n_asked = client.read(&mut buffer).await.unwrap_or_default();
    let _ = server.write_all(&buffer[..n_asked]).await;
    let n_answered = server.read(&mut buffer[..300]).await.unwrap_or_default();
    let _ = client.write_all(&buffer[..n_answered]).await;
    client.set_zero_linger().unwrap();
}
