//! Opening the sockets to listen on, with errors that say what to do.

use std::io::{self, ErrorKind};

use tokio::net::TcpListener;

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {problem}: {remedy}")]
pub struct BindError {
    address: String,
    problem: String,
    remedy: &'static str,
}

/// Opens a socket to listen on: `HOST:PORT`, `[IPV6]:PORT`, or `:PORT` for every address of the
/// machine, IPv6 and IPv4 in one socket, or IPv4 alone where there is no IPv6.
pub async fn bind(address: &str) -> Result<TcpListener, BindError> {
    let failed = |error: io::Error| explain(address, &error);
    let Some((host, port)) = address.rsplit_once(':') else { return Err(malformed(address)) };
    let Ok(port) = port.parse::<u16>() else { return Err(malformed(address)) };
    if !host.is_empty() {
        return TcpListener::bind(address).await.map_err(failed);
    }
    match TcpListener::bind(("::", port)).await {
        Ok(listener) => Ok(listener),
        Err(error) if has_no_ipv6(&error) => {
            TcpListener::bind(("0.0.0.0", port)).await.map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

fn has_no_ipv6(error: &io::Error) -> bool {
    // A kernel without IPv6 knows no such family, for which `ErrorKind` has no word.
    !matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied)
}

fn malformed(address: &str) -> BindError {
    BindError {
        address: format!("`{address}`"),
        problem: "not an address".into(),
        remedy: "write HOST:PORT, [IPV6]:PORT or :PORT in --web.listen-address",
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
                    "cannot listen on `{address}`: not an address: write HOST:PORT, [IPV6]:PORT \
                     or :PORT in --web.listen-address"
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
}
