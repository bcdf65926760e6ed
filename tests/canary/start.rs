//! A process that cannot start tells neither what is in its kubeconfig nor the password of a proxy.

use std::process::Output;

use crate::needles::Needles;
use crate::support::operator::command;

const PASSWORD: &str = "correct-horse-battery-staple";

/// YAML that ends too early, behind a token.
pub(crate) fn broken_kubeconfig(password: &str) -> String {
    format!("apiVersion: v1\nkind: Config\nusers: [{{name: a, user: {{token: {password}\n")
}

fn whole_kubeconfig() -> String {
    let cluster = "clusters: [{name: a, cluster: {server: 'http://127.0.0.1:9'}}]";
    let context = "contexts: [{name: a, context: {cluster: a, user: a}}]\ncurrent-context: a";
    format!("apiVersion: v1\nkind: Config\n{cluster}\nusers: [{{name: a, user: {{token: {PASSWORD}}}}}]\n{context}\n")
}

/// Runs until it gives up.
fn start(kubeconfig: &str, variables: &[(&str, &str)]) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), kubeconfig).unwrap();
    let mut command = command("default", "http://127.0.0.1:9", file.path());
    command.args(["--log-filter", "trace"]).env("RUST_BACKTRACE", "full").envs(variables.iter().copied());
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(!status.success());
    String::from_utf8([stdout, stderr].concat()).unwrap()
}

#[test]
fn a_broken_kubeconfig_is_named_by_line_and_column() {
    let mut needles = Needles::default();
    needles.bytes("the password", PASSWORD);

    let told = start(&broken_kubeconfig(PASSWORD), &[]);

    assert!(told.contains("line 3, column"), "{told}");
    assert_eq!(needles.find(&told), None, "{told}");
}

#[test]
fn a_proxy_of_another_kind_is_told_without_its_password() {
    let mut needles = Needles::default();
    needles.bytes("the password", PASSWORD);

    let told = start(&whole_kubeconfig(), &[("HTTPS_PROXY", &format!("socks5://user:{PASSWORD}@127.0.0.1:9"))]);

    assert!(told.contains("HTTPS_PROXY"), "{told}");
    assert_eq!(needles.find(&told), None, "{told}");
}

#[test]
fn credentials_that_a_command_does_not_give_are_told_without_what_it_printed() {
    let mut needles = Needles::default();
    needles.bytes("the password", PASSWORD);
    let exec = "exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, 'echo \"$0\"; exit 1', ";
    let kubeconfig = whole_kubeconfig().replace("token: ", exec).replace("}}]\ncontexts", "]}}}]\ncontexts");

    let told = start(&kubeconfig, &[]);

    assert!(told.contains("credentials"), "{told}");
    assert_eq!(needles.find(&told), None, "{told}");
}
