//! The apps: those that the file lists, or the one that flags and variables give.

use std::path::{Path, PathBuf};

use crate::config::cli::RunArgs;
use crate::config::fault::{Collector, Place, quoted};
use crate::config::raw::{Apps, Fields};
use crate::config::secret::Secret;
use crate::config::settings::{ApiRegion, AppSettings, KeySource};
use crate::config::surroundings::Surroundings;
use crate::config::values;

use super::{Why, repeats};

const APP_ID: &str = "COMETCHAT_APP_ID";
const REGION: &str = "COMETCHAT_REGION";
const API_KEY_FILE: &str = "COMETCHAT_API_KEY_FILE";
const API_KEY: &str = "COMETCHAT_API_KEY";

const NOTHING_CONFIGURED: &str = "\
nothing is configured: there is no app to read. Either
  name a file:      cometchat-exporter --config.file=config.yaml
  or give one app:  cometchat-exporter --cometchat.app-id=ID --cometchat.region=us --cometchat.api-key-file=PATH
                    (or set COMETCHAT_APP_ID, COMETCHAT_REGION and COMETCHAT_API_KEY_FILE)
  or just look:     cometchat-exporter demo";

/// The apps to read, or `None` with a reported reason. Apps that are wrong are left out.
pub(super) fn read(
    args: &RunArgs,
    in_file: Option<&Apps>,
    around: &dyn Surroundings,
    faults: &mut Collector,
    notices: &mut Vec<String>,
) -> Option<Vec<AppSettings>> {
    let flags = flags_given(args);
    let variables: Vec<&str> = [APP_ID, REGION, API_KEY_FILE, API_KEY]
        .into_iter()
        .filter(|name| variable(around, name).is_some())
        .collect();
    let Some(apps) = in_file else {
        if flags.is_empty() && variables.is_empty() {
            report_nothing(args, faults);
            return None;
        }
        return one_app(args, around, faults).map(|app| vec![app]);
    };
    if !flags.is_empty() {
        let spot = faults.spot(apps.place);
        faults.plain(format_args!(
            "{} cannot stand beside a file that lists apps ({spot}); use one of the two",
            flags.join(", ")
        ));
    }
    if !variables.is_empty() {
        let verb = if variables.len() == 1 { "is" } else { "are" };
        let (names, file) = (variables.join(", "), faults.file());
        notices.push(format!("{names} {verb} ignored, since {file} lists apps"));
    }
    repeats::report(&apps.list, faults);
    let folder = args.config_file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    Some(apps.list.iter().filter_map(|fields| listed_app(fields, folder, around, faults)).collect())
}

fn flags_given(args: &RunArgs) -> Vec<&'static str> {
    [
        ("--cometchat.app-id", args.app_id.is_some()),
        ("--cometchat.region", args.region.is_some()),
        ("--cometchat.api-key-file", args.api_key_file.is_some()),
        ("--cometchat.base-url", args.base_url.is_some()),
    ]
    .into_iter()
    .filter_map(|(flag, is_given)| is_given.then_some(flag))
    .collect()
}

/// A variable that says something: containers often set one to nothing to unset it.
fn variable(around: &dyn Surroundings, name: &str) -> Option<String> {
    around.variable(name).filter(|value| !value.is_empty())
}

fn report_nothing(args: &RunArgs, faults: &mut Collector) {
    if args.config_file.is_none() {
        faults.plain(NOTHING_CONFIGURED);
    } else {
        faults.at(
            Place { line: 1, column: 1 },
            "there is no app to read: list them below `apps`, or give one by --cometchat.app-id",
        );
    }
}

fn one_app(
    args: &RunArgs,
    around: &dyn Surroundings,
    faults: &mut Collector,
) -> Option<AppSettings> {
    let app_id = args.app_id.clone().map_or_else(
        || from_variable(APP_ID, "--cometchat.app-id", around, faults, values::app_id),
        Some,
    );
    let region = match (args.region, &args.base_url) {
        (None, None) => from_variable(REGION, "--cometchat.region", around, faults, values::region),
        // An own address of the API needs no region.
        (region, _) => region,
    };
    let key = one_key(args, around).map_err(|sentence| faults.plain(sentence));
    app(None, app_id?, region, args.base_url.clone(), key.ok()?)
}

/// The key by flag or variable. An error is a whole sentence.
fn one_key(args: &RunArgs, around: &dyn Surroundings) -> Result<KeySource, String> {
    if let Some(path) = &args.api_key_file {
        return key_file(path.clone(), around)
            .map_err(|sentence| format!("--cometchat.api-key-file {sentence}"));
    }
    match (variable(around, API_KEY_FILE), variable(around, API_KEY)) {
        (Some(_), Some(_)) => {
            Err(format!("{API_KEY} and {API_KEY_FILE} are both set; keep one (the file is better)"))
        }
        (Some(path), None) => {
            key_file(path.into(), around).map_err(|sentence| format!("{API_KEY_FILE} {sentence}"))
        }
        (None, Some(text)) => inline_key(&text).map_err(|sentence| format!("{API_KEY} {sentence}")),
        (None, None) => {
            Err(format!("--cometchat.api-key-file is missing; give it, or set {API_KEY_FILE}"))
        }
    }
}

fn from_variable<T>(
    name: &str,
    flag: &str,
    around: &dyn Surroundings,
    faults: &mut Collector,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Option<T> {
    let Some(text) = variable(around, name) else {
        faults.plain(format_args!("{flag} is missing; give it, or set {name}"));
        return None;
    };
    parse(&text)
        .map_err(|sentence| faults.plain(format_args!("{name} {sentence}, not {}", quoted(&text))))
        .ok()
}

fn listed_app(
    fields: &Fields,
    folder: &Path,
    around: &dyn Surroundings,
    faults: &mut Collector,
) -> Option<AppSettings> {
    let name = fields.value("name", faults, values::app_name);
    let app_id = fields.value("app_id", faults, values::app_id);
    if !fields.has("app_id") {
        faults.at(fields.place, "app_id is missing");
    }
    let region = fields.value("region", faults, values::region);
    if !fields.has("region") && !fields.has("base_url") {
        faults.at(fields.place, "region is missing: us, eu or in");
    }
    let base_url = fields.value("base_url", faults, values::base_url);
    let on_behalf_of = fields.value("on_behalf_of", faults, values::on_behalf_of);
    let budget_group = fields.value("budget_group", faults, values::app_name);
    let key = listed_key(fields, folder, around, faults);
    let app = app(name, app_id?, region, base_url, key?)?;
    Some(AppSettings { on_behalf_of, budget_group, ..app })
}

fn listed_key(
    fields: &Fields,
    folder: &Path,
    around: &dyn Surroundings,
    faults: &mut Collector,
) -> Option<KeySource> {
    match (fields.has("api_key_file"), fields.has("api_key")) {
        (true, true) => {
            let place = fields.scalar("api_key").map_or(fields.place, |placed| placed.place);
            faults.at(
                place,
                "api_key and api_key_file are both given; keep one (the file is better)",
            );
            None
        }
        (false, false) => {
            faults.at(fields.place, "api_key_file is missing");
            None
        }
        (true, false) => {
            let path = fields.value("api_key_file", faults, values::path)?;
            let place = fields.scalar("api_key_file")?.place;
            key_file(folder.join(path), around)
                .map_err(|sentence| faults.at(place, format_args!("api_key_file {sentence}")))
                .ok()
        }
        (false, true) => {
            let placed = fields.scalar("api_key")?;
            inline_key(&placed.text)
                .map_err(|sentence| faults.at(placed.place, format_args!("api_key {sentence}")))
                .ok()
        }
    }
}

/// A key by itself. An error is a sentence without a subject, and never shows the key.
fn inline_key(text: &str) -> Result<KeySource, &'static str> {
    values::api_key(text).map(|key| KeySource::Inline(Secret::new(key)))
}

/// A file that holds a key right now. An error is a sentence without a subject.
fn key_file(path: PathBuf, around: &dyn Surroundings) -> Result<KeySource, String> {
    let shown = quoted(&path.display().to_string());
    match around.read_key(&path) {
        Ok(text) => match values::api_key(&text) {
            Ok(_) => Ok(KeySource::File(path)),
            Err(sentence) => Err(format!(
                "names {shown}, which {sentence}: write the app's REST API key into it, alone"
            )),
        },
        Err(_) if looks_like_a_key(&path) => {
            Err("must be the path of a file, and looks like a key itself: write that into a file"
                .into())
        }
        Err(error) => Err(format!("names {shown}, which cannot be read: {}", Why(&error))),
    }
}

/// CometChat's keys are 40 hexadecimal digits; a file is hardly called so.
fn looks_like_a_key(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    name.len() >= 32 && name.chars().all(|c| c.is_ascii_hexdigit())
}

fn app(
    name: Option<String>,
    app_id: String,
    region: Option<ApiRegion>,
    base_url: Option<String>,
    key: KeySource,
) -> Option<AppSettings> {
    let (api_region, base_url) = match (base_url, region) {
        (Some(base_url), _) => (ApiRegion::Custom, base_url),
        (None, Some(region)) => {
            let host = format!("{app_id}.call-{}.cometchat.io", region.label());
            (region, format!("https://{host}/v3"))
        }
        (None, None) => return None,
    };
    let name = name.unwrap_or_else(|| app_id.clone());
    let (on_behalf_of, budget_group) = (None, None);
    Some(AppSettings { name, app_id, api_region, base_url, key, on_behalf_of, budget_group })
}
