//! Analyzes a week of a channel's history.
//!
//! Usage: history [CHANNEL]. Region, endpoint, bucket and access key come from
//! OSS_REGION, OSS_ENDPOINT, OSS_BUCKET, OSS_ACCESS_KEY_ID and
//! OSS_ACCESS_KEY_SECRET.

use osslive::Client;
use std::env;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let channel = env::args().nth(1).unwrap_or("main-stage".into());
    let client = Client::builder().from_env().build()?;
    let week = client.analyze_history(&channel, 7)?;

    println!("sessions: {}", week.session_count);
    println!("total:    {:.2} hours", week.total_duration_hours);
    println!("average:  {:.2} minutes", week.average_duration_minutes);
    println!("from:     {}", week.unique_ips.join(", "));
    if let Some(longest) = &week.longest_session {
        println!("longest:  {:.2} minutes, {}", longest.duration_minutes, longest.start_time);
    }
    for gap in &week.gaps {
        println!("gap:      {:.2} minutes, {}", gap.duration_minutes, gap.start_time);
    }
    if week.is_truncated {
        println!("The service keeps ten sessions; there may have been more.");
    }
    Ok(())
}
