//! The shared part of scrapes: joined and compressed when one first asks for it, then kept.

use std::sync::OnceLock;

use hyper::body::Bytes;

use super::Body;
use super::coding::{Coding, Gzip, Zstd};
use crate::metrics::{Format, Joined};

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
    /// Whether a body in this form is at hand.
    pub(super) fn is_made(&self, format: Format, coding: Coding) -> bool {
        let forms = &self.0[format.index()];
        match coding {
            Coding::Identity => forms.plain.get().is_some(),
            Coding::Gzip => forms.gzip.get().is_some(),
            Coding::Zstd => forms.zstd.get().is_some(),
        }
    }

    /// Compresses what was compressed of another one. What is not compressed is not made ahead, since to
    /// join a single app takes a moment.
    pub(super) fn remake<'a>(&self, before: &Self, join: impl Fn(Format) -> Joined<'a>) {
        for format in Format::ALL {
            for coding in [Coding::Gzip, Coding::Zstd] {
                if before.is_made(format, coding) {
                    self.body(format, coding, || join(format), Vec::new());
                }
            }
        }
    }

    /// The body of an answer, and the coding it is in: `own` stands behind what is shared.
    ///
    /// What is compressed is not kept as it is, too: hardly anybody asks for both.
    pub(super) fn body<'a>(
        &self,
        format: Format,
        coding: Coding,
        join: impl Fn() -> Joined<'a>,
        own: Vec<u8>,
    ) -> (Body, Coding) {
        let forms = &self.0[format.index()];
        match coding {
            Coding::Identity => {}
            Coding::Gzip => {
                let gzip = forms.gzip.get_or_init(|| Gzip::new(&join()));
                return (gzip.body(&own), coding);
            }
            Coding::Zstd => {
                if let Some(zstd) = forms.zstd.get_or_init(|| Zstd::new(&join())) {
                    return (zstd.body(&own), coding);
                }
            }
        }
        let plain = forms.plain.get_or_init(|| join().to_vec().into()).clone();
        (Body::new(plain, own.into()), Coding::Identity)
    }
}
