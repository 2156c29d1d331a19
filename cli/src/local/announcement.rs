//! What the endpoint prints when it starts.

use super::keys::Keys;
use crate::failure::Outcome;
use crate::output::Page;
use crate::table::Table;
use osslive::RtmpUrlOptions;
use osslive_local::{Config, LocalEndpoint};
use serde::Serialize;
use std::path::PathBuf;

/// What may be shown, depending on the destination.
#[derive(Clone, Copy)]
pub(super) struct Shown {
    /// Secrets that are not public anyway.
    pub(super) secret: bool,
    /// URLs that grant access to anyone who reads them.
    pub(super) urls: bool,
}

/// Where the endpoint listens and how to use it, with as many of its secrets as may
/// be shown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Announcement {
    url: String,
    /// The page's address, with its token if secrets may be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    access_key_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sts_access_key_id: Option<String>,
    region: String,
    buckets: Vec<String>,
    data: PathBuf,
    /// A command that creates the channel of the next one.
    create_command: String,
    /// A command that prints a signed publish URL.
    publish_command: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    publish_url: Option<String>,
}

impl Announcement {
    pub(super) fn of(
        endpoint: &LocalEndpoint,
        region: &str,
        keys: &Keys,
        shown: Shown,
    ) -> Outcome<Self> {
        let is_public = Config::PUBLIC_SECRETS.contains(&keys.secret.as_str());
        let publish_url = publish_url(endpoint)?;
        let command = format!("osslive --local={}", endpoint.reachable_address());
        Ok(Announcement {
            url: endpoint.url(),
            page: endpoint.page_url().map(|url| if shown.urls { url } else { without_query(&url) }),
            access_key_id: keys.id.clone(),
            access_key_secret: Some(&keys.secret).filter(|_| is_public || shown.secret).cloned(),
            sts_access_key_id: keys.temporary.as_ref().map(|key| key.id.clone()),
            region: region.to_owned(),
            buckets: endpoint.buckets().to_vec(),
            data: endpoint.data().to_owned(),
            create_command: format!("{command} channel create test"),
            publish_command: format!("{command} publish-url test"),
            publish_url: Some(publish_url).filter(|_| shown.urls),
        })
    }

    /// The first line is for programs.
    pub(super) fn write(&self, page: &mut Page) {
        writeln!(page, "listening on {}", self.url);
        let mut table = Table::details();
        if let Some(url) = &self.page {
            // Without its token, the page cannot be opened; this only mentions it.
            let token =
                if self.publish_url.is_some() { "" } else { " (token shown with --print-keys)" };
            table.detail("page", format!("{url}{token}"));
        }
        table.detail("access key id", &self.access_key_id);
        let unprinted = "hidden; shown with --print-keys";
        table.detail("access key secret", self.access_key_secret.as_deref().unwrap_or(unprinted));
        if let Some(id) = &self.sts_access_key_id {
            table.detail("STS access key id", id);
        }
        table.detail("region", &self.region);
        table.detail("bucket", self.buckets.join(", "));
        table.detail("data", self.data.display().to_string());
        table.write(page);
        writeln!(page);
        writeln!(page, "Create a channel, then publish to it:");
        writeln!(page, "  {}", self.create_command);
        let url = match &self.publish_url {
            Some(url) => format!("'{url}'"),
            None => format!("\"$({})\"", self.publish_command),
        };
        writeln!(
            page,
            "  ffmpeg -re -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine \\"
        );
        writeln!(
            page,
            "    -c:v libx264 -preset ultrafast -g 60 -pix_fmt yuv420p -c:a aac -f flv \\"
        );
        writeln!(page, "    {url}");
        writeln!(page);
        writeln!(page, "For development and tests only. Press Ctrl-C to stop.");
    }
}

/// Signs a URL that is valid for a day.
fn publish_url(endpoint: &LocalEndpoint) -> Outcome<String> {
    let client = endpoint.client_builder().build()?;
    Ok(client.get_rtmp_url("test", &RtmpUrlOptions::new().expires(86_400))?)
}

/// Removes the part of an address that gives access.
fn without_query(url: &str) -> String {
    url.split(['?', '#']).next().unwrap_or_default().to_owned()
}
