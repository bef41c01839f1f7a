//! Opening the sockets to listen on, with errors that say what to do.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use listenfd::ListenFd;
use tokio::net::{TcpListener, TcpSocket, ToSocketAddrs, UnixListener, UnixStream, lookup_host};

/// Connections that wait to be taken: room for a crowd that comes at once. Who finds none tries
/// again after a second. (The system has a limit of its own.)
const BACKLOG: u32 = 1024;

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {problem}: {remedy}")]
pub struct BindError {
    address: String,
    problem: String,
    remedy: &'static str,
}

/// A socket that is listened on.
#[derive(Debug)]
pub enum Listener {
    /// An address and a port.
    Tcp(TcpListener),
    /// A file. It is taken away when nobody listens any more, unless systemd made it.
    Unix(UnixListener, Option<SocketFile>),
}

/// The file of a socket, removed with it.
#[derive(Debug)]
pub struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _gone_already = std::fs::remove_file(&self.0);
    }
}

impl Listener {
    /// Its address, if it has one.
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix(..) => None,
        }
    }

    /// What it listens on, for people.
    pub fn place(&self) -> String {
        match self {
            Self::Tcp(_) => self.address().map_or("?".into(), |address| address.to_string()),
            Self::Unix(listener, _) => {
                let address = listener.local_addr().ok();
                let path = address.as_ref().and_then(|address| address.as_pathname());
                format!("{UNIX}{}", path.unwrap_or(Path::new("?")).display())
            }
        }
    }
}

/// What stands before the path of a unix socket.
pub const UNIX: &str = "unix:";

/// Opens what `address` says: `unix:PATH`, or as [`bind`].
///
/// # Errors
/// Why not, and what to do about it.
pub async fn open(address: &str) -> Result<Listener, BindError> {
    match address.strip_prefix(UNIX) {
        Some(path) => bind_unix(Path::new(path)).await,
        None => bind(address).await.map(Listener::Tcp),
    }
}

async fn bind_unix(path: &Path) -> Result<Listener, BindError> {
    // An exporter that was killed leaves its file behind, and nobody answers there.
    let is_socket = |path: &Path| path.metadata().is_ok_and(|meta| meta.file_type().is_socket());
    if is_socket(path) && UnixStream::connect(path).await.is_err() {
        let _the_bind_tells = std::fs::remove_file(path);
    }
    let bound = UnixListener::bind(path);
    let bound = bound.map(|listener| Listener::Unix(listener, Some(SocketFile(path.into()))));
    bound.map_err(|error| BindError {
        address: format!("{UNIX}{}", path.display()),
        problem: error.to_string(),
        remedy: "name a file that does not exist yet in a folder that may be written to",
    })
}

/// Takes over the sockets that systemd opened (`LISTEN_FDS`).
///
/// # Errors
/// None was handed over, or one of a kind that cannot be served.
pub fn from_systemd() -> Result<Vec<Listener>, BindError> {
    let failed = |problem: String| BindError {
        address: "the sockets of systemd".into(),
        problem,
        remedy: "start this service by its .socket unit (ListenStream=), or leave out \
                 --web.systemd-socket",
    };
    let mut handed_over = ListenFd::from_env();
    if handed_over.len() == 0 {
        return Err(failed("none was handed over".into()));
    }
    let mut listeners = Vec::new();
    for socket_idx in 0..handed_over.len() {
        let listener =
            take(&mut handed_over, socket_idx).map_err(|error| failed(error.to_string()));
        listeners.extend(listener?);
    }
    Ok(listeners)
}

fn take(handed_over: &mut ListenFd, socket_idx: usize) -> io::Result<Option<Listener>> {
    if let Ok(Some(tcp)) = handed_over.take_tcp_listener(socket_idx) {
        tcp.set_nonblocking(true)?;
        return TcpListener::from_std(tcp).map(|tcp| Some(Listener::Tcp(tcp)));
    }
    let Some(unix) = handed_over.take_unix_listener(socket_idx)? else { return Ok(None) };
    unix.set_nonblocking(true)?;
    UnixListener::from_std(unix).map(|unix| Some(Listener::Unix(unix, None)))
}

/// Opens a socket to listen on: `HOST:PORT`, `[IPV6]:PORT`, or `:PORT` for every address of the
/// machine, IPv6 and IPv4 in one socket, or IPv4 alone where there is no IPv6.
///
/// # Errors
/// An address that is none, is taken, or is not allowed, with what to do.
pub async fn bind(address: &str) -> Result<TcpListener, BindError> {
    let failed = |error: io::Error| explain(address, &error);
    let Some((host, port)) = address.rsplit_once(':') else { return Err(malformed(address)) };
    let Ok(port) = port.parse::<u16>() else { return Err(malformed(address)) };
    if !host.is_empty() {
        return open_tcp(address).await.map_err(failed);
    }
    match open_tcp(("::", port)).await {
        Ok(listener) => Ok(listener),
        Err(error) if has_no_ipv6(&error) => open_tcp(("0.0.0.0", port)).await.map_err(failed),
        Err(error) => Err(failed(error)),
    }
}

/// The first of the addresses of a name that can be had.
async fn open_tcp(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
    let mut failed = io::Error::new(ErrorKind::InvalidInput, "the name has no address");
    for address in lookup_host(address).await? {
        match open_tcp_at(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn open_tcp_at(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // After a restart the port is not taken by connections of before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn has_no_ipv6(error: &io::Error) -> bool {
    // A kernel without IPv6 knows no such family, for which `ErrorKind` has no word.
    !matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied)
}

fn malformed(address: &str) -> BindError {
    BindError {
        address: format!("`{address}`"),
        problem: "not an address".into(),
        remedy: "write HOST:PORT, [IPV6]:PORT, :PORT or unix:PATH in --web.listen-address",
    }
}

fn explain(address: &str, error: &io::Error) -> BindError {
    let (problem, remedy) = if error.kind() == ErrorKind::AddrInUse {
        (
            "address already in use".into(),
            "another program holds this port; choose another with --web.listen-address",
        )
    } else if error.kind() == ErrorKind::PermissionDenied {
        (
            "permission denied".into(),
            "ports below 1024 need a privilege; choose another with --web.listen-address",
        )
    } else if error.kind() == ErrorKind::AddrNotAvailable {
        (
            "no such address on this machine".into(),
            "choose one that it has, or :PORT for all, with --web.listen-address",
        )
    } else {
        (error.to_string(), "choose another with --web.listen-address")
    };
    BindError { address: address.into(), problem, remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refusal(address: &str) -> String {
        bind(address).await.expect_err("no listener").to_string()
    }

    #[tokio::test]
    async fn a_port_in_use_is_told_with_what_to_do() {
        let holder = bind("127.0.0.1:0").await.expect("a free port");
        let address = holder.local_addr().expect("an address").to_string();
        assert_eq!(
            refusal(&address).await,
            format!(
                "cannot listen on {address}: address already in use: another program holds this \
                 port; choose another with --web.listen-address"
            )
        );
    }

    #[tokio::test]
    async fn what_is_no_address_is_told_with_how_to_write_one() {
        for address in ["10180", "localhost", ":", "localhost:http", ":70000", ""] {
            assert_eq!(
                refusal(address).await,
                format!(
                    "cannot listen on `{address}`: not an address: write HOST:PORT, [IPV6]:PORT, \
                     :PORT or unix:PATH in --web.listen-address"
                )
            );
        }
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_told() {
        let text = refusal("192.0.2.1:0").await;
        assert!(text.contains("no such address on this machine: choose one that it has"), "{text}");
    }

    #[tokio::test]
    async fn a_port_alone_listens_on_every_address() {
        let listener = bind(":0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let accepted = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
        assert!(accepted.is_ok(), "IPv4 too: {accepted:?}");
    }

    #[tokio::test]
    async fn a_unix_socket_is_opened_over_a_dead_one_and_taken_away_at_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("exporter.sock");
        let address = format!("unix:{}", path.display());
        drop(std::os::unix::net::UnixListener::bind(&path).expect("the socket of a dead exporter"));
        let listener = open(&address).await.expect("a socket");
        assert_eq!(listener.place(), address);
        let second = open(&address).await.expect_err("somebody listens").to_string();
        assert!(second.contains("name a file that does not exist yet"), "{second}");
        assert!(path.exists(), "the second try leaves the first one alone");
        drop(listener);
        assert!(!path.exists());
        std::fs::write(&path, "no socket").expect("a file");
        assert!(open(&address).await.is_err() && path.exists(), "a file that is no socket is kept");
    }
}
