//! Who may ask, and how: what the web configuration file says, valid by construction.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};

use super::auth::PasswordHash;
use super::go_names::{Curve, Suite, Version};

/// Everything that the file can say.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Absent: plain HTTP.
    pub tls: Option<TlsPolicy>,
    /// Whether HTTP/2 is spoken beside HTTP/1.1.
    pub http2: bool,
    /// Put on every answer, in place of a header of the same name.
    pub headers: Vec<Header>,
    /// Name and password; without any, everybody may ask.
    pub users: BTreeMap<String, PasswordHash>,
    /// How often may be asked, by all together.
    pub rate: Option<Rate>,
}

impl Default for Policy {
    fn default() -> Self {
        Self { tls: None, http2: true, headers: Vec::new(), users: BTreeMap::new(), rate: None }
    }
}

/// How TLS is spoken.
#[derive(Clone, Debug, PartialEq)]
pub struct TlsPolicy {
    /// The certificate of the server and those between it and the root, in this order.
    pub cert: Pem,
    /// Its key.
    pub key: Pem,
    /// Who signs the certificates of clients.
    pub client_ca: Option<Pem>,
    /// What is asked of clients.
    pub client_auth: ClientAuth,
    /// The names of which a client's certificate must bear one.
    pub client_allowed_sans: Option<Vec<String>>,
    /// The oldest version.
    pub min_version: Version,
    /// The newest version.
    pub max_version: Version,
    /// Suites of TLS 1.2 in order of preference; without any, all that there are. Those of TLS 1.3
    /// are always on, as in Go.
    pub suites: Vec<Suite>,
    /// Curves in order of preference; without any, all that there are.
    pub curves: Vec<Curve>,
    /// Whether the order of the suites is the server's rather than the client's.
    pub prefers_own_order: bool,
}

/// Where a certificate or key comes from.
#[derive(Clone, PartialEq, Eq)]
pub struct Pem {
    /// The setting, and where it stands in the file: `web.yaml:3:14: cert_file`.
    pub setting: String,
    /// The text, or the file that holds it.
    pub source: PemSource,
}

/// A text or the file that holds it.
#[derive(Clone, PartialEq, Eq)]
pub enum PemSource {
    /// Read again when it changes.
    File(PathBuf),
    /// As it stands in the web configuration file.
    Inline(String),
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            PemSource::File(path) => write!(f, "{} {}", self.setting, path.display()),
            PemSource::Inline(_) => write!(f, "{} …", self.setting),
        }
    }
}

/// What is asked of clients, by the names that Go gives it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// No certificate is asked for.
    #[default]
    NoClientCert,
    /// One is asked for; none or any will do.
    RequestClientCert,
    /// One is needed; any will do.
    RequireAnyClientCert,
    /// None is needed; one that is given must be signed by the CA.
    VerifyClientCertIfGiven,
    /// One is needed, signed by the CA.
    RequireAndVerifyClientCert,
}

impl ClientAuth {
    /// Reads the word of the file; `RequireClientCert` is an old word for `RequireAnyClientCert`.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "" | "NoClientCert" => Self::NoClientCert,
            "RequestClientCert" => Self::RequestClientCert,
            "RequireAnyClientCert" | "RequireClientCert" => Self::RequireAnyClientCert,
            "VerifyClientCertIfGiven" => Self::VerifyClientCertIfGiven,
            "RequireAndVerifyClientCert" => Self::RequireAndVerifyClientCert,
            _ => return None,
        })
    }

    /// Whether a client without a certificate is turned away.
    pub const fn is_needed(self) -> bool {
        matches!(self, Self::RequireAnyClientCert | Self::RequireAndVerifyClientCert)
    }
}

/// A header that is put on every answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub(super) name: HeaderName,
    pub(super) value: HeaderValue,
}

/// The headers that may be set, and their values where not every value has a meaning.
const HEADERS: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

impl Header {
    /// The names of the headers that may be set.
    pub fn names() -> impl Iterator<Item = &'static str> {
        HEADERS.iter().map(|(name, _)| *name)
    }

    /// Checks a header.
    ///
    /// # Errors
    /// A sentence without a subject.
    pub fn new(name: &str, value: &str) -> Result<Self, String> {
        let known = HEADERS.iter().find(|(known, _)| *known == name);
        let Some((_, values)) = known else {
            let names: Vec<&str> = Self::names().collect();
            return Err(format!("cannot be configured; those that can: {}", names.join(", ")));
        };
        if !values.is_empty() && !values.contains(&value) {
            return Err(format!("must be {}", values.join(" or ")));
        }
        let (Ok(name), Ok(value)) = (name.parse(), value.parse()) else {
            return Err("holds characters that no header may have".into());
        };
        Ok(Self { name, value })
    }
}

/// A token bucket for all requests together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Time in which one more request becomes possible; above zero.
    pub interval: Duration,
    /// Requests possible at once after a quiet time. With 0 none is ever possible.
    pub burst: u32,
}
