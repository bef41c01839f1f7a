//! YAML as a tree with places. Scalars stay the text that stands in the file: read as a number, an
//! app id such as `0123456789012345` would lose its leading zero.

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Location, Spanned};
use std::fmt;

use super::Placed;
use crate::config::fault::{Collector, Place};

/// A value and where it stands.
pub(in crate::config) struct Node {
    pub(in crate::config) place: Place,
    pub(in crate::config) value: Value,
}

/// What YAML can say, as far as a configuration needs it.
pub(in crate::config) enum Value {
    Null,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Placed, Node)>),
}

impl Value {
    /// How a sentence calls it.
    pub(in crate::config) fn shape(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Text(_) => "a single value",
            Self::List(_) => "a list",
            Self::Map(_) => "a group of keys",
        }
    }
}

/// Parses `text`; where it is no YAML, that is reported.
pub(in crate::config) fn parse(text: &str, faults: &mut Collector) -> Option<Node> {
    let options = serde_saphyr::options! {
        // All of them are wanted with their places, not the first alone.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        // A snippet of the file could show a key.
        with_snippet: false,
        // `.nan` is a word like any other here.
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::PassThrough,
    };
    match serde_saphyr::from_str_with_options::<Spanned<Tree>>(text, options) {
        Ok(tree) => Some(node(tree, text)),
        Err(error) => {
            let place = error.location().map_or(Place { line: 1, column: 1 }, place_of);
            let message = error.render_with_formatter(&serde_saphyr::UserMessageFormatter);
            // The place stands in front already.
            let message = message.split(" at line ").next().unwrap_or_default();
            faults.at(place, format_args!("this is not valid YAML: {message}"));
            None
        }
    }
}

fn place_of(location: Location) -> Place {
    Place { line: location.line().max(1), column: location.column().max(1) }
}

fn node(tree: Spanned<Tree>, source: &str) -> Node {
    let value = match tree.value {
        Tree::Null => Value::Null,
        Tree::Text(text) => Value::Text(text),
        Tree::Word(fallback) => {
            // The definition, not the reference: an alias stands for the text of its anchor.
            Value::Text(slice(tree.defined, source).map_or(fallback, str::to_owned))
        }
        Tree::List(items) => {
            Value::List(items.into_iter().map(|item| node(item, source)).collect())
        }
        Tree::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let key = Placed { place: place_of(key.referenced), text: key.value };
                    let mut value = node(value, source);
                    if matches!(value.value, Value::Null) {
                        // Nothing stands nowhere: it is looked for behind its key.
                        value.place = key.place;
                    }
                    (key, value)
                })
                .collect(),
        ),
    };
    Node { place: place_of(tree.referenced), value }
}

fn slice(location: Location, source: &str) -> Option<&str> {
    let start = usize::try_from(location.span().byte_offset()?).ok()?;
    let length = usize::try_from(location.span().byte_len()?).ok()?;
    source.get(start..start.checked_add(length)?)
}

/// What serde makes of it; the text of a [`Tree::Word`] is looked up in the file.
enum Tree {
    Null,
    Text(String),
    /// A boolean or a number, as far as serde can say it.
    Word(String),
    List(Vec<Spanned<Tree>>),
    Map(Vec<(Spanned<String>, Spanned<Tree>)>),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Word(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Word(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Word(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Word(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Tree::Map(entries))
    }
}
