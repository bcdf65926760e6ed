//! `fake-apple`: the stand-in as a process of its own, for demos and benches.

use std::{fs, io::Write, net::SocketAddr, path::Path, path::PathBuf};

use clap::Parser;
use fake_apple::{Config, FakeApple, Options};
use tokio::signal::unix::{SignalKind, signal};

/// A stand-in for Apple's credential endpoints, as strict as Apple and never kinder.
///
/// Prints one line with its two URLs and runs until SIGTERM or Ctrl-C.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Address and port of plain HTTP; port 0 is any free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Address and port of HTTPS; port 0 is any free one
    #[arg(long, default_value = "127.0.0.1:0")]
    https_listen: SocketAddr,
    /// A name or address that its certificate is for, beside those of loopback; repeat it for several
    #[arg(long = "https-name", value_name = "NAME")]
    https_names: Vec<String>,
    /// Where to write the certificate to trust for HTTPS, as PEM
    #[arg(long, value_name = "FILE")]
    ca_out: Option<PathBuf>,
    /// Settings, clients, keys and faults to start with, the document of /control/config
    #[arg(long, value_name = "FILE.json")]
    config: Option<PathBuf>,
    /// Where to write the two ports, HTTP and HTTPS, one per line
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    // Before anybody is told that it runs: a signal must find its handler.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let config = match &arguments.config {
        Some(path) => serde_json::from_slice(&fs::read(path)?)?,
        None => Config::default(),
    };
    let options = Options {
        listen: arguments.listen,
        https_listen: arguments.https_listen,
        https_names: arguments.https_names,
        config,
        ..Options::default()
    };
    let apple = FakeApple::start_with(options).await?;
    if let Some(path) = &arguments.ca_out {
        write_whole(path, apple.ca_pem())?;
    }
    if let Some(path) = &arguments.port_file {
        write_whole(path, &format!("{}\n{}\n", apple.http_port(), apple.https_port()))?;
    }
    writeln!(std::io::stdout(), "fake-apple {} {}", apple.url(), apple.https_url())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Whoever waits for the file never reads half of it.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    fs::write(&unfinished, text)?;
    fs::rename(&unfinished, path)
}
