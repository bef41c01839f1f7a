//! The body of a response: up to two pieces of memory, sent without being copied together.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Buf, Bytes, Frame, SizeHint};

/// The cached part of a response, shared by all who read it, and what was made for this one.
#[derive(Default)]
pub struct Body(Parts);

impl Body {
    /// `shared` first, then `own`.
    pub const fn new(shared: Bytes, own: Bytes) -> Self {
        Self(Parts { pieces: [shared, own], held: None })
    }

    /// Keeps `what` until the body was sent or is given up, and drops it then.
    pub fn hold(&mut self, what: impl Any + Send + Sync) {
        self.0.held = Some(Box::new(what));
    }

    /// How many bytes are left to send.
    pub fn len(&self) -> usize {
        self.0.remaining()
    }

    /// Whether nothing is left to send.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cached part.
    #[cfg(test)]
    pub(super) const fn shared(&self) -> &Bytes {
        &self.0.pieces[0]
    }

    /// Both parts together, copied.
    pub fn to_vec(&self) -> Vec<u8> {
        self.0.pieces.concat()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::new(text.into(), Bytes::new())
    }
}

impl hyper::body::Body for Body {
    type Data = Parts;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Parts>, Infallible>>> {
        let next = (!self.is_empty()).then(|| std::mem::take(&mut self.0));
        Poll::Ready(next.map(|parts| Ok(Frame::data(parts))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.len() as u64)
    }
}

/// Both pieces as one buffer: they leave in one call of the system, with the head before them.
#[derive(Default)]
pub struct Parts {
    pieces: [Bytes; 2],
    /// Dropped when the last byte is on its way or the reader is gone.
    held: Option<Box<dyn Any + Send + Sync>>,
}

impl Buf for Parts {
    fn remaining(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }

    fn chunk(&self) -> &[u8] {
        self.pieces.iter().find(|part| !part.is_empty()).map_or(&[], |part| part)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let full = self.pieces.iter().filter(|part| !part.is_empty());
        slices.iter_mut().zip(full).map(|(slice, part)| *slice = IoSlice::new(part)).count()
    }

    fn advance(&mut self, mut n_bytes: usize) {
        for part in &mut self.pieces {
            let n_here = n_bytes.min(part.len());
            part.advance(n_here);
            n_bytes -= n_here;
        }
        assert_eq!(n_bytes, 0, "no more is sent than there is");
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body of {} bytes", self.len())
    }
}
