//! The configuration file as it is written, with the place of every value: right in its shape
//! (sections, keys, lists), its values not yet understood.

use super::fault::{Collector, Place, quoted};
use super::keys::{self, SectionKeys, Shape};

mod hint;
mod tree;

use tree::parse;
pub(super) use tree::{Node, Value};

/// Reads the text of a configuration file. `None` where it is no YAML at all; every other fault is
/// reported and what it spoils is left out.
pub(super) fn read(text: &str, faults: &mut Collector) -> Option<Document> {
    let mut document = Document::default();
    for (section, node) in sections(text, &keys::SECTIONS, faults)? {
        if section.name == keys::APPS.name {
            document.apps = Some(read_apps(node, faults));
        } else {
            document.sections.extend(read_section(node, section, &keys::SECTIONS, faults));
        }
    }
    Some(document)
}

/// The sections that stand in the text of a file which may have `known` ones. `None` where it has no
/// keys at all; every other fault is reported and what it spoils is left out.
pub(super) fn sections(
    text: &str,
    known: &[SectionKeys],
    faults: &mut Collector,
) -> Option<Vec<(SectionKeys, Node)>> {
    let root = parse(text, faults)?;
    let entries = match root.value {
        Value::Null => Vec::new(),
        Value::Map(entries) => entries,
        other @ (Value::Text(_) | Value::List(_)) => {
            let (example, shape) = (known[0].name, other.shape());
            faults.at(
                root.place,
                format_args!("the file must hold keys such as `{example}:`, not {shape}"),
            );
            return None;
        }
    };
    let entries = known_entries(entries, None, known, faults).into_iter();
    Some(entries.filter_map(|(idx, node)| Some((known[idx], node?))).collect())
}

/// A configuration file.
#[derive(Default)]
pub(super) struct Document {
    /// The list below `apps`, where the file has one.
    pub(super) apps: Option<Apps>,
    sections: Vec<Fields>,
}

impl Document {
    /// The section of this name; an empty one where the file has none.
    pub(super) fn section(&self, section: SectionKeys) -> Fields {
        let found = self.sections.iter().find(|fields| fields.section == section.name);
        found.cloned().unwrap_or_else(|| Fields::empty(section))
    }
}

/// The apps of a file.
pub(super) struct Apps {
    /// Where the list begins.
    pub(super) place: Place,
    /// One entry an app.
    pub(super) list: Vec<Fields>,
}

/// The keys below a section, or of one app, that stand in the file.
#[derive(Clone)]
pub(super) struct Fields {
    section: &'static str,
    /// Where they begin.
    pub(super) place: Place,
    entries: Vec<(&'static str, Written)>,
}

/// A text and where it stands.
#[derive(Clone)]
pub(super) struct Placed {
    pub(super) place: Place,
    pub(super) text: String,
}

#[derive(Clone)]
enum Written {
    Scalar(Placed),
    List(Vec<Placed>),
    /// Something of the wrong shape or with a misspelt key, already reported.
    Spoiled,
}

impl Fields {
    pub(super) fn empty(section: SectionKeys) -> Self {
        Self { section: section.name, place: Place { line: 1, column: 1 }, entries: Vec::new() }
    }

    /// Whether the key is written at all, be it rightly or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.written(key).is_some()
    }

    /// Whether the key is not written, or `parse` understands its value.
    pub(super) fn is_right_or_absent<T>(
        &self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> bool {
        !self.has(key) || self.scalar(key).is_some_and(|placed| parse(&placed.text).is_ok())
    }

    /// Where the value of a key stands; where the section begins if it is not written.
    pub(super) fn place_of(&self, key: &str) -> Place {
        match self.written(key) {
            Some(Written::Scalar(placed)) => placed.place,
            Some(Written::List(items)) => items.first().map_or(self.place, |item| item.place),
            Some(Written::Spoiled) | None => self.place,
        }
    }

    /// The text of a key and its place.
    pub(super) fn scalar(&self, key: &str) -> Option<&Placed> {
        match self.written(key)? {
            Written::Scalar(placed) => Some(placed),
            Written::List(_) | Written::Spoiled => None,
        }
    }

    /// The value of a key as `parse` understands it; where it does not, that is reported.
    pub(super) fn value<T>(
        &self,
        key: &str,
        faults: &mut Collector,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.understood(key, self.scalar(key)?, faults, parse)
    }

    /// The values of a list, each as `parse` understands it.
    pub(super) fn values<T>(
        &self,
        key: &str,
        faults: &mut Collector,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        match self.written(key)? {
            Written::List(items) => Some(
                (items.iter())
                    .filter_map(|item| self.understood(key, item, faults, &parse))
                    .collect(),
            ),
            Written::Scalar(_) | Written::Spoiled => None,
        }
    }

    fn written(&self, key: &str) -> Option<&Written> {
        self.entries.iter().find(|(name, _)| *name == key).map(|(_, written)| written)
    }

    fn understood<T>(
        &self,
        key: &str,
        placed: &Placed,
        faults: &mut Collector,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let sentence = match parse(&placed.text) {
            Ok(value) => return Some(value),
            // A URL may carry a password.
            Err(sentence) if placed.text.contains('@') => sentence,
            Err(sentence) => format!("{sentence}, not {}", quoted(&placed.text)),
        };
        faults.at(placed.place, format_args!("{} {sentence}", full_name(self.section, key)));
        None
    }
}

/// How a key is called in a sentence: `poll.interval`, but `app_id`.
fn full_name(section: &str, key: &str) -> String {
    if section == keys::APPS.name { key.to_owned() } else { format!("{section}.{key}") }
}

fn read_apps(node: Node, faults: &mut Collector) -> Apps {
    let place = node.place;
    let items = match node.value {
        Value::List(items) if !items.is_empty() => items,
        Value::List(_) | Value::Null => {
            faults.at(place, "apps lists no app; add one, or take `apps` out to use flags");
            Vec::new()
        }
        other @ (Value::Text(_) | Value::Map(_)) => {
            let shape = other.shape();
            faults.at(
                place,
                format_args!("apps must be a list (each app begins with `- `), not {shape}"),
            );
            Vec::new()
        }
    };
    let list = items
        .into_iter()
        .filter_map(|item| read_section(item, keys::APPS, &keys::SECTIONS, faults))
        .collect();
    Apps { place, list }
}

/// Reads a section of a file that may have `sections`.
pub(super) fn read_section(
    node: Node,
    section: SectionKeys,
    sections: &[SectionKeys],
    faults: &mut Collector,
) -> Option<Fields> {
    let place = node.place;
    let is_app = section.name == keys::APPS.name;
    let entries = match node.value {
        // A section whose keys are all commented out.
        Value::Null if !is_app => Vec::new(),
        Value::Map(entries) => entries,
        other @ (Value::Null | Value::Text(_) | Value::List(_)) => {
            let what = if is_app { "an app" } else { section.name };
            let example = section.keys[usize::from(is_app)].0;
            faults.at(
                place,
                format_args!("{what} must have keys such as `{example}:`, not {}", other.shape()),
            );
            return None;
        }
    };
    let entries = known_entries(entries, Some(section), sections, faults)
        .into_iter()
        .map(|(key_idx, node)| {
            let (key, shape) = section.keys[key_idx];
            let name = full_name(section.name, key);
            (key, node.map_or(Written::Spoiled, |node| read_value(node, &name, shape, faults)))
        })
        .collect();
    Some(Fields { section: section.name, place, entries })
}

fn read_value(node: Node, name: &str, shape: Shape, faults: &mut Collector) -> Written {
    let place = node.place;
    let sentence = match (shape, node.value) {
        (Shape::Scalar, Value::Text(text)) => return Written::Scalar(Placed { place, text }),
        (Shape::List, Value::List(items)) => return Written::List(words(items, name, faults)),
        (_, Value::Null) => "has no value".to_owned(),
        (Shape::Scalar, other) => format!("must be one value, not {}", other.shape()),
        (Shape::List, other) => format!("must be a list such as [a, b], not {}", other.shape()),
    };
    faults.at(place, format_args!("{name} {sentence}"));
    Written::Spoiled
}

fn words(items: Vec<Node>, name: &str, faults: &mut Collector) -> Vec<Placed> {
    let mut words = Vec::new();
    for item in items {
        match item.value {
            Value::Text(text) => words.push(Placed { place: item.place, text }),
            other @ (Value::Null | Value::List(_) | Value::Map(_)) => {
                faults
                    .at(item.place, format_args!("{name} must list words, not {}", other.shape()));
            }
        }
    }
    words
}

/// Sorts out the entries of `section`, or of the top of a file that may have `sections`, whose key is
/// not known or was there before. What is left comes with the index of its key there; a key that is
/// only there misspelt comes without a node.
fn known_entries(
    entries: Vec<(Placed, Node)>,
    section: Option<SectionKeys>,
    sections: &[SectionKeys],
    faults: &mut Collector,
) -> Vec<(usize, Option<Node>)> {
    let names = hint::names_of(section, sections);
    let mut first_lines: Vec<Option<u64>> = vec![None; names.len()];
    let (mut known, mut misspelt) = (Vec::new(), Vec::new());
    for (key, node) in entries {
        let Some(key_idx) = names.iter().position(|name| *name == key.text) else {
            faults.at(key.place, hint::unknown_key(&key.text, section, sections));
            let meant = hint::meant(&key.text, section, sections);
            misspelt.extend(names.iter().position(|name| Some(*name) == meant));
            continue;
        };
        match first_lines[key_idx] {
            None => {
                first_lines[key_idx] = Some(key.place.line);
                known.push((key_idx, Some(node)));
            }
            Some(line) => {
                let name = section
                    .map_or_else(|| key.text.clone(), |section| full_name(section.name, &key.text));
                faults.at(
                    key.place,
                    format_args!("{name} is given twice, the first time in line {line}"),
                );
            }
        }
    }
    misspelt.retain(|key_idx| first_lines[*key_idx].is_none());
    known.extend(misspelt.into_iter().map(|key_idx| (key_idx, None)));
    known
}
