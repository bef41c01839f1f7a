//! The body of a response: up to two pieces of memory, sent without being copied together.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Bytes, Frame, SizeHint};

/// The cached part of a response, shared by all who read it, and what was made for this one.
#[derive(Default)]
pub struct Body {
    parts: [Bytes; 2],
    /// Dropped when the last byte is on its way or the reader is gone.
    held: Option<Box<dyn Any + Send + Sync>>,
}

impl Body {
    /// `shared` first, then `own`.
    pub const fn new(shared: Bytes, own: Bytes) -> Self {
        Self { parts: [shared, own], held: None }
    }

    /// Keeps `what` until the body was sent or is given up, and drops it then.
    pub fn hold(&mut self, what: impl Any + Send + Sync) {
        self.held = Some(Box::new(what));
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

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body of {} bytes", self.len())
    }
}
