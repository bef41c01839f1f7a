//! A ledger of calls, one a second.

use std::sync::Arc;

use cometchat_exporter::call::{
    Amounts, CallKey, CallType, Kind, Mode, Moment, Outcome, ReceiverType, Status, Timestamp,
    UnknownWords,
};
use cometchat_exporter::ledger::{Entry, FirstFinal, Phase};
use cometchat_exporter::store::AppId;
use cometchat_exporter::sweep::{Changes, Order, Progress, ReadTime, Saved, Span};

pub(crate) const PAGE: u32 = 100;
pub(crate) const EPOCH: Timestamp = Timestamp(1_700_000_000);
/// All calls, whenever they began.
pub(crate) const EVER: Span = Span { from: Timestamp::MIN, to: Timestamp::MAX };

pub(crate) fn app() -> AppId {
    AppId { app_id: "0123456789abcdef".into(), on_behalf_of: None }
}

pub(crate) fn changes(idx: impl IntoIterator<Item = u32>) -> Changes {
    let progress = Progress {
        epoch: EPOCH,
        epoch_settled: true,
        floor: EPOCH,
        complete: true,
        read: ReadTime::new(86_400),
        order: Order::default(),
    };
    Changes {
        calls: idx.into_iter().map(|idx| (key(idx), Some(entry(idx)))).collect(),
        saved: Saved { progress, totals: Arc::default() },
    }
}

pub(crate) fn key(idx: u32) -> CallKey {
    let session_id = format!("v1.us.0123456789abcdef.{idx:013x}").into();
    CallKey { initiated_at: EPOCH.plus_s(idx.into()), session_id }
}

/// One call in a hundred is still open; a tenth is settled.
pub(crate) fn entry(idx: u32) -> Entry {
    let ended_at = EPOCH.plus_s(i64::from(idx) + 600);
    let until = ended_at.plus_s(7200).start();
    let is_open = idx.is_multiple_of(100);
    let (phase, due) = match idx % 10 {
        _ if is_open => (Phase::Open, ended_at.start()),
        1 => (Phase::Settled, Moment::MAX),
        _ => (Phase::Settling { until }, until),
    };
    let mut amounts = Amounts::default();
    for (place, amount) in (0..).zip(&mut amounts.0) {
        *amount = u64::from(idx % 600) * 1000 * (place % 3);
    }
    let first_final = FirstFinal { outcome: Outcome::Ended, seen_at: ended_at };
    Entry {
        phase,
        due,
        kind: Kind { call_type: CallType::Video, mode: Mode::Call, receiver: ReceiverType::User },
        status: if is_open { Status::Ongoing } else { Status::Final(Outcome::Ended) },
        counted: true,
        first_final: (!is_open).then_some(first_final),
        posted: amounts,
        newest: amounts,
        people_present: u32::from(is_open) * 2,
        corrected: 0,
        unknown: UnknownWords::default(),
    }
}
