//! A small strict reader of text format 0.0.4.

use std::collections::{BTreeMap, BTreeSet};

/// Checks that each family is one block that begins with HELP and TYPE, that each series stands
/// once with labels that can be read back and a number, and that histograms add up.
pub(super) fn check_exposition(text: &str) -> Result<(), String> {
    let mut families = BTreeMap::new();
    let mut series = BTreeSet::new();
    let mut last_bucket: Option<(String, f64, f64)> = None;
    let mut current = "";
    let mut lines = text.lines();
    if !text.is_empty() && !text.ends_with('\n') {
        return Err("the last line has no end".into());
    }
    while let Some(line) = lines.next() {
        let at = |problem: &str| format!("{problem}: {line}");
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, _) = help.split_once(' ').ok_or(at("no text"))?;
            let declared = lines.next().and_then(|line| line.strip_prefix("# TYPE "));
            let (typed, kind) = declared.and_then(|t| t.split_once(' ')).ok_or(at("no TYPE"))?;
            if typed != name || families.insert(name, kind).is_some() {
                return Err(at("not one block"));
            }
            current = name;
            continue;
        }
        let (name, labels, value) = sample(line).ok_or(at("not a sample"))?;
        let kind = *families.get(current).ok_or(at("before any TYPE"))?;
        let suffix = name.strip_prefix(current).ok_or(at("in the block of another family"))?;
        let valid = if kind == "histogram" { &["_bucket", "_sum", "_count"][..] } else { &[""] };
        if !valid.contains(&suffix) {
            return Err(at("a suffix that its type does not have"));
        }
        if !series.insert((name.to_owned(), labels.clone())) {
            return Err(at("a series that stands twice"));
        }
        if suffix == "_bucket" {
            let (others, le) = without_le(&labels).ok_or(at("no le"))?;
            if let Some((of, below, n)) = &last_bucket
                && *of == others
                && (le <= *below || value < *n)
            {
                return Err(at("buckets that do not rise"));
            }
            last_bucket = Some((others, le, value));
        } else if suffix == "_count"
            && last_bucket.take().is_none_or(|(_, le, n)| le.is_finite() || n != value)
        {
            return Err(at("not the count of the last bucket"));
        }
    }
    Ok(())
}

pub(super) type Labels = Vec<(String, String)>;

pub(super) fn sample(line: &str) -> Option<(&str, Labels, f64)> {
    let (series, value) = line.rsplit_once(' ')?;
    let value = value.parse().ok()?;
    let Some((name, labels)) = series.split_once('{') else {
        return is_name(series).then_some((series, Vec::new(), value));
    };
    let mut rest = labels.strip_suffix('}')?;
    let mut pairs = Labels::new();
    loop {
        let (label, quoted) = rest.split_once("=\"")?;
        let (text, after) = unquote(quoted)?;
        if !is_name(label) || pairs.iter().any(|(known, _)| known == label) {
            return None;
        }
        pairs.push((label.into(), text));
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return (after.is_empty() && is_name(name)).then_some((name, pairs, value)),
        }
    }
}

fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((text, &quoted[at + 1..])),
            '\\' => text.push(match chars.next()?.1 {
                'n' => '\n',
                escaped @ ('\\' | '"') => escaped,
                _ => return None,
            }),
            _ => text.push(char),
        }
    }
    None
}

fn is_name(name: &str) -> bool {
    let word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    name.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
        && name.chars().all(word)
}

fn without_le(labels: &Labels) -> Option<(String, f64)> {
    let (le, others): (Vec<_>, Vec<_>) = labels.iter().partition(|(name, _)| name == "le");
    let le = match le.first()?.1.as_str() {
        "+Inf" => f64::INFINITY,
        "inf" => return None,
        bound => bound.parse().ok()?,
    };
    Some((format!("{others:?}"), le))
}
