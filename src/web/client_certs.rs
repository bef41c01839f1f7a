//! Whether a client's certificate is good enough.

use std::fmt;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::x509;

/// Looks at the certificates of clients.
pub(super) struct ClientCerts {
    is_needed: bool,
    trust: Trust,
    /// The names of which a certificate must bear one, exactly as written.
    pub(super) allowed_sans: Option<Vec<String>>,
    algorithms: WebPkiSupportedAlgorithms,
}

enum Trust {
    /// Any certificate, as long as the client has its key.
    Any,
    /// Those that one of the authorities signed, or that are one of them.
    SignedBy { verifier: Arc<dyn ClientCertVerifier>, authorities: Vec<CertificateDer<'static>> },
    /// None: no authority is known.
    Nobody,
}

impl ClientCerts {
    /// Any certificate will do.
    pub(super) fn any(is_needed: bool, provider: &CryptoProvider) -> Self {
        Self::new(is_needed, Trust::Any, provider)
    }

    /// Only certificates that one of `authorities` signed. An error is a sentence without a subject.
    pub(super) fn signed_by(
        authorities: Vec<CertificateDer<'static>>,
        is_needed: bool,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, &'static str> {
        if authorities.is_empty() {
            return Ok(Self::new(is_needed, Trust::Nobody, provider));
        }
        let mut roots = RootCertStore::empty();
        let (n_added, _) = roots.add_parsable_certificates(authorities.iter().cloned());
        if n_added == 0 {
            return Err("holds no certificate that can be read");
        }
        // Whether one is needed at all is asked of this type and not of the inner one.
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
                .build()
                .map_err(|_| "holds no certificate that can sign others")?;
        Ok(Self::new(is_needed, Trust::SignedBy { verifier, authorities }, provider))
    }

    fn new(is_needed: bool, trust: Trust, provider: &CryptoProvider) -> Self {
        let algorithms = provider.signature_verification_algorithms;
        Self { is_needed, trust, allowed_sans: None, algorithms }
    }

    fn check_trust(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let Trust::SignedBy { verifier, authorities } = &self.trust else {
            let is_any = matches!(self.trust, Trust::Any);
            return if is_any { Ok(()) } else { Err(CertificateError::UnknownIssuer.into()) };
        };
        let checked = verifier.verify_client_cert(certificate, intermediates, now);
        // A certificate that signed itself and stands in the file of authorities: webpki never takes
        // an authority for a client, Go does, and it is a common way to name single clients.
        let is_pinned = authorities.iter().any(|authority| **authority == **certificate);
        match checked {
            Err(Error::InvalidCertificate(error)) if is_pinned => {
                let now_s = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
                let is_current =
                    x509::read(certificate).is_some_and(|facts| facts.valid.contains(&now_s));
                if is_current { Ok(()) } else { Err(error.into()) }
            }
            checked => checked.map(|_| ()),
        }
    }

    fn check_names(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        let Some(allowed) = &self.allowed_sans else { return Ok(()) };
        let facts = x509::read(certificate).ok_or(CertificateError::BadEncoding)?;
        if facts.names.iter().any(|name| allowed.contains(name)) {
            return Ok(());
        }
        Err(CertificateError::NotValidForName.into())
    }
}

impl ClientCertVerifier for ClientCerts {
    fn offer_client_auth(&self) -> bool {
        true
    }

    fn client_auth_mandatory(&self) -> bool {
        self.is_needed
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        match &self.trust {
            Trust::SignedBy { verifier, .. } => verifier.root_hint_subjects(),
            Trust::Any | Trust::Nobody => &[],
        }
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check_trust(end_entity, intermediates, now)?;
        self.check_names(end_entity)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl fmt::Debug for ClientCerts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCerts, needed: {}", self.is_needed)
    }
}
