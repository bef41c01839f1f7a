//! The HTTP client that all apps share: certificates, proxies, connections.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// Makes ring the process's cryptography. Does nothing when there is some already.
pub fn install_crypto() {
    // The error says that a provider is installed, which is what was wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Where the certificates come from that a server's certificate is checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roots {
    /// The file that `SSL_CERT_FILE` names.
    File(PathBuf),
    /// The system.
    System,
    /// Those of Mozilla that are built in, since the system has none.
    BuiltIn,
}

/// Whether proxies are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxies {
    /// As `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    Environment,
    /// Not at all: for what runs beside us.
    Ignored,
}

/// One pool of connections for all apps, so that hundreds of them load the certificates once.
#[derive(Clone)]
pub struct Transport {
    pub(super) http: reqwest::Client,
    pub(super) timeout: Duration,
    /// The reason why there is none, since `http` needs none.
    pub(super) roots: Result<Roots, String>,
}

/// Why no transport can be built.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The library refused the settings.
    #[error("the HTTP client could not be built: {0}")]
    Build(#[from] reqwest::Error),
}

impl Transport {
    /// Builds the client. `timeout` bounds a whole request, to the last byte of its body; half of it
    /// is for the connection, so that a host with a dead address can be reached by another one.
    ///
    /// A `SSL_CERT_FILE` that cannot be used is no error here, but one for each `https` app.
    ///
    /// # Errors
    /// Settings that the HTTP library refuses.
    pub fn new(timeout: Duration, proxies: Proxies) -> Result<Self, TransportError> {
        let cert_file = std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty());
        Self::with_roots(timeout, proxies, cert_file.map(PathBuf::from))
    }

    /// Where the certificates come from, or why there are none.
    ///
    /// # Errors
    /// Why an `https` address cannot be asked.
    pub fn roots(&self) -> Result<&Roots, &str> {
        self.roots.as_ref().map_err(String::as_str)
    }

    /// The longest that a request may take.
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(super) fn with_roots(
        timeout: Duration,
        proxies: Proxies,
        cert_file: Option<PathBuf>,
    ) -> Result<Self, TransportError> {
        install_crypto();
        let builder = || {
            let builder = reqwest::Client::builder()
                .user_agent(concat!("cometchat-exporter/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .timeout(timeout)
                .connect_timeout(timeout / 2);
            match proxies {
                Proxies::Environment => builder,
                Proxies::Ignored => builder.no_proxy(),
            }
        };
        let (http, roots) = match cert_file {
            Some(path) => match read_roots(&path) {
                Ok(store) => (with_store(builder(), store).build()?, Ok(Roots::File(path))),
                Err(reason) => {
                    (with_store(builder(), RootCertStore::empty()).build()?, Err(reason))
                }
            },
            // The builder reads the system's, and fails when there are none.
            None => match builder().build() {
                Ok(http) => (http, Ok(Roots::System)),
                Err(_) => (with_store(builder(), built_in()).build()?, Ok(Roots::BuiltIn)),
            },
        };
        Ok(Self { http, timeout, roots })
    }
}

fn with_store(builder: reqwest::ClientBuilder, store: RootCertStore) -> reqwest::ClientBuilder {
    let mut config = ClientConfig::builder().with_root_certificates(store).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    builder.tls_backend_preconfigured(config)
}

fn built_in() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

fn read_roots(path: &Path) -> Result<RootCertStore, String> {
    let shown = path.display();
    let mut store = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| format!("SSL_CERT_FILE: `{shown}` cannot be read: {error}"))?;
    store.add_parsable_certificates(certificates);
    if store.is_empty() {
        return Err(format!("SSL_CERT_FILE: `{shown}` holds no certificate in PEM format"));
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots_of(contents: Option<&str>) -> (PathBuf, Result<Roots, String>) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("roots.pem");
        if let Some(contents) = contents {
            std::fs::write(&path, contents).expect("a file in a temporary folder");
        }
        let second = Duration::from_secs(1);
        let transport = Transport::with_roots(second, Proxies::Ignored, Some(path.clone()));
        (path, transport.expect("http needs no certificates").roots)
    }

    #[test]
    fn a_certificate_file_without_certificates_is_named() {
        let (path, roots) = roots_of(Some("hello"));
        let path = path.display();
        assert_eq!(
            roots,
            Err(format!("SSL_CERT_FILE: `{path}` holds no certificate in PEM format"))
        );
        let (_, roots) = roots_of(None);
        assert!(roots.is_err_and(|reason| reason.contains("cannot be read")));
    }

    #[test]
    fn built_in_certificates_make_a_client() {
        install_crypto();
        let store = built_in();
        assert!(store.len() > 50);
        assert!(with_store(reqwest::Client::builder(), store).build().is_ok());
    }
}
