//! The body of a response: up to two pieces of memory, sent without being copied together.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Bytes, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

/// The cached part of a response, shared by all who read it, and what was made for this one.
#[derive(Debug, Default)]
pub struct Body {
    parts: [Bytes; 2],
    /// Held until the last byte is on its way or the reader is gone.
    permit: Option<OwnedSemaphorePermit>,
}

impl Body {
    /// `shared` first, then `own`.
    pub const fn new(shared: Bytes, own: Bytes) -> Self {
        Self { parts: [shared, own], permit: None }
    }

    /// Keeps `permit` until the body was sent or is given up.
    pub fn hold(&mut self, permit: OwnedSemaphorePermit) {
        self.permit = Some(permit);
    }

    /// How many bytes are left to send.
    pub fn len(&self) -> usize {
        self.parts.iter().map(Bytes::len).sum()
    }

    /// Whether nothing is left to send.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cached part.
    #[cfg(test)]
    pub(super) const fn shared(&self) -> &Bytes {
        &self.parts[0]
    }

    /// Both parts together, copied.
    pub fn to_vec(&self) -> Vec<u8> {
        self.parts.concat()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::new(text.into(), Bytes::new())
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.parts.iter_mut().find(|part| !part.is_empty()).map(std::mem::take);
        Poll::Ready(next.map(|part| Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.len() as u64)
    }
}
