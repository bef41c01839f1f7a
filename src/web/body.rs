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

/// Both pieces as one buffer: they leave with the head before them in one call of the system,
/// where there is room.
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
        self.pieces.iter().find(|piece| !piece.is_empty()).map_or(&[], |piece| piece)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let full = self.pieces.iter().filter(|piece| !piece.is_empty());
        slices.iter_mut().zip(full).map(|(slice, piece)| *slice = IoSlice::new(piece)).count()
    }

    fn advance(&mut self, mut n_bytes: usize) {
        for piece in &mut self.pieces {
            let n_here = n_bytes.min(piece.len());
            piece.advance(n_here);
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Weak};

    use hyper::body::Body as _;

    use super::*;

    fn body(shared: &'static str, own: &'static str) -> (Body, Weak<()>) {
        let mut body = Body::new(Bytes::from_static(shared.as_bytes()), own.into());
        let held = Arc::new(());
        let watched = Arc::downgrade(&held);
        body.hold(held);
        (body, watched)
    }

    fn frame(body: &mut Body) -> Option<Parts> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        match Pin::new(body).poll_frame(&mut context) {
            Poll::Ready(frame) => frame.and_then(|Ok(frame)| frame.into_data().ok()),
            Poll::Pending => panic!("a body is always ready"),
        }
    }

    fn slices(parts: &Parts, n_slots: usize) -> Vec<Vec<u8>> {
        let mut slots = vec![IoSlice::new(&[]); n_slots];
        let n_filled = parts.chunks_vectored(&mut slots);
        slots[..n_filled].iter().map(|slice| slice.to_vec()).collect()
    }

    #[test]
    fn both_pieces_are_written_at_once_and_advance_over_their_seam() {
        let (mut body, _) = body("shared", "own");
        assert_eq!(body.size_hint().exact(), Some(9));
        let mut parts = frame(&mut body).expect("the one frame");
        assert!(body.is_end_stream() && frame(&mut body).is_none());
        assert_eq!(slices(&parts, 4), [b"shared".to_vec(), b"own".to_vec()]);
        assert_eq!(slices(&parts, 1), [b"shared".to_vec()]);
        parts.advance(4);
        assert_eq!((parts.remaining(), parts.chunk()), (5, &b"ed"[..]));
        parts.advance(3);
        assert_eq!((parts.chunk(), slices(&parts, 4)), (&b"wn"[..], vec![b"wn".to_vec()]));
        parts.advance(2);
        assert_eq!((parts.remaining(), parts.chunk()), (0, &b""[..]));
    }

    #[test]
    fn what_is_held_goes_with_the_last_byte_and_where_there_is_none_with_the_body() {
        let (mut full, watched) = body("", "own");
        let parts = frame(&mut full).expect("the one frame");
        drop(full);
        assert!(watched.upgrade().is_some(), "bytes are left");
        drop(parts);
        assert!(watched.upgrade().is_none());

        let (mut empty, watched) = body("", "");
        assert!(frame(&mut empty).is_none() && watched.upgrade().is_some());
        drop(empty);
        assert!(watched.upgrade().is_none());
    }
}
