//! What sort of call it is: the breakdown labels, each a closed set with `other`.

/// The call's `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallType {
    /// Voice only.
    Audio,
    /// With video.
    Video,
    /// An unknown word, or none.
    Other,
}

impl CallType {
    /// Every type, in the order of its index in the state file: append only.
    pub const ALL: [Self; 3] = [Self::Audio, Self::Video, Self::Other];

    /// Reads a word of the API without regard to case.
    pub fn from_word(word: &str) -> Self {
        match word.trim().to_ascii_lowercase().as_str() {
            "audio" => Self::Audio,
            "video" => Self::Video,
            _ => Self::Other,
        }
    }

    /// The value of the label `call_type`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Other => "other",
        }
    }

    /// Position in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The call's `mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// A call that rings.
    Call,
    /// A meeting: nothing rings.
    Meet,
    /// A presentation: nothing rings.
    Presenter,
    /// An unknown word, or none.
    Other,
}

impl Mode {
    /// Every mode, in the order of its index in the state file: append only.
    pub const ALL: [Self; 4] = [Self::Call, Self::Meet, Self::Presenter, Self::Other];

    /// Reads a word of the API without regard to case.
    pub fn from_word(word: &str) -> Self {
        match word.trim().to_ascii_lowercase().as_str() {
            "call" => Self::Call,
            "meet" => Self::Meet,
            "presenter" => Self::Presenter,
            _ => Self::Other,
        }
    }

    /// The value of the label `mode`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Meet => "meet",
            Self::Presenter => "presenter",
            Self::Other => "other",
        }
    }

    /// Position in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The call's `receiverType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReceiverType {
    /// One person.
    User,
    /// A group.
    Group,
    /// An unknown word, or none.
    Other,
}

impl ReceiverType {
    /// Every receiver type, in the order of its index in the state file: append only.
    pub const ALL: [Self; 3] = [Self::User, Self::Group, Self::Other];

    /// Reads a word of the API without regard to case.
    pub fn from_word(word: &str) -> Self {
        match word.trim().to_ascii_lowercase().as_str() {
            "user" => Self::User,
            "group" => Self::Group,
            _ => Self::Other,
        }
    }

    /// The value of the label `receiver_type`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Other => "other",
        }
    }

    /// Position in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The breakdown of a call: `type`, `mode` and `receiverType` together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    /// `type`.
    pub call_type: CallType,
    /// `mode`.
    pub mode: Mode,
    /// `receiverType`.
    pub receiver: ReceiverType,
}

impl Kind {
    /// How many kinds there are.
    pub const COUNT: usize = CallType::ALL.len() * Mode::ALL.len() * ReceiverType::ALL.len();

    /// Whether every word is one of the documented ones.
    pub fn is_documented(self) -> bool {
        self.call_type != CallType::Other
            && self.mode != Mode::Other
            && self.receiver != ReceiverType::Other
    }

    /// Every kind of documented words.
    pub fn documented() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).filter_map(Self::from_index).filter(|kind| kind.is_documented())
    }

    /// A number below [`Self::COUNT`]; not for storing, since it changes when a set grows.
    pub const fn index(self) -> usize {
        (self.call_type.index() * Mode::ALL.len() + self.mode.index()) * ReceiverType::ALL.len()
            + self.receiver.index()
    }

    /// The kind with this index, if there is one.
    pub fn from_index(index: usize) -> Option<Self> {
        let (rest, receiver) = (index / ReceiverType::ALL.len(), index % ReceiverType::ALL.len());
        Some(Self {
            call_type: *CallType::ALL.get(rest / Mode::ALL.len())?,
            mode: Mode::ALL[rest % Mode::ALL.len()],
            receiver: ReceiverType::ALL[receiver],
        })
    }
}
