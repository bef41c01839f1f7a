//! The section `tls_server_config` of the web configuration file.

use std::path::Path;

use crate::web::go_names::{Curve, ForHttp2, Suite, Version};
use crate::web::policy::{ClientAuth, Pem, PemSource, TlsPolicy};

use super::fault::Collector;
use super::raw::Fields;
use super::web_file::boolean;

const SUITES_HERE: &str = "TLS_ECDHE_{ECDSA,RSA}_WITH_{AES_128_GCM_SHA256,AES_256_GCM_SHA384,\
                           CHACHA20_POLY1305_SHA256}";

/// The settings of TLS, `None` where it is off or something is wrong.
///
/// As with the exporter-toolkit, TLS is on as soon as a certificate, a key, a CA or a policy for
/// clients is set to something; the other keys alone do not switch it on.
pub(super) fn read(
    fields: &Fields,
    folder: &Path,
    http2: bool,
    faults: &mut Collector,
    notices: &mut Vec<String>,
) -> Option<TlsPolicy> {
    let reader = Reader { fields, folder };
    let client_auth = fields.value("client_auth_type", faults, client_auth).unwrap_or_default();
    let (cert, key) = (reader.pem("cert", faults), reader.pem("key", faults));
    let client_ca = reader.pem("client_ca", faults);
    let client_allowed_sans = reader.sans(client_auth, faults);
    reader.check_client_ca(client_auth, client_ca.is_some(), faults);
    let (min_version, max_version) = reader.versions(faults, notices);
    let suites = reader.suites(http2, (min_version, max_version), faults, notices);
    let curves = reader.curves(faults, notices);
    let prefers_own_order =
        fields.value("prefer_server_cipher_suites", faults, boolean).unwrap_or(true);
    let is_policy_set = fields.scalar("client_auth_type").is_some_and(|word| !word.text.is_empty());
    if cert.is_none() && key.is_none() && client_ca.is_none() && !is_policy_set {
        return None;
    }
    let missing = [(cert.is_none(), "certificate", "cert"), (key.is_none(), "key", "key")];
    for (is_missing, what, name) in missing {
        if !is_missing || reader.is_told_of(name) {
            continue;
        }
        faults.at(
            fields.place,
            format_args!("tls_server_config has no {what}: set {name}_file (or {name})"),
        );
    }
    Some(TlsPolicy {
        cert: cert?,
        key: key?,
        client_ca,
        client_auth,
        client_allowed_sans,
        min_version,
        max_version,
        suites,
        curves,
        prefers_own_order,
    })
}

struct Reader<'a> {
    fields: &'a Fields,
    folder: &'a Path,
}

impl Reader<'_> {
    /// `NAME_file`, else `NAME`. As with the exporter-toolkit the file wins, and an empty text is
    /// none.
    fn pem(&self, name: &'static str, faults: &Collector) -> Option<Pem> {
        let file_name = format!("{name}_file");
        let written = |key: &str| self.fields.scalar(key).filter(|placed| !placed.text.is_empty());
        let (key, placed, source) = match (written(&file_name), written(name)) {
            (Some(file), _) => {
                (file_name.as_str(), file, PemSource::File(self.folder.join(&file.text)))
            }
            (None, Some(inline)) => (name, inline, PemSource::Inline(inline.text.clone())),
            (None, None) => return None,
        };
        Some(Pem { setting: format!("{}: {key}", faults.spot(placed.place)), source })
    }

    /// Whether a key is misspelt or has a wrong shape, which is a fault already.
    fn is_told_of(&self, name: &str) -> bool {
        let is_spoiled = |key: &str| self.fields.has(key) && self.fields.scalar(key).is_none();
        is_spoiled(name) || is_spoiled(&format!("{name}_file"))
    }

    fn sans(&self, client_auth: ClientAuth, faults: &mut Collector) -> Option<Vec<String>> {
        let sans = self.fields.values("client_allowed_sans", faults, |text| Ok(text.to_owned()))?;
        let sentence = if sans.is_empty() {
            "lists nobody, so that no client could connect; take it out, or name some"
        } else if !client_auth.is_needed() {
            "needs client_auth_type to be RequireAnyClientCert or RequireAndVerifyClientCert: else \
             a client without a certificate comes in without a name"
        } else {
            return Some(sans);
        };
        let place = self.fields.place_of("client_allowed_sans");
        faults.at(place, format_args!("tls_server_config.client_allowed_sans {sentence}"));
        None
    }

    fn check_client_ca(&self, client_auth: ClientAuth, has_ca: bool, faults: &mut Collector) {
        if has_ca && client_auth == ClientAuth::NoClientCert {
            let keys = ["client_ca_file", "client_ca"];
            let key = keys.into_iter().find(|key| self.fields.has(key)).unwrap_or("client_ca");
            let sentence = "names a CA for clients, but client_auth_type does not ask for their \
                            certificates; set it to RequireAndVerifyClientCert";
            faults
                .at(self.fields.place_of(key), format_args!("tls_server_config.{key} {sentence}"));
        }
        if !has_ca && client_auth == ClientAuth::RequireAndVerifyClientCert {
            let sentence = "needs client_ca_file (or client_ca): without it no certificate of a \
                            client can be right";
            faults.at(
                self.fields.place_of("client_auth_type"),
                format_args!(
                    "tls_server_config.client_auth_type RequireAndVerifyClientCert {sentence}"
                ),
            );
        }
    }

    fn versions(&self, faults: &mut Collector, notices: &mut Vec<String>) -> (Version, Version) {
        let version = |text: &str| {
            Version::from_word(text).ok_or_else(|| "must be TLS12 or TLS13".to_owned())
        };
        let min = self.fields.value("min_version", faults, version);
        let max = self.fields.value("max_version", faults, version).unwrap_or(Version::Tls13);
        let place = self.fields.place_of("max_version");
        if max < Version::Tls12 {
            let sentence =
                "must be TLS12 or TLS13: TLS 1.0 and 1.1 are broken and do not exist here";
            faults.at(place, format_args!("tls_server_config.max_version {sentence}"));
        } else if min.is_some_and(|min| min > max) {
            let sentence = "tls_server_config.max_version is older than min_version";
            faults.at(place, sentence);
        }
        if min.is_some_and(|min| min < Version::Tls12) {
            let spot = faults.spot(self.fields.place_of("min_version"));
            notices.push(format!(
                "{spot}: min_version: TLS 1.0 and 1.1 do not exist here; TLS 1.2 is the oldest"
            ));
        }
        (min.unwrap_or(Version::Tls12), max)
    }

    fn suites(
        &self,
        http2: bool,
        (min, max): (Version, Version),
        faults: &mut Collector,
        notices: &mut Vec<String>,
    ) -> Vec<Suite> {
        const KEY: &str = "cipher_suites";
        let suite = |text: &str| {
            Suite::from_word(text)
                .ok_or_else(|| format!("must list suites by their Go names, such as {SUITES_HERE}"))
        };
        let n_faults = faults.len();
        let suites = self.fields.values(KEY, faults, suite).unwrap_or_default();
        if suites.is_empty() || faults.len() > n_faults {
            return Vec::new();
        }
        let place = self.fields.place_of(KEY);
        let has_absent = suites.contains(&Suite::Absent);
        let has_tls12 = suites.iter().any(|suite| suite.is_tls12());
        let is_enough = |suite: &Suite| matches!(suite, Suite::Tls12(_, ForHttp2::Enough));
        if http2 && min < Version::Tls13 && !suites.iter().any(is_enough) {
            let sentence = "lacks TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 (or the same with ECDSA), \
                            which HTTP/2 needs; add it, or set http_server_config.http2 to false";
            faults.at(place, format_args!("tls_server_config.{KEY} {sentence}"));
        } else if min < Version::Tls13 && !has_tls12 && (has_absent || max < Version::Tls13) {
            let sentence = format!(
                "leaves nothing for TLS 1.2: suites with CBC and without forward secrecy do not \
                 exist here; add some of {SUITES_HERE}, or set min_version to TLS13"
            );
            faults.at(place, format_args!("tls_server_config.{KEY} {sentence}"));
        } else if has_absent {
            let spot = faults.spot(place);
            notices.push(format!(
                "{spot}: cipher_suites: those with CBC or without forward secrecy do not exist \
                 here and are left out"
            ));
        }
        suites
    }

    fn curves(&self, faults: &mut Collector, notices: &mut Vec<String>) -> Vec<Curve> {
        const KEY: &str = "curve_preferences";
        let curve = |text: &str| {
            Curve::from_word(text)
                .ok_or_else(|| "must list some of X25519, CurveP256, CurveP384".to_owned())
        };
        let curves = self.fields.values(KEY, faults, curve).unwrap_or_default();
        if curves.contains(&Curve::Absent) {
            let place = self.fields.place_of(KEY);
            if curves.iter().all(|curve| *curve == Curve::Absent) {
                let sentence = "leaves no curve: CurveP521 does not exist here; add some of X25519, \
                                CurveP256, CurveP384";
                faults.at(place, format_args!("tls_server_config.{KEY} {sentence}"));
            } else {
                let spot = faults.spot(place);
                notices.push(format!(
                    "{spot}: curve_preferences: CurveP521 does not exist here and is left out"
                ));
            }
        }
        curves
    }
}

fn client_auth(text: &str) -> Result<ClientAuth, String> {
    ClientAuth::from_word(text).ok_or_else(|| {
        "must be NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven or \
         RequireAndVerifyClientCert"
            .into()
    })
}
