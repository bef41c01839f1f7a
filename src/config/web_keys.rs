//! The keys of the web configuration file.

use super::keys::SectionKeys;
use super::keys::Shape::{List, Scalar};

/// `tls_server_config`: certificates and versions.
pub(super) const TLS: SectionKeys = SectionKeys {
    name: "tls_server_config",
    keys: &[
        ("cert_file", Scalar),
        ("key_file", Scalar),
        ("cert", Scalar),
        ("key", Scalar),
        ("client_auth_type", Scalar),
        ("client_ca_file", Scalar),
        ("client_ca", Scalar),
        ("client_allowed_sans", List),
        ("min_version", Scalar),
        ("max_version", Scalar),
        ("cipher_suites", List),
        ("prefer_server_cipher_suites", Scalar),
        ("curve_preferences", List),
    ],
};

/// `http_server_config`: HTTP/2 and headers, which are read on their own.
pub(super) const HTTP: SectionKeys =
    SectionKeys { name: "http_server_config", keys: &[("http2", Scalar), (HEADERS, Scalar)] };

/// Headers below `http_server_config`.
pub(super) const HEADERS: &str = "headers";

/// `basic_auth_users`: any name, and the hash of its password.
pub(super) const USERS: SectionKeys = SectionKeys { name: "basic_auth_users", keys: &[] };

/// `rate_limit`: how often may be asked.
pub(super) const RATE: SectionKeys =
    SectionKeys { name: "rate_limit", keys: &[("interval", Scalar), ("burst", Scalar)] };

/// Every section.
pub(super) const SECTIONS: [SectionKeys; 4] = [TLS, HTTP, USERS, RATE];
