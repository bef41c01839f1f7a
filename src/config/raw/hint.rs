//! What somebody may have meant by a key that does not exist.

use crate::config::fault::quoted;
use crate::config::keys::{self, SectionKeys};

/// The sentence about an unknown key of `section`, or of the top of the file without one. `sections`
/// are all that the file may have.
pub(super) fn unknown_key(
    key: &str,
    section: Option<SectionKeys>,
    sections: &[SectionKeys],
) -> String {
    // `api_key:value` without a blank is one long key: what follows the colon may be a secret.
    if let Some((name, _)) = key.split_once([':', '=']) {
        return format!("unknown key {}: a key ends with a colon and a blank", quoted(name));
    }
    let place = section.map_or("at the top of the file".to_owned(), |section| match section.name {
        "apps" => "of an app".to_owned(),
        name => format!("in {name}"),
    });
    let sentence = format!("unknown key {} {place}", quoted(key));
    let names = names_of(section, sections);
    let hint = near_name(key, &names)
        .map(|name| format!("did you mean `{name}`?"))
        .or_else(|| owner(key, sections))
        .or_else(|| by_flag_only(key, section))
        .unwrap_or_else(|| format!("known are {}", names.join(", ")));
    format!("{sentence}; {hint}")
}

/// The known key that somebody meant, so that it is not reported as missing as well.
pub(super) fn meant(
    key: &str,
    section: Option<SectionKeys>,
    sections: &[SectionKeys],
) -> Option<&'static str> {
    let names = names_of(section, sections);
    match key.split_once([':', '=']) {
        Some((name, _)) => names.into_iter().find(|known| *known == name.trim()),
        None => near_name(key, &names),
    }
}

/// The keys of `section`, or of the top of a file that may have `sections`.
pub(super) fn names_of(
    section: Option<SectionKeys>,
    sections: &[SectionKeys],
) -> Vec<&'static str> {
    match section {
        Some(section) => section.keys.iter().map(|(name, _)| *name).collect(),
        None => sections.iter().map(|section| section.name).collect(),
    }
}

/// The known key that is spelled much like this one.
fn near_name(key: &str, names: &[&'static str]) -> Option<&'static str> {
    let key = plain(key);
    let distance_max = 1 + key.chars().count() / 5;
    (names.iter())
        .map(|name| (edit_distance(&key, &plain(name)), *name))
        .filter(|(distance, _)| *distance <= distance_max)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Where a key belongs that is right, but in the wrong section.
fn owner(key: &str, sections: &[SectionKeys]) -> Option<String> {
    sections.iter().find_map(|owner| {
        let (name, _) = owner.keys.iter().find(|(name, _)| plain(name) == plain(key))?;
        let entry = if owner.name == keys::APPS.name { "an entry of " } else { "" };
        Some(format!("`{name}` belongs below {entry}`{}`", owner.name))
    })
}

/// What other exporters have in their file, and this one on the command line.
fn by_flag_only(key: &str, section: Option<SectionKeys>) -> Option<String> {
    let is_flag = section.is_none() && matches!(key, "web" | "log");
    is_flag.then(|| format!("it is set by the flags --{key}.*"))
}

/// A key without what is easily mistaken in it: capitals, hyphens, underscores.
fn plain(key: &str) -> String {
    key.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// How many letters must be put in, taken out or replaced to make `left` of `right`.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (left_idx, left_char) in left.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], left_idx + 1);
        for (right_idx, right_char) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(left_char != *right_char);
            diagonal = row[right_idx + 1];
            row[right_idx + 1] = replaced.min(diagonal + 1).min(row[right_idx] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_single_letters() {
        for (left, right, distance) in
            [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("appid", "appid", 0)]
        {
            assert_eq!(edit_distance(left, right), distance);
            assert_eq!(edit_distance(right, left), distance);
        }
    }
}
