//! Links of the documents to files and headings of the project.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::none;
use super::source::{files, root};

/// Where documents lie, besides the root itself.
const FOLDERS: [&str; 6] = ["docs", "deploy", "grafana", "prometheus", ".github", "tests"];

/// A document, and its text without blocks and pieces of code.
struct Document {
    /// Relative to the root.
    path: PathBuf,
    headings: BTreeSet<String>,
    links: Vec<String>,
}

fn documents() -> Vec<Document> {
    let in_root = std::fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let all = in_root.chain(FOLDERS.into_iter().flat_map(files));
    let is_markdown = |path: &PathBuf| path.extension().is_some_and(|it| it == "md");
    let documents: Vec<_> = all.filter(is_markdown).map(|path| document(&path)).collect();
    assert!(documents.len() > 20, "the documents were not found");
    documents
}

fn document(path: &Path) -> Document {
    let text = std::fs::read_to_string(path).unwrap();
    let (mut headings, mut links, mut in_code) = (BTreeSet::new(), Vec::new(), false);
    for line in text.lines() {
        in_code ^= line.trim_start().starts_with("```");
        if in_code {
            continue;
        }
        if line.starts_with('#') {
            headings.insert(anchor(line.trim_start_matches('#').trim()));
        }
        let prose: String = line.split('`').step_by(2).collect();
        let ends = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        links.extend(ends.map(str::to_owned));
    }
    Document { path: path.strip_prefix(root()).unwrap().to_owned(), headings, links }
}

/// What a heading is called in an address, as forges make it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|char| char.is_alphanumeric() || " -_".contains(*char));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// The path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part @ (Component::Prefix(_) | Component::RootDir | Component::Normal(_)) => {
                plain.push(part)
            }
        }
    }
    plain
}

#[test]
fn headings_become_anchors_as_forges_make_them() {
    assert_eq!(anchor("Flags of `run` and `check-config`"), "flags-of-run-and-check-config");
    assert_eq!(anchor("`recent`, `metrics`, `state`"), "recent-metrics-state");
    assert_eq!(plain(Path::new("docs/../prometheus/./x")), Path::new("prometheus/x"));
}

#[test]
fn every_link_leads_somewhere() {
    let documents = documents();
    let mut violations = Vec::new();
    for document in &documents {
        for link in document.links.iter().filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let folder = document.path.parent().unwrap();
            let target =
                if file.is_empty() { document.path.clone() } else { plain(&folder.join(file)) };
            let is_there = root().join(&target).exists();
            let of_target = documents.iter().find(|other| other.path == target);
            let has_heading = heading.is_empty()
                || of_target.is_some_and(|other| other.headings.contains(heading));
            if !is_there || !has_heading {
                violations.push(format!("{}: {link}", document.path.display()));
            }
        }
    }
    none(&violations, "correct the link, or the heading that it names");
}

#[test]
fn the_front_page_of_the_documents_leads_to_each() {
    let documents = documents();
    let front = documents.iter().find(|it| it.path == Path::new("docs/README.md")).unwrap();
    let named: BTreeSet<&str> =
        front.links.iter().filter_map(|link| link.split('#').next()).collect();
    let pages = documents.iter().filter(|it| it.path.parent() == Some(Path::new("docs")));
    let names = pages.filter_map(|page| page.path.file_name()?.to_str());
    let violations: Vec<_> = names
        .filter(|name| *name != "README.md" && !named.contains(name))
        .map(str::to_owned)
        .collect();
    none(&violations, "link it from docs/README.md");
}
