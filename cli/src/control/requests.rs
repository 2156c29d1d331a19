//! `osslive control requests`.

use super::remote::{Remote, shown};
use crate::failure::Outcome;
use crate::output::Output;
use crate::table::{Cell, Table};
use clap::Args;

#[derive(Args)]
pub(super) struct Arguments {
    /// Show only requests for this operation
    #[arg(long, value_name = "OPERATION", value_parser = word)]
    operation: Option<String>,
    /// Show only requests with this HTTP status
    #[arg(long, value_name = "STATUS")]
    status: Option<u16>,
    /// Clear the list instead
    #[arg(long, conflicts_with_all = ["operation", "status"])]
    clear: bool,
}

/// The name of an operation, which needs no escaping in a URL.
fn word(text: &str) -> Result<String, String> {
    match !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric()) {
        true => Ok(text.to_owned()),
        false => Err("must contain only letters and digits".to_owned()),
    }
}

pub(super) fn run(arguments: &Arguments, remote: &Remote, output: &Output) -> Outcome {
    if arguments.clear {
        remote.send("DELETE", "control/requests", None)?;
        output.show(&serde_json::json!({ "cleared": true }), |out| writeln!(out, "cleared"));
        return Ok(());
    }
    let mut parameters = Vec::new();
    parameters.extend(arguments.operation.as_ref().map(|name| format!("operation={name}")));
    parameters.extend(arguments.status.map(|status| format!("status={status}")));
    let path = format!("control/requests?{}", parameters.join("&"));
    let list = remote.send("GET", path.trim_end_matches('?'), None)?;
    output.show(&list, |out| {
        let events = list["requests"].as_array().map(Vec::as_slice).unwrap_or_default();
        if events.is_empty() {
            return writeln!(out, "no requests");
        }
        let mut table =
            Table::new(&["time", "operation", "status", "bucket", "key", "access key", "message"]);
        for event in events {
            let cell = |name: &str| shown(&event[name]);
            let what = event["operation"].as_str().or(event["kind"].as_str()).unwrap_or_default();
            let columns = ["status", "bucket", "key", "accessKeyId", "message"];
            let first = [Cell::new(cell("time")), Cell::new(what)];
            table.row(first.into_iter().chain(columns.map(|name| Cell::new(cell(name)))));
        }
        table.write(out);
    });
    Ok(())
}
