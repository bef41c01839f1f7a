//! The other side: asking once whether an exporter answers, for health checks of containers.
//!
//! No proxy, no redirect, and the certificate is not checked: it asks this machine, unless `--url`
//! names another, and nothing secret is sent.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::Uri;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::stream::ReadWrite;

/// How long the whole question may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// The beginning of the answer, of which only the status matters.
const ANSWER_BYTES_MAX: u64 = 512;

/// Whom to ask, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Where it listens.
    pub target: Target,
    /// Whether TLS is spoken there; if that is not known, both are tried.
    pub tls: Option<bool>,
    /// The path, with its query.
    pub path: String,
}

/// Why an exporter is taken for dead.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Dead(String);

/// Where an exporter listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// At a host and port. Without a host, and for the address that stands for all of a machine, it
    /// is this machine.
    Tcp(Option<String>, u16),
    /// At a unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(None, port) => write!(f, "port {port} of this machine"),
            Self::Tcp(Some(host), port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(Some(host), port) => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Probe {
    /// Reads a whole address.
    ///
    /// # Errors
    /// A sentence without a subject.
    pub fn from_url(url: &str) -> Result<Self, String> {
        let wrong =
            || "must be a whole address, such as http://localhost:10180/-/healthy".to_owned();
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let (tls, port) = match uri.scheme_str() {
            Some("http") => (false, 80),
            Some("https") => (true, 443),
            _ => return Err(wrong()),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let target = Target::Tcp(Some(host), uri.port_u16().unwrap_or(port));
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { target, tls: Some(tls), path })
    }

    /// Asks. The exporter is alive if it says so, if it wants a password, and if it wants a
    /// certificate.
    ///
    /// # Errors
    /// A sentence that says why it is not.
    pub async fn ask(&self) -> Result<(), Dead> {
        let Self { target, path, .. } = self;
        let told = match tokio::time::timeout(PATIENCE, self.status()).await {
            Ok(Ok(Status::WantsCertificate | Status::Http(200 | 401))) => return Ok(()),
            Ok(Ok(Status::Http(status))) => format!("{target} answers {path} with {status}"),
            Ok(Ok(Status::NotHttp)) => format!("what {target} answers is not HTTP"),
            Ok(Err(error)) => format!("{target} does not answer: {error}"),
            Err(_) => format!("{target} does not answer within {PATIENCE:?}"),
        };
        Err(Dead(told))
    }

    async fn status(&self) -> io::Result<Status> {
        match self.tls {
            Some(true) => self.status_over_tls().await,
            Some(false) => self.status_of(self.connect().await?).await,
            None => match self.status_over_tls().await {
                Err(_) => self.status_of(self.connect().await?).await,
                answered => answered,
            },
        }
    }

    async fn connect(&self) -> io::Result<Box<dyn ReadWrite>> {
        Ok(match &self.target {
            Target::Unix(path) => Box::new(UnixStream::connect(path).await?),
            Target::Tcp(host, port) => match addresses(host.as_deref()) {
                Ok(known) => {
                    let known: Vec<_> = known.iter().map(|known| (*known, *port).into()).collect();
                    Box::new(TcpStream::connect(&known[..]).await?)
                }
                Err(name) => Box::new(TcpStream::connect((name, *port)).await?),
            },
        })
    }

    async fn status_over_tls(&self) -> io::Result<Status> {
        let client = Arc::new(Client::default());
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&client) as _)
            .with_client_cert_resolver(Arc::clone(&client) as _);
        let name = match &self.target {
            Target::Tcp(Some(host), _) => host.clone(),
            Target::Tcp(None, _) | Target::Unix(_) => "localhost".into(),
        };
        let name = ServerName::try_from(name).map_err(io::Error::other)?;
        let stream = self.connect().await?;
        let spoken = async {
            let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
            self.status_of(Box::new(stream)).await
        };
        match spoken.await {
            Err(error) if client.was_asked.load(Ordering::Relaxed) && is_alert(&error) => {
                Ok(Status::WantsCertificate)
            }
            spoken => spoken,
        }
    }

    async fn status_of(&self, mut stream: Box<dyn ReadWrite>) -> io::Result<Status> {
        let host = match &self.target {
            target @ Target::Tcp(Some(_), _) => target.to_string(),
            Target::Tcp(None, port) => format!("localhost:{port}"),
            Target::Unix(_) => "localhost".into(),
        };
        let request = format!(
            "GET {} HTTP/1.1\r\nhost: {host}\r\nuser-agent: cometchat-exporter healthcheck\r\n\
             connection: close\r\n\r\n",
            self.path
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        let read = stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await;
        let status = std::str::from_utf8(answer.get(..12).unwrap_or_default()).ok();
        let status = status.and_then(|line| line.strip_prefix("HTTP/1.")?.get(2..)?.parse().ok());
        match (status, read) {
            (Some(status), _) => Ok(Status::Http(status)),
            (None, Err(error)) => Err(error),
            (None, Ok(_)) => Ok(Status::NotHttp),
        }
    }
}

/// What an exporter said.
enum Status {
    Http(u16),
    WantsCertificate,
    NotHttp,
}

/// The addresses of a host; an error is its name, to be looked up.
fn addresses(host: Option<&str>) -> Result<Vec<IpAddr>, &str> {
    let (v4, v6) = (IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST));
    let Some(host) = host else { return Ok(vec![v4, v6]) };
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(any)) if any.is_unspecified() => Ok(vec![v4]),
        Ok(IpAddr::V6(any)) if any.is_unspecified() => Ok(vec![v6, v4]),
        Ok(address) => Ok(vec![address]),
        Err(_) => Err(host),
    }
}

fn is_alert(error: &io::Error) -> bool {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(tls, Some(rustls::Error::AlertReceived(_)))
}

/// A client without a certificate that believes every server.
#[derive(Debug, Default)]
struct Client {
    /// Whether the server asked for a certificate.
    was_asked: AtomicBool,
}

impl ResolvesClientCert for Client {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.was_asked.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        true // else it would not be asked
    }
}

impl ServerCertVerifier for Client {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_address_is_read() {
        let read = |url| {
            Probe::from_url(url).map(|probe| (probe.target.to_string(), probe.tls, probe.path))
        };
        let expected = |target: &str, tls, path: &str| Ok((target.into(), Some(tls), path.into()));
        assert_eq!(
            read("http://localhost:10180/-/healthy"),
            expected("localhost:10180", false, "/-/healthy")
        );
        assert_eq!(read("https://[::1]/a?b=c"), expected("[::1]:443", true, "/a?b=c"));
        assert_eq!(read("http://example.org"), expected("example.org:80", false, "/"));
        for wrong in ["", "localhost:10180", "/-/healthy", "ftp://localhost/", "http://"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_address_for_all_is_asked_at_this_machine() {
        let shown =
            |host| addresses(host).map(|known| known.iter().map(IpAddr::to_string).collect());
        let expected =
            |known: &[&str]| Ok(known.iter().map(|ip| (*ip).to_owned()).collect::<Vec<_>>());
        assert_eq!(shown(None), expected(&["127.0.0.1", "::1"]));
        assert_eq!(shown(Some("0.0.0.0")), expected(&["127.0.0.1"]));
        assert_eq!(shown(Some("::")), expected(&["::1", "127.0.0.1"]));
        assert_eq!(shown(Some("192.0.2.1")), expected(&["192.0.2.1"]));
        assert_eq!(shown(Some("exporter")), Err("exporter"));
    }
}
