//! What Go calls the versions, suites and curves of TLS, and what of it exists here.

use rustls::crypto::SupportedKxGroup;
use rustls::crypto::ring::{cipher_suite, kx_group};
use rustls::{SupportedCipherSuite, crypto::ring};

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// Only a name here: rustls begins at 1.2.
    Tls10,
    /// Only a name here: rustls begins at 1.2.
    Tls11,
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

impl Version {
    /// Reads `TLS12` and its like.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "TLS10" => Self::Tls10,
            "TLS11" => Self::Tls11,
            "TLS12" => Self::Tls12,
            "TLS13" => Self::Tls13,
            _ => return None,
        })
    }
}

/// A cipher suite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Suite {
    /// Of TLS 1.3: always on.
    Tls13,
    /// Of TLS 1.2, and the one that the standard of HTTP/2 asks for.
    Tls12(SupportedCipherSuite, ForHttp2),
    /// With CBC or without forward secrecy: rustls leaves it out on purpose.
    Absent,
}

/// Whether a suite is one of those without which HTTP/2 over TLS 1.2 is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForHttp2 {
    /// Enough for HTTP/2.
    Enough,
    /// Not enough.
    Not,
}

impl Suite {
    /// Reads Go's name of a suite that Go's `CipherSuites` lists or once listed.
    pub fn from_word(word: &str) -> Option<Self> {
        use ForHttp2::{Enough, Not};
        Some(match word {
            "TLS_AES_128_GCM_SHA256"
            | "TLS_AES_256_GCM_SHA384"
            | "TLS_CHACHA20_POLY1305_SHA256" => Self::Tls13,
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" => {
                Self::Tls12(cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, Enough)
            }
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" => {
                Self::Tls12(cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, Enough)
            }
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" => {
                Self::Tls12(cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, Not)
            }
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" => {
                Self::Tls12(cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, Not)
            }
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" => {
                Self::Tls12(cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, Not)
            }
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" => {
                Self::Tls12(cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, Not)
            }
            "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"
            | "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"
            | "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"
            | "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"
            | "TLS_RSA_WITH_AES_128_CBC_SHA"
            | "TLS_RSA_WITH_AES_256_CBC_SHA"
            | "TLS_RSA_WITH_AES_128_GCM_SHA256"
            | "TLS_RSA_WITH_AES_256_GCM_SHA384" => Self::Absent,
            _ => return None,
        })
    }

    /// Whether it is a suite of TLS 1.2 that exists here.
    pub const fn is_tls12(self) -> bool {
        matches!(self, Self::Tls12(..))
    }
}

/// Every suite there is, or of TLS 1.2 only these; first the suites of TLS 1.3.
pub(super) fn suites(chosen: &[Suite]) -> Vec<SupportedCipherSuite> {
    let is_tls13 = |suite: &SupportedCipherSuite| suite.tls13().is_some();
    let all = ring::ALL_CIPHER_SUITES.iter().copied();
    if chosen.is_empty() {
        return all.collect();
    }
    let tls12 = chosen.iter().filter_map(|suite| match suite {
        Suite::Tls12(suite, _) => Some(*suite),
        Suite::Tls13 | Suite::Absent => None,
    });
    all.filter(is_tls13).chain(tls12).collect()
}

/// A curve of the key exchange.
#[derive(Clone, Copy, Debug)]
pub enum Curve {
    /// One that exists here.
    Present(&'static dyn SupportedKxGroup),
    /// P-521, which ring does not have.
    Absent,
}

impl PartialEq for Curve {
    fn eq(&self, other: &Self) -> bool {
        let name = |curve: &Self| match curve {
            Self::Present(group) => Some(group.name()),
            Self::Absent => None,
        };
        name(self) == name(other)
    }
}

impl Curve {
    /// Reads Go's name.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "X25519" => Self::Present(kx_group::X25519),
            "CurveP256" => Self::Present(kx_group::SECP256R1),
            "CurveP384" => Self::Present(kx_group::SECP384R1),
            "CurveP521" => Self::Absent,
            _ => return None,
        })
    }
}

/// Every curve there is, or only these.
pub(super) fn curves(chosen: &[Curve]) -> Vec<&'static dyn SupportedKxGroup> {
    if chosen.is_empty() {
        return ring::ALL_KX_GROUPS.to_vec();
    }
    let present = chosen.iter().filter_map(|curve| match curve {
        Curve::Present(group) => Some(*group),
        Curve::Absent => None,
    });
    present.collect()
}
