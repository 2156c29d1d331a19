//! Where each setting comes from: the cases shared by the tests of several languages.

use serde_json::Value;
use std::path::{Path, PathBuf};

/// Returns a list of cases. `cases` are for every language; `command` are only for the
/// command, which has no options for keys, always reads the environment, and has
/// `--local`.
pub fn cases(list: &str) -> Vec<Value> {
    table()[list].as_array().expect("a list of cases").clone()
}

/// Writes ossutil's config file into a folder, with a comment that is not valid UTF-8.
pub fn config_file(folder: &Path) -> PathBuf {
    let path = folder.join("ossutilconfig");
    let table = table();
    let text = table["profile"].as_str().expect("a text");
    std::fs::write(&path, text.chars().map(|c| c as u8).collect::<Vec<_>>()).expect("a file");
    path
}

/// Returns the variables of a case, with the path of the config file filled in.
pub fn variables(case: &Value, file: &Path) -> Vec<(String, String)> {
    let file = file.to_str().expect("a path in UTF-8");
    let variables = case["environment"].as_object().expect("variables").iter();
    variables
        .map(|(name, value)| (name.clone(), value.as_str().expect("a value").replace("FILE", file)))
        .collect()
}

/// Compares a publish URL, or the message of an error, with a case.
pub fn check(case: &Value, outcome: Result<&str, &str>) {
    let name = &case["name"];
    match (case["url"].as_str(), outcome) {
        (Some(start), Ok(url)) => {
            let key = format!("OSSAccessKeyId={}&", case["key"].as_str().expect("a key"));
            assert!(url.starts_with(start) && url.contains(&key), "{name}: {url}");
        }
        (None, Err(message)) => {
            let word = case["error"].as_str().expect("a word");
            assert!(message.contains(word), "{name}: {message}");
        }
        _ => panic!("{name}: {outcome:?}"),
    }
}

fn table() -> Value {
    serde_json::from_str(include_str!("../data/sources.json")).expect("a table")
}
