//! A client that can be told exactly how to speak.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};
use rustls::{ClientConfig, RootCertStore, SupportedCipherSuite, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::world::World;

/// How to ask.
#[derive(Clone, Default)]
pub(super) struct Client {
    pub(super) tls: bool,
    pub(super) versions: Vec<&'static SupportedProtocolVersion>,
    pub(super) suites: Vec<SupportedCipherSuite>,
    pub(super) curves: Vec<&'static dyn SupportedKxGroup>,
    pub(super) certificate: Option<&'static str>,
    pub(super) login: Option<(String, String)>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
    /// The suite of TLS, and the certificate of the server.
    pub(super) suite: Option<SupportedCipherSuite>,
    pub(super) certificate: Option<CertificateDer<'static>>,
}

pub(super) fn plain() -> Client {
    Client::default()
}

pub(super) fn tls() -> Client {
    Client { tls: true, ..Client::default() }
}

impl Client {
    pub(super) fn with_certificate(self, name: &'static str) -> Self {
        Self { certificate: Some(name), ..self }
    }

    pub(super) fn login(self, name: &str, password: &str) -> Self {
        Self { login: Some((name.into(), password.into())), ..self }
    }

    /// Asks for `path` on a connection of its own; an error is what went wrong below HTTP.
    pub(super) async fn get(
        &self,
        world: &World,
        address: SocketAddr,
        path: &str,
    ) -> Result<Answer, String> {
        let told = |error: std::io::Error| error.to_string();
        let stream = TcpStream::connect(address).await.map_err(told)?;
        if !self.tls {
            return exchange(stream, &self.request(path)).await;
        }
        let connector = TlsConnector::from(Arc::new(self.config(world)));
        let name = ServerName::try_from("localhost").unwrap();
        let stream = connector.connect(name, stream).await.map_err(told)?;
        let (_, connection) = stream.get_ref();
        let suite = connection.negotiated_cipher_suite();
        let certificate = connection.peer_certificates().map(|chain| chain[0].clone().into_owned());
        let answer = exchange(stream, &self.request(path)).await?;
        Ok(Answer { suite, certificate, ..answer })
    }

    fn request(&self, path: &str) -> String {
        let login = self.login.as_ref().map_or(String::new(), |(name, password)| {
            let encoded = base64(format!("{name}:{password}").as_bytes());
            format!("authorization: Basic {encoded}\r\n")
        });
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{login}\r\n")
    }

    fn config(&self, world: &World) -> ClientConfig {
        let mut provider = ring::default_provider();
        if !self.suites.is_empty() {
            provider.cipher_suites.clone_from(&self.suites);
        }
        if !self.curves.is_empty() {
            provider.kx_groups.clone_from(&self.curves);
        }
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(world.path("ca.pem")).unwrap()).unwrap();
        let versions =
            if self.versions.is_empty() { rustls::ALL_VERSIONS } else { &self.versions[..] };
        let versions: Vec<_> =
            (versions.iter().copied()).filter(|version| usable(&provider, version)).collect();
        let builder = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&versions)
            .unwrap()
            .with_root_certificates(roots);
        match self.certificate {
            None => builder.with_no_client_auth(),
            Some(name) => {
                let file = |ending| world.path(&format!("{name}.{ending}"));
                let certificate = CertificateDer::from_pem_file(file("crt")).unwrap();
                let key = PrivateKeyDer::from_pem_file(file("key")).unwrap();
                builder.with_client_auth_cert(vec![certificate], key).unwrap()
            }
        }
    }
}

fn usable(provider: &CryptoProvider, version: &SupportedProtocolVersion) -> bool {
    provider.cipher_suites.iter().any(|suite| suite.version() == version)
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    request: &str,
) -> Result<Answer, String> {
    let told = |error: std::io::Error| error.to_string();
    stream.write_all(request.as_bytes()).await.map_err(told)?;
    let mut text = String::new();
    // A server that turns a certificate away says so here, after the handshake of TLS 1.3.
    stream.read_to_string(&mut text).await.map_err(told)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no HTTP came back")?;
    let status = head.get(9..12).and_then(|status| status.parse().ok()).ok_or("no status")?;
    let (head, body) = (head.to_owned(), body.to_owned());
    Ok(Answer { status, head, body, suite: None, certificate: None })
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte))
            << (8 * (3 - three.len()));
        for digit in 0..4 {
            let value = bits >> (18 - 6 * digit) & 63;
            text.push(if digit > three.len() { '=' } else { char::from(DIGITS[value as usize]) });
        }
    }
    text
}
