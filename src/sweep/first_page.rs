//! Whether the first page is 0 or 1: asked once per process, since no document says so.

/// The pages asked for: 0 and 1 twice, so that a list that shifts meanwhile is noticed.
const QUESTIONS: [u32; 5] = [0, 1, 2, 0, 1];

/// What one of these pages showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Rows, by their fingerprint.
    Rows(u64),
    /// An answer without rows.
    Nothing,
    /// HTTP 404, or 400 for a page number that the API does not take.
    Refused,
}

/// The answers so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstPage {
    shown: Vec<Shown>,
}

/// What the answers so far tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The number of the first page.
    Is(u32),
    /// More has to be asked.
    Open,
    /// The list is empty: there is nothing to number, and all of it was read.
    EmptyList,
    /// Neither page exists: this is no list of calls.
    NoList,
}

impl FirstPage {
    /// The page to ask for next.
    pub fn question(&self) -> u32 {
        QUESTIONS[self.shown.len() % QUESTIONS.len()]
    }

    /// Takes an answer. The first page is 0, unless page 0 shows nothing, asked twice round page 1,
    /// or pages 0 and 1 show the same rows twice while page 2, asked between, shows others.
    pub fn take(&mut self, shown: Shown) -> Finding {
        self.shown.push(shown);
        let finding = match self.shown[..] {
            [Shown::Refused, Shown::Refused] => Finding::NoList,
            [Shown::Nothing | Shown::Refused, Shown::Nothing | Shown::Refused] => {
                Finding::EmptyList
            }
            [zero, one, two, zero_again, one_again] => {
                let nothing = !matches!(zero, Shown::Rows(_));
                let doubled = zero == one && one == one_again && one != two;
                Finding::Is(u32::from(zero == zero_again && (nothing || doubled)))
            }
            _ => Finding::Open,
        };
        if finding != Finding::Open {
            self.shown.clear();
        }
        finding
    }
}
