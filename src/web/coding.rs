//! Compression in two steps: what all scrapes share once, and what each adds as it is.
//!
//! The answer is one gzip member or one zstd frame, not several behind each other, which curl,
//! browsers and some libraries read only the first of. Both formats are a chain of blocks, each
//! compressed or stored. So the shared part is compressed without an end, up to the border of a
//! block, and the small part of a scrape goes behind it in stored blocks and ends the chain.

use std::io::Write;
use std::ops::Range;
use std::panic::resume_unwind;
use std::thread;

use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use hyper::body::Bytes;

use super::Body;
use crate::metrics::Joined;

/// How an answer is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    Zstd,
}

impl Coding {
    /// The value of `Content-Encoding`, where there is one.
    pub(super) const fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }
}

/// Level of gzip: a scrape waits for it. Level 5 takes three times as long to save a third.
const GZIP_LEVEL: u32 = 1;
/// A second thread takes a half where there are two of these: to compress one takes milliseconds, to
/// start a thread far less than one.
const HALF_BYTES_MIN: usize = 4 << 20;
/// Level of zstd, its default.
const ZSTD_LEVEL: i32 = 3;

/// What stands in a gzip header: deflate, no name, no time, system unknown.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// The most that a stored block of deflate holds.
const STORED_BYTES_MAX: usize = 0xffff;
/// The most that a block of zstd holds.
const RAW_BYTES_MAX: usize = 128 * 1024;

/// The shared part in gzip, and the checksum that the end needs.
#[derive(Debug)]
pub(super) struct Gzip {
    bytes: Bytes,
    crc: Crc,
}

impl Gzip {
    pub(super) fn new(shared: &Joined<'_>) -> Self {
        Self::of(|take| shared.each_piece(take), shared.n_bytes_about())
    }

    /// Compresses pieces of about so many bytes together. Where that is much, two threads take a half
    /// each. Both end at the border of a block, so that one can stand behind the other.
    fn of(pieces: impl Fn(&mut dyn FnMut(&[u8])) + Sync, n_bytes_about: usize) -> Self {
        let part = |range: Range<usize>| {
            let mut at = 0;
            deflate(|take| {
                pieces(&mut |piece| {
                    if range.contains(&at) {
                        take(piece);
                    }
                    at += piece.len();
                });
            })
        };
        let middle = n_bytes_about / 2;
        let parts = if middle < HALF_BYTES_MIN {
            vec![part(0..usize::MAX)]
        } else {
            thread::scope(|scope| {
                let second = || part(middle..usize::MAX);
                let started = thread::Builder::new().spawn_scoped(scope, second);
                let first = part(0..middle);
                let second = match started {
                    Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
                    Err(_no_more_threads) => second(),
                };
                vec![first, second]
            })
        };
        let mut crc = Crc::new();
        parts.iter().for_each(|(_, sum)| crc.combine(sum));
        let blocks = parts.iter().map(|(bytes, _)| bytes.as_slice());
        // Joined in memory of just that size, as what shrinks in its place leaves holes that nothing
        // fits into.
        let bytes: Vec<_> = [&GZIP_HEADER[..]].into_iter().chain(blocks).collect();
        Self { bytes: bytes.concat().into(), crc }
    }

    pub(super) fn body(&self, own: &[u8]) -> Body {
        let mut end = Vec::with_capacity(own.len() + 32);
        let mut blocks = own.chunks(STORED_BYTES_MAX).peekable();
        if own.is_empty() {
            end.extend([1, 0, 0, 0xff, 0xff]);
        }
        while let Some(block) = blocks.next() {
            let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
            end.push(u8::from(blocks.peek().is_none()));
            end.extend(length.to_le_bytes());
            end.extend((!length).to_le_bytes());
            end.extend(block);
        }
        let (mut crc, mut added) = (Crc::new(), Crc::new());
        crc.combine(&self.crc);
        added.update(own);
        crc.combine(&added);
        end.extend(crc.sum().to_le_bytes());
        end.extend(crc.amount().to_le_bytes());
        Body::new(self.bytes.clone(), end.into())
    }
}

/// Blocks of deflate without an end, and the checksum of what is in them.
fn deflate(pieces: impl FnOnce(&mut dyn FnMut(&[u8]))) -> (Vec<u8>, Crc) {
    let (mut out, mut crc) = (Vec::new(), Crc::new());
    let mut deflate = Compress::new(Compression::new(GZIP_LEVEL), false);
    pieces(&mut |piece| {
        crc.update(piece);
        feed(&mut deflate, piece, FlushCompress::None, &mut out);
    });
    feed(&mut deflate, &[], FlushCompress::Sync, &mut out);
    (out, crc)
}

fn feed(deflate: &mut Compress, mut piece: &[u8], flush: FlushCompress, out: &mut Vec<u8>) {
    loop {
        if out.len() == out.capacity() {
            out.reserve(out.len().max(64 * 1024));
        }
        let n_before = deflate.total_in();
        let status = deflate.compress_vec(piece, out, flush);
        let n_taken = usize::try_from(deflate.total_in() - n_before).unwrap_or(piece.len());
        piece = piece.get(n_taken..).unwrap_or_default();
        // With room left over nothing waits inside any more.
        if !matches!(status, Ok(Status::Ok)) || piece.is_empty() && out.len() < out.capacity() {
            return;
        }
    }
}

/// The shared part in zstd.
#[derive(Debug)]
pub(super) struct Zstd(Bytes);

impl Zstd {
    /// `None` where there is nothing to compress or no memory for it.
    pub(super) fn new(shared: &Joined<'_>) -> Option<Self> {
        Self::of(|take| shared.each_piece(take))
    }

    fn of(pieces: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Option<Self> {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL).ok()?;
        let mut written = Ok(());
        pieces(&mut |piece| {
            if written.is_ok() {
                written = encoder.write_all(piece);
            }
        });
        written.and_then(|()| encoder.flush()).ok()?;
        let bytes = Bytes::copy_from_slice(encoder.get_ref());
        (!bytes.is_empty()).then_some(Self(bytes))
    }

    pub(super) fn body(&self, own: &[u8]) -> Body {
        let mut end = Vec::with_capacity(own.len() + 32);
        let mut blocks = own.chunks(RAW_BYTES_MAX).peekable();
        if own.is_empty() {
            end.extend([1, 0, 0]);
        }
        while let Some(block) = blocks.next() {
            // Three bytes: whether it is the last, that it is stored, and its length.
            let head = block.len() << 3 | usize::from(blocks.peek().is_none());
            end.extend(&head.to_le_bytes()[..3]);
            end.extend(block);
        }
        Body::new(self.0.clone(), end.into())
    }
}

#[cfg(test)]
mod tests;
