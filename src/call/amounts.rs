//! What a call has that can grow after it was first seen.

/// One growing quantity of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Amount {
    /// The call's own `totalAudioMinutes`, in milliseconds.
    AudioMs,
    /// The call's own `totalVideoMinutes`, in milliseconds.
    VideoMs,
    /// `totalParticipants`: entries as the API counts them, each device on its own.
    Participants,
    /// `totalAudioMinutes` summed over `participants`, in milliseconds.
    UserAudioMs,
    /// `totalVideoMinutes` summed over `participants`, in milliseconds.
    UserVideoMs,
    /// Entries of `recordings`.
    Recordings,
    /// Their length summed, in milliseconds.
    RecordingMs,
    /// 1 with a recording (`hasRecording`, or an entry of `recordings`), else 0.
    Recorded,
    /// 1 with a transcription (`hasTranscription`, or an entry of `transcriptions`), else 0.
    Transcribed,
}

impl Amount {
    /// Every amount, in the order of its index in the state file: append only.
    pub const ALL: [Self; 9] = [
        Self::AudioMs,
        Self::VideoMs,
        Self::Participants,
        Self::UserAudioMs,
        Self::UserVideoMs,
        Self::Recordings,
        Self::RecordingMs,
        Self::Recorded,
        Self::Transcribed,
    ];

    /// Position in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The growing quantities of one call. Integers, because a sum of floats depends on the order in
/// which pages arrive, and two replicas must agree to the last digit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts(pub [u64; Amount::ALL.len()]);

impl Amounts {
    /// The value of one amount.
    pub const fn get(&self, amount: Amount) -> u64 {
        self.0[amount.index()]
    }

    /// Sets one amount.
    pub fn set(&mut self, amount: Amount, value: u64) {
        self.0[amount.index()] = value;
    }

    /// The greater of both, amount by amount.
    #[must_use]
    pub fn max(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].max(other.0[i])))
    }
}
