//! From the settings of TLS and the certificates to what rustls serves with.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::client_certs::ClientCerts;
use super::go_names::{Version, curves, suites};
use super::policy::{ClientAuth, Pem, PemSource, TlsPolicy};
use super::x509;

const H2: &[u8] = b"h2";
const HTTP_1_1: &[u8] = b"http/1.1";

/// What is wrong with a certificate, a key or a CA, with the setting and its place in front.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting} {what}")]
pub struct TlsFault {
    setting: String,
    what: String,
}

impl TlsFault {
    fn new(pem: &Pem, what: impl fmt::Display) -> Self {
        let what = match &pem.source {
            PemSource::File(path) => format!("names `{}`, which {what}", path.display()),
            PemSource::Inline(_) => what.to_string(),
        };
        Self { setting: pem.setting.clone(), what }
    }
}

/// The texts of certificate, key and CA, as they were read.
#[derive(Clone, PartialEq, Eq)]
pub struct PemTexts {
    cert: String,
    key: String,
    client_ca: Option<String>,
}

impl PemTexts {
    /// Takes the texts from where they are; `read` reads a file.
    ///
    /// # Errors
    /// The first file that cannot be read.
    pub fn read(
        policy: &TlsPolicy,
        read: impl Fn(&Path) -> io::Result<String>,
    ) -> Result<Self, TlsFault> {
        let text = |pem: &Pem| match &pem.source {
            PemSource::Inline(text) => Ok(text.clone()),
            PemSource::File(path) => read(path).map_err(|error| {
                let is_missing = error.kind() == io::ErrorKind::NotFound;
                let why = if is_missing { "no such file".into() } else { error.to_string() };
                TlsFault::new(pem, format_args!("cannot be read: {why}"))
            }),
        };
        let client_ca = policy.client_ca.as_ref().map(text).transpose()?;
        Ok(Self { cert: text(&policy.cert)?, key: text(&policy.key)?, client_ca })
    }
}

/// Builds what rustls serves with.
///
/// # Errors
/// A certificate, key or CA that cannot be used, and why.
pub fn build(
    policy: &TlsPolicy,
    http2: bool,
    texts: &PemTexts,
) -> Result<Arc<ServerConfig>, TlsFault> {
    let provider = Arc::new(CryptoProvider {
        cipher_suites: suites(&policy.suites),
        kx_groups: curves(&policy.curves),
        ..ring::default_provider()
    });
    let certified = certified_key(policy, texts, &provider)?;
    let client_certs = client_certs(policy, texts, &provider)?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions(policy, &provider))
        .expect("the configuration leaves a version with its suites and a curve");
    let builder = match client_certs {
        Some(verifier) => builder.with_client_cert_verifier(Arc::new(verifier)),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.ignore_client_order = policy.prefers_own_order;
    config.alpn_protocols = vec![HTTP_1_1.to_vec()];
    if http2 {
        config.alpn_protocols.insert(0, H2.to_vec());
    }
    Ok(Arc::new(config))
}

fn versions(
    policy: &TlsPolicy,
    provider: &CryptoProvider,
) -> Vec<&'static rustls::SupportedProtocolVersion> {
    let has_tls12_suite = provider.cipher_suites.iter().any(|suite| suite.tls13().is_none());
    let mut versions = Vec::new();
    if policy.max_version >= Version::Tls13 {
        versions.push(&rustls::version::TLS13);
    }
    if policy.min_version <= Version::Tls12 && has_tls12_suite {
        versions.push(&rustls::version::TLS12);
    }
    versions
}

fn certified_key(
    policy: &TlsPolicy,
    texts: &PemTexts,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsFault> {
    let cert_fault = |what: &str| TlsFault::new(&policy.cert, what);
    let key_fault = |what: &str| TlsFault::new(&policy.key, what);
    let chain = certificates(&policy.cert, &texts.cert)?;
    let facts = chain.first().and_then(|first| x509::read(first));
    let facts = facts.ok_or_else(|| cert_fault("holds no certificate that can be read"))?;
    let key = PrivateKeyDer::from_pem_slice(texts.key.as_bytes()).map_err(|error| {
        let is_absent = matches!(error, pem::Error::NoItemsFound);
        // What else the error says may quote the key.
        key_fault(if is_absent {
            "holds no private key (PEM) without a passphrase"
        } else {
            "is not valid PEM"
        })
    })?;
    let key = (provider.key_provider.load_private_key(key)).map_err(|_| {
        key_fault(
            "holds a private key of a kind that is not supported; there are RSA from 2048 \
                   bits, ECDSA with P-256 or P-384, and Ed25519",
        )
    })?;
    // A key that cannot tell its public half cannot be compared.
    if key.public_key().is_some_and(|public| public.as_ref() != facts.public_key) {
        return Err(key_fault("does not belong to the certificate"));
    }
    Ok(CertifiedKey::new(chain, key))
}

fn certificates(pem: &Pem, text: &str) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match found {
        Ok(found) if found.is_empty() => Err(TlsFault::new(pem, "holds no certificate (PEM)")),
        Ok(found) => Ok(found),
        Err(_) => Err(TlsFault::new(pem, "is not valid PEM")),
    }
}

fn client_certs(
    policy: &TlsPolicy,
    texts: &PemTexts,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<ClientCerts>, TlsFault> {
    if policy.client_auth == ClientAuth::NoClientCert {
        return Ok(None);
    }
    let is_needed = policy.client_auth.is_needed();
    let mut certs = match policy.client_auth {
        ClientAuth::VerifyClientCertIfGiven | ClientAuth::RequireAndVerifyClientCert => {
            let authorities = match (&policy.client_ca, &texts.client_ca) {
                (Some(pem), Some(text)) => certificates(pem, text)?,
                _ => Vec::new(),
            };
            ClientCerts::signed_by(authorities, is_needed, provider).map_err(|what| {
                TlsFault::new(policy.client_ca.as_ref().unwrap_or(&policy.cert), what)
            })?
        }
        ClientAuth::NoClientCert
        | ClientAuth::RequestClientCert
        | ClientAuth::RequireAnyClientCert => ClientCerts::any(is_needed, provider),
    };
    certs.allowed_sans.clone_from(&policy.client_allowed_sans);
    Ok(Some(certs))
}
