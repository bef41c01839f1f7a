//! The shared part of scrapes: joined and compressed when one first asks for it, then kept.

use std::sync::OnceLock;

use hyper::body::Bytes;

use super::Body;
use super::coding::{Coding, Gzip, Zstd};
use crate::metrics::Format;

/// The metrics of some apps, but for those that are taken at the scrape, in every form that was
/// asked for.
#[derive(Debug, Default)]
pub(super) struct Exposition([Forms; Format::ALL.len()]);

#[derive(Debug, Default)]
struct Forms {
    plain: OnceLock<Bytes>,
    gzip: OnceLock<Gzip>,
    zstd: OnceLock<Option<Zstd>>,
}

impl Exposition {
    /// As it is.
    pub(super) fn plain(&self, format: Format, join: impl FnOnce() -> Vec<u8>) -> Bytes {
        self.0[format.index()].plain.get_or_init(|| join().into()).clone()
    }

    /// The body of an answer, and the coding it is in: `own` stands behind what is shared.
    pub(super) fn body(
        &self,
        format: Format,
        coding: Coding,
        join: impl FnOnce() -> Vec<u8>,
        own: Vec<u8>,
    ) -> (Body, Coding) {
        let plain = self.plain(format, join);
        let forms = &self.0[format.index()];
        match coding {
            Coding::Identity => {}
            Coding::Gzip => {
                let gzip = forms.gzip.get_or_init(|| Gzip::new(&plain));
                return (gzip.body(&own), coding);
            }
            Coding::Zstd => {
                if let Some(zstd) = forms.zstd.get_or_init(|| Zstd::new(&plain)) {
                    return (zstd.body(&own), coding);
                }
            }
        }
        (Body::new(plain, own.into()), Coding::Identity)
    }
}
