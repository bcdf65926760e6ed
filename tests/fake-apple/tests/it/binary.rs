//! The program: one line with its URLs, files on demand, an end by signal.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use fake_apple::{Config, Fault};
use serde_json::json;

use crate::fixtures::KeyPair;

/// The running program, killed if a test fails.
struct Program(Child);

impl Program {
    /// Starts it and reads its first line.
    fn start(arguments: &[&str]) -> (Self, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fake-apple"));
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        (Self(child), line)
    }

    /// Sends a signal and returns the exit code.
    fn end(mut self, signal: &str) -> Option<i32> {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        self.0.wait().unwrap().code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn it_serves_what_its_files_say_until_it_is_told_to_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let config = Config {
        clients: vec![KeyPair::new().client()],
        faults: vec![Fault::everywhere().status(503)],
        ..Config::default()
    };
    fs::write(path("config.json"), json!(config).to_string()).unwrap();
    let (program, line) = Program::start(&[
        "--listen",
        "127.0.0.1:0",
        "--https-listen",
        "127.0.0.1:0",
        "--config",
        &path("config.json"),
        "--ca-out",
        &path("ca.pem"),
        "--port-file",
        &path("ports"),
    ]);

    let ports = fs::read_to_string(path("ports")).unwrap();
    let (plain, tls) = ports.trim_end().split_once('\n').unwrap();
    assert_eq!(line, format!("fake-apple http://127.0.0.1:{plain} https://127.0.0.1:{tls}\n"));

    let authority = reqwest::Certificate::from_pem(&fs::read(path("ca.pem")).unwrap()).unwrap();
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([authority]).build().unwrap();
    let answer = http.get(format!("https://127.0.0.1:{tls}/v1/me")).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    let answer = http.get(format!("http://127.0.0.1:{plain}/control/config")).send().await.unwrap();
    assert_eq!(serde_json::from_str::<Config>(&answer.text().await.unwrap()).unwrap(), config);
    assert_eq!(program.end("-TERM"), Some(0));
}

#[test]
fn ctrl_c_ends_it_too() {
    let (program, line) = Program::start(&[]);
    assert!(line.starts_with("fake-apple http://127.0.0.1:"), "{line}");
    assert_eq!(program.end("-INT"), Some(0));
}
