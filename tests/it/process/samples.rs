//! An exposition in the text format, as text: nothing is rounded on the way to a comparison.

use std::collections::BTreeMap;

/// The samples of one scrape.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples {
    /// By name and labels, as written.
    pub(crate) values: BTreeMap<String, String>,
    /// The type of each family.
    types: BTreeMap<String, String>,
}

impl Samples {
    /// Reads an exposition; no series may stand there twice.
    #[track_caller]
    pub(crate) fn parse(text: &str) -> Self {
        let mut samples = Self::default();
        for line in text.lines() {
            if let Some(family) = line.strip_prefix("# TYPE ") {
                let (name, kind) = family.split_once(' ').unwrap();
                samples.types.insert(name.to_owned(), kind.to_owned());
            } else if !line.starts_with('#') {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let old = samples.values.insert(series.to_owned(), value.to_owned());
                assert_eq!(old, None, "{series} stands there twice");
            }
        }
        samples
    }

    /// The value of a series, by its name and labels as written.
    pub(crate) fn get(&self, series: &str) -> Option<f64> {
        self.values.get(series).map(|value| value.parse().unwrap())
    }

    /// The sum of the series of this name that have all these labels; `None` where there is none.
    pub(crate) fn sum(&self, name: &str, labels: &[&str]) -> Option<f64> {
        let of_name = self.values.iter().filter(|(series, _)| self::name(series) == name);
        let fitting =
            of_name.filter(|(series, _)| labels.iter().all(|label| series.contains(label)));
        fitting.map(|(_, value)| value.parse::<f64>().unwrap()).reduce(|a, b| a + b)
    }

    /// Whether the series belongs to a counter or a histogram, and so may never fall.
    pub(crate) fn only_rises(&self, series: &str) -> bool {
        let name = name(series);
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|suffix| name.strip_suffix(suffix).filter(|it| self.types.contains_key(*it)))
            .unwrap_or(name);
        matches!(self.types.get(family).map(String::as_str), Some("counter" | "histogram"))
    }
}

/// The name of a series without its labels.
pub(crate) fn name(series: &str) -> &str {
    series.split('{').next().unwrap_or(series)
}
