//! Against a stand-in for Go: a shell script that notes how it was called.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;

use super::*;

const GO: &str = r#"#!/bin/sh
case $1 in
    env) echo go1.99.1 ;;
    build) echo "$PWD $*" >>"$0.calls"; [ -e "$0.broken" ] && echo "no such package" >&2 && exit 1; echo program >"$5" ;;
esac
"#;

const GO_MOD: &str = "
module example
require k8s.io/kubernetes v1.36.3 // indirect
require (
\tgo.etcd.io/etcd/server/v3 v3.6.8 // indirect
\tgithub.com/prometheus/prometheus v0.315.0 // indirect
)
tool k8s.io/kubernetes/cmd/kubectl
";

struct World {
    root: tempfile::TempDir,
}

impl World {
    fn new() -> World {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("go"), GO).unwrap();
        fs::set_permissions(root.path().join("go"), Permissions::from_mode(0o755)).unwrap();
        fs::write(root.path().join("go.mod"), GO_MOD).unwrap();
        fs::write(root.path().join("go.sum"), "").unwrap();
        World { root }
    }

    fn go(&self) -> Go {
        let root = self.root.path();
        Go { program: root.join("go").into(), module: root.into(), cache: root.join("cache") }
    }

    fn build(&self, tools: &[Tool]) -> Result<(PathBuf, Vec<String>), BinariesError> {
        let mut said = Vec::new();
        let folder = self.go().build(tools, &mut |line| said.push(line.to_owned()))?;
        Ok((folder, said))
    }

    /// The arguments of each build so far.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.root.path().join("go.calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }

    fn partial_folders(&self) -> usize {
        let entries = fs::read_dir(self.root.path().join("cache")).unwrap();
        entries.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(PARTIAL)).count()
    }
}

#[test]
fn each_tool_is_built_once_with_its_version_and_says_so() {
    let world = World::new();
    let (folder, said) = world.build(&Tool::PLANE).unwrap();

    assert_eq!(folder.parent(), Some(world.root.path().join("cache").as_path()));
    assert_eq!(folder.file_name().unwrap().len(), 16);
    for tool in Tool::PLANE {
        assert!(folder.join(tool.name()).exists(), "{tool:?}");
    }
    let calls = world.calls();
    assert_eq!(calls.len(), 4);
    assert!(
        calls[0].contains("version.gitVersion=v1.36.3 -X k8s.io/component-base/version.gitMajor=1"),
        "{}",
        calls[0]
    );
    assert!(calls[0].ends_with("/kube-apiserver -tags  k8s.io/kubernetes/cmd/kube-apiserver"), "{}", calls[0]);
    assert!(calls[2].contains("-ldflags -s -w -o "), "{}", calls[2]);
    assert!(calls[2].ends_with("/etcd -tags  go.etcd.io/etcd/server/v3"), "{}", calls[2]);
    assert_eq!(said.len(), 8);
    assert!(
        said[0].starts_with("building kube-apiserver v1.36.3: about 5 minutes, this once (1 of 4, "),
        "{}",
        said[0]
    );
    assert_eq!(said[5], "built etcd");

    let (again, said) = world.build(&Tool::PLANE).unwrap();
    assert_eq!((again, said.len(), world.calls().len()), (folder, 0, 4));
    assert_eq!(world.partial_folders(), 0);
}

#[test]
fn promtool_is_built_without_the_service_discoveries() {
    let world = World::new();
    let (folder, said) = world.build(&[Tool::Promtool]).unwrap();
    assert!(folder.join("promtool").exists() && said[0].starts_with("building promtool v0.315.0: "), "{said:?}");
    let calls = world.calls();
    assert!(calls[0].ends_with("-tags remove_all_sd github.com/prometheus/prometheus/cmd/promtool"), "{calls:?}");
}

#[test]
fn another_module_goes_to_another_folder() {
    let world = World::new();
    let (before, _) = world.build(&[Tool::Etcd]).unwrap();
    fs::write(world.root.path().join("go.sum"), "example v1.0.0 h1:x=").unwrap();
    let (after, _) = world.build(&[Tool::Etcd]).unwrap();
    assert_ne!(before, after);
}

#[test]
fn a_failed_build_shows_what_go_said_and_leaves_nothing_that_looks_built() {
    let world = World::new();
    fs::write(world.root.path().join("go.broken"), "").unwrap();
    let error = world.build(&[Tool::Kubectl]).unwrap_err().to_string();
    assert!(error.contains("k8s.io/kubernetes/cmd/kubectl") && error.ends_with("no such package\n"), "{error}");

    fs::remove_file(world.root.path().join("go.broken")).unwrap();
    world.build(&[Tool::Kubectl]).unwrap();
    assert_eq!(world.calls().len(), 2);
}

#[test]
fn what_an_interrupted_build_left_is_removed() {
    let world = World::new();
    fs::create_dir_all(world.root.path().join(format!("cache/{PARTIAL}x/deeper"))).unwrap();
    world.build(&[Tool::Etcd]).unwrap();
    assert_eq!(world.partial_folders(), 0);
}

#[test]
fn those_who_come_at_once_build_once() {
    let world = World::new();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| world.build(&Tool::PLANE).unwrap());
        }
    });
    assert_eq!(world.calls().len(), 4);
}

#[test]
fn without_go_the_error_says_what_to_install() {
    let world = World::new();
    let go = Go { program: world.root.path().join("absent").into(), ..world.go() };
    let error = go.build(&Tool::PLANE, &mut |_| {}).unwrap_err();
    assert!(matches!(error, BinariesError::GoAbsent));
    assert!(error.to_string().contains("install Go") && error.to_string().contains("KUBEBUILDER_ASSETS"));
}

#[test]
fn a_module_that_does_not_require_the_tool_is_named() {
    let world = World::new();
    fs::write(world.root.path().join("go.mod"), "module example\n").unwrap();
    let error = world.build(&[Tool::Etcd]).unwrap_err().to_string();
    assert!(error.contains("go.mod") && error.contains("go.etcd.io/etcd/server/v3"), "{error}");
}

#[test]
fn a_nodes_programs_join_the_plane_that_was_built_before() {
    let world = World::new();
    fs::write(world.root.path().join("go.node.sum"), "example.com/node v1.0.0 h1:a=\n").unwrap();
    let (plane, _) = world.build(&Tool::PLANE).unwrap();
    let (node, said) = world.build(&Tool::NODE).unwrap();

    assert_eq!(node, plane, "the plane is not built again");
    assert!(said[0].starts_with("building kubelet v1.36.3"), "{said:?}");
    let calls = world.calls();
    assert_eq!(calls.len(), 7);
    let with_checksums_of_its_own = |call: &String| call.contains(" -modfile ");
    assert!(calls[4..].iter().all(with_checksums_of_its_own), "{calls:?}");
    assert!(!calls[..4].iter().any(with_checksums_of_its_own), "{calls:?}");
}
