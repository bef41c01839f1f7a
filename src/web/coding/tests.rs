//! What goes in comes out, whatever stands behind the shared part.

use std::io::{BufRead, Read};

use flate2::read::{GzDecoder, MultiGzDecoder};
use proptest::prelude::*;

use super::*;

/// Decodes one member and one frame, and says what a decoder of one leaves over.
fn gunzip(packed: &[u8]) -> Vec<u8> {
    let (mut plain, mut again) = (Vec::new(), Vec::new());
    let mut one = GzDecoder::new(packed);
    one.read_to_end(&mut plain).expect("gzip");
    assert!(one.into_inner().is_empty(), "one member is all there is");
    MultiGzDecoder::new(packed).read_to_end(&mut again).expect("gzip");
    assert_eq!(plain, again);
    plain
}

fn unzstd(packed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut one = zstd::stream::read::Decoder::new(packed).expect("zstd").single_frame();
    one.read_to_end(&mut plain).expect("zstd");
    let left = one.finish().fill_buf().map(<[u8]>::len);
    assert_eq!(left.expect("memory"), 0, "one frame is all there is");
    plain
}

#[track_caller]
fn check(shared: &[u8], own: &[u8]) {
    let whole = [shared, own].concat();
    let pieces = |out: &mut dyn FnMut(&[u8])| shared.chunks(1_000).for_each(out);
    assert!(gunzip(&Gzip::of(pieces, shared.len()).body(own).to_vec()) == whole, "gzip");
    match Zstd::of(pieces) {
        Some(zstd) => assert!(unzstd(&zstd.body(own).to_vec()) == whole, "zstd"),
        None => assert!(shared.is_empty(), "zstd in memory"),
    }
}

#[test]
fn nothing_and_much_come_out_as_they_went_in() {
    let text = "cometchat_calls_total{status=\"ended\"} 17\n".repeat(200_000);
    let noise: Vec<u8> =
        (0..3_000_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    for shared in [b"".as_slice(), b"a", text.as_bytes(), &noise] {
        for own_bytes in [0, 1, 0xffff, 0x1_0000, 128 * 1024, 128 * 1024 + 1, 300_000] {
            check(shared, &noise[..own_bytes]);
        }
    }
}

/// Each line is another one, so that halves that change places show.
#[test]
fn what_two_threads_compress_stays_in_order() {
    let line = |n: usize| format!("cometchat_calls_total{{status=\"ended\"}} {n}\n");
    let text: String = (0..HALF_BYTES_MIN / 20).map(line).collect();
    assert!(text.len() >= 2 * HALF_BYTES_MIN, "enough for two threads");
    // All of it in one piece leaves the second half empty.
    for piece_bytes in [1_000, text.len()] {
        let pieces = |out: &mut dyn FnMut(&[u8])| text.as_bytes().chunks(piece_bytes).for_each(out);
        let packed = Gzip::of(pieces, text.len()).body(b"own").to_vec();
        assert!(gunzip(&packed) == [text.as_bytes(), b"own"].concat(), "pieces of {piece_bytes}");
    }
}

#[test]
fn a_text_of_metrics_is_compressed_well() {
    let line = |n: u32| format!("cometchat_calls_total{{cometchat_app=\"a{}\"}} {n}\n", n % 7);
    let text: String = (0..20_000).map(line).collect();
    let packed = [
        Gzip::of(|out| out(text.as_bytes()), text.len()).body(b"").len(),
        Zstd::of(|out| out(text.as_bytes())).expect("zstd in memory").body(b"").len(),
    ];
    assert!(packed.iter().all(|n_bytes| n_bytes * 8 < text.len()), "{packed:?} of {}", text.len());
}

proptest! {
    #[test]
    fn every_text_comes_out_as_it_went_in(shared in "\\PC{0,400}", own in "\\PC{0,100}") {
        check(shared.repeat(9).as_bytes(), own.as_bytes());
    }
}
