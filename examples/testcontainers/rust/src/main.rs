//! A test with the local endpoint in a container, built by `make container`.

use osslive::{ChannelConfig, Client, Credentials};
use std::error::Error;
use testcontainers::core::{ExecCommand, IntoContainerPort, WaitFor};
use testcontainers::runners::SyncRunner;
use testcontainers::{GenericImage, ImageExt};

const SECRET: &str = "a-secret-of-these-tests";

fn main() -> Result<(), Box<dyn Error>> {
    let container = GenericImage::new("osslive", "latest")
        .with_exposed_port(9000.tcp())
        .with_wait_for(WaitFor::message_on_stdout("listening on"))
        .with_env_var("OSSLIVE_LOCAL_ACCESS_KEY_SECRET", SECRET)
        .with_env_var("OSSLIVE_LOCAL_CONTROL", "true")
        .start()?;
    let port = container.get_host_port_ipv4(9000)?;
    let client = Client::builder()
        .endpoint(format!("http://127.0.0.1:{port}"))
        .region("cn-hangzhou")
        .bucket("live-demo")
        .credentials(Credentials::new("osslive-local", SECRET))
        .attempts(1)
        .build()?;
    client.put_channel("cam", &ChannelConfig::new("Cam"))?;

    // Add faults inside the container: control is not available from outside.
    let command = ["/osslive", "control", "fault", "add", "GetLiveChannelStat", "--status", "503"];
    container.exec(ExecCommand::new(command))?;
    assert_eq!(client.get_channel_status("cam").unwrap_err().status(), Some(503));
    Ok(())
}
