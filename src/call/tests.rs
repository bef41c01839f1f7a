//! Words and their labels, sets of words, and times: what everything above takes for granted.

use super::*;

/// Every word of the API with what it is read as, and the label of that.
const STATUSES: [(&str, Status, &str); 10] = [
    ("initiated", Status::Initiated, "initiated"),
    ("ongoing", Status::Ongoing, "ongoing"),
    ("ended", Status::Final(Outcome::Ended), "ended"),
    ("unanswered", Status::Final(Outcome::Unanswered), "unanswered"),
    ("missed", Status::Final(Outcome::Unanswered), "unanswered"),
    ("rejected", Status::Final(Outcome::Rejected), "rejected"),
    ("canceled", Status::Final(Outcome::Canceled), "canceled"),
    ("cancelled", Status::Final(Outcome::Canceled), "canceled"),
    ("busy", Status::Final(Outcome::Busy), "busy"),
    ("on hold", Status::Unknown, "other"),
];

/// A word in the spellings that are the same word.
fn spellings(word: &str) -> [String; 3] {
    [word.into(), word.to_uppercase(), format!(" {word}\n")]
}

#[test]
fn statuses_are_read_in_any_case_and_have_their_labels() {
    for (word, status, label) in STATUSES {
        for word in spellings(word) {
            assert_eq!(Status::from_word(&word), status, "{word}");
        }
        assert_eq!(status.label(), label);
    }
    assert_eq!(Outcome::Other.label(), "other");
    assert_eq!(Outcome::ALL.map(Outcome::index), [0, 1, 2, 3, 4, 5]);
}

/// The labels of a set in its order; each is the word it is read from, but for the last, `other`.
fn check_words<T: Copy + PartialEq + std::fmt::Debug>(
    all: &[T],
    label: fn(T) -> &'static str,
    index: fn(T) -> usize,
    from_word: fn(&str) -> T,
    words: &[&str],
) {
    assert_eq!(all.iter().map(|it| label(*it)).collect::<Vec<_>>(), words);
    for (idx, (it, word)) in all.iter().zip(words).enumerate() {
        assert_eq!(index(*it), idx, "{word}");
        for word in spellings(word) {
            assert_eq!(from_word(&word), *it, "{word}");
        }
    }
    for unknown in ["", "fax", "calls", "other"] {
        assert_eq!(Some(&from_word(unknown)), all.last(), "{unknown}");
    }
}

#[test]
fn types_modes_and_receivers_are_read_in_any_case_and_have_their_labels() {
    check_words(
        &CallType::ALL,
        CallType::label,
        CallType::index,
        CallType::from_word,
        &["audio", "video", "other"],
    );
    check_words(
        &Mode::ALL,
        Mode::label,
        Mode::index,
        Mode::from_word,
        &["call", "meet", "presenter", "other"],
    );
    check_words(
        &ReceiverType::ALL,
        ReceiverType::label,
        ReceiverType::index,
        ReceiverType::from_word,
        &["user", "group", "other"],
    );
}

#[test]
fn kinds_are_numbered_without_gaps_and_the_documented_ones_have_no_other() {
    for index in 0..Kind::COUNT {
        assert_eq!(Kind::from_index(index).map(Kind::index), Some(index));
    }
    assert_eq!(Kind::from_index(Kind::COUNT), None);
    let labels = |kind: Kind| [kind.call_type.label(), kind.mode.label(), kind.receiver.label()];
    let documented: Vec<_> = Kind::documented().map(labels).collect();
    assert_eq!(documented.len(), 2 * 3 * 2);
    assert!(!documented.as_flattened().contains(&"other"), "{documented:?}");
    assert!(
        (0..Kind::COUNT)
            .filter_map(Kind::from_index)
            .all(|kind| { kind.is_documented() != labels(kind).contains(&"other") })
    );
}

#[test]
fn sets_of_unknown_words_hold_what_was_put_in() {
    for one in WordField::ALL {
        let mut set = UnknownWords::default();
        set.insert(one);
        for other in WordField::ALL {
            assert_eq!(set.contains(other), one == other, "{one:?} {other:?}");
            let mut both = set;
            both.insert(other);
            let mut rest = UnknownWords::default();
            rest.insert(other);
            assert_eq!(set.union(rest), both);
            assert_eq!(
                both.without(set),
                if one == other { UnknownWords::default() } else { rest }
            );
        }
        assert_eq!(UnknownWords::from_bits(set.bits()), set);
    }
    let labels = WordField::ALL.map(WordField::label);
    assert_eq!(labels, ["status", "type", "mode", "receiver_type", "state"]);
}

fn call(mode: Mode, started_at: Option<i64>, ended_at: Option<i64>) -> Call {
    Call {
        key: CallKey { initiated_at: Timestamp(100), session_id: "s".into() },
        kind: Kind { call_type: CallType::Audio, mode, receiver: ReceiverType::User },
        status: Status::Ongoing,
        started_at: started_at.map(Timestamp),
        ended_at: ended_at.map(Timestamp),
        amounts: Amounts::default(),
        people: 0,
        people_present: 0,
        entries: [0; Outcome::ALL.len()],
        unknown: UnknownWords::default(),
    }
}

#[test]
fn durations_are_those_of_times_in_order() {
    let duration = |start, end| call(Mode::Call, start, end).duration_s();
    assert_eq!(duration(Some(110), Some(170)), Some(60));
    assert_eq!(duration(Some(110), Some(110)), Some(0));
    assert_eq!(duration(Some(110), Some(109)), None);
    assert_eq!([duration(None, Some(170)), duration(Some(110), None)], [None, None]);
    let answer = |mode, start| call(mode, start, None).answer_s();
    assert_eq!(answer(Mode::Call, Some(107)), Some(7));
    assert_eq!(answer(Mode::Call, Some(99)), None);
    assert_eq!([answer(Mode::Call, None), answer(Mode::Meet, Some(107))], [None, None]);
    let mut someone = call(Mode::Call, None, None);
    assert!(someone.lists_nobody());
    someone.entries[3] = 1;
    assert!(!someone.lists_nobody());
}

#[test]
fn times_are_counted_in_both_directions_and_never_overflow() {
    assert_eq!(Moment(-1).floor(), Timestamp(-1), "the second that it lies in");
    assert_eq!(Moment(1_999).floor(), Timestamp(1));
    assert_eq!(Timestamp(2).start(), Moment(2_000));
    assert_eq!(Timestamp::MAX.start(), Moment::MAX);
    assert_eq!(
        [Timestamp::MAX.plus_s(1), Timestamp(5).plus_s(-7)],
        [Timestamp::MAX, Timestamp(-2)]
    );
    assert_eq!(Timestamp::MIN.since_s(Timestamp::MAX), i64::MIN);
    assert_eq!(Moment(7).since_ms(Moment(9)), -2);
    assert_eq!(Moment(7).plus_ms(3), Moment(10));
}

#[test]
fn the_greater_of_each_amount_is_kept() {
    let (mut one, mut other) = (Amounts::default(), Amounts::default());
    for (idx, amount) in Amount::ALL.into_iter().enumerate() {
        one.set(amount, 10 + idx as u64);
        other.set(amount, if idx.is_multiple_of(2) { 0 } else { 100 });
    }
    let kept = Amount::ALL.map(|amount| one.max(&other).get(amount));
    assert_eq!(kept, [10, 100, 12, 100, 14, 100, 16, 100, 18]);
}
