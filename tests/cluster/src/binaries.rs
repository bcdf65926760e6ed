//! Where the programs of a control plane, and those that tests use beside it, come from.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::error::BinariesError;
use crate::go::{Go, Tool};
use crate::say;

/// The programs of a control plane, and the kubectl that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    pub(crate) etcd: PathBuf,
    pub(crate) kube_apiserver: PathBuf,
    pub(crate) kube_controller_manager: PathBuf,
    pub(crate) kubectl: PathBuf,
}

impl Binaries {
    /// Takes them from the folder `$KUBEBUILDER_ASSETS`, else from `$PATH`, else has Go build them, once, into the user's cache.
    ///
    /// A place counts only if it has etcd, kube-apiserver and kube-controller-manager. kubectl is taken from beside
    /// kube-apiserver, never from elsewhere, where it may be of another version; where it is absent there, it is built.
    ///
    /// Building takes about six minutes and says so on stderr; this call blocks for as long.
    pub fn find() -> Result<Binaries, BinariesError> {
        let assets = env::var_os("KUBEBUILDER_ASSETS").filter(|folder| !folder.is_empty());
        let path = env::var_os("PATH").unwrap_or_default();
        let installed = Installed::find(assets.as_deref(), &path);
        if let (Some(folder), None) = (&assets, &installed) {
            say(&format!(
                "KUBEBUILDER_ASSETS ({}) has not all of etcd, kube-apiserver and kube-controller-manager: not used",
                Path::new(folder).display()
            ));
        }
        match installed {
            Some(Installed { etcd, kube_apiserver, kube_controller_manager, kubectl }) => {
                let kubectl = match kubectl {
                    Some(kubectl) => kubectl,
                    None => Go::from_environment()?.build(&[Tool::Kubectl], &mut say)?.join(Tool::Kubectl.name()),
                };
                Ok(Binaries { etcd, kube_apiserver, kube_controller_manager, kubectl })
            }
            None => Go::from_environment()?.build(&Tool::PLANE, &mut say).map(|folder| Binaries::all_in(&folder)),
        }
    }

    /// The folders they are in, as a value for `PATH`: one, but for a kubectl that had to be built alone.
    pub fn search_path(&self) -> OsString {
        let mut folders: Vec<&Path> = Vec::new();
        for program in [&self.kubectl, &self.kube_apiserver, &self.kube_controller_manager, &self.etcd] {
            folders.extend(program.parent().filter(|folder| !folders.contains(folder)));
        }
        let folders: Vec<&OsStr> = folders.into_iter().map(Path::as_os_str).collect();
        folders.join(OsStr::new(":"))
    }

    fn all_in(folder: &Path) -> Binaries {
        Binaries {
            etcd: folder.join(Tool::Etcd.name()),
            kube_apiserver: folder.join(Tool::ApiServer.name()),
            kube_controller_manager: folder.join(Tool::ControllerManager.name()),
            kubectl: folder.join(Tool::Kubectl.name()),
        }
    }
}

/// A program that tests use beside the control plane, by its name (`promtool`): from `$PATH`, else built by Go, once, into
/// the user's cache, which takes about two minutes and says so on stderr.
pub fn tool(name: &str) -> Result<PathBuf, BinariesError> {
    let tool = [Tool::Promtool].into_iter().find(|tool| tool.name() == name);
    let tool = tool.ok_or_else(|| BinariesError::NoSuchTool(name.to_owned()))?;
    let path = env::var_os("PATH").unwrap_or_default();
    let installed = env::split_paths(&path).map(|folder| folder.join(name)).find(|program| is_program(program));
    match installed {
        Some(program) => Ok(program),
        None => Ok(Go::of_tools()?.build(&[tool], &mut say)?.join(name)),
    }
}

/// The programs of a node that are of Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeBinaries {
    pub(crate) kubelet: PathBuf,
    pub(crate) scheduler: PathBuf,
    pub(crate) proxy: PathBuf,
}

impl NodeBinaries {
    /// Takes all three from beside kube-apiserver, else has Go build them, once: they have to be of its version.
    pub(crate) fn find(plane: &Binaries) -> Result<NodeBinaries, BinariesError> {
        let [kubelet, scheduler, proxy] = Tool::NODE.map(|tool| plane.kube_apiserver.with_file_name(tool.name()));
        if [&kubelet, &scheduler, &proxy].into_iter().all(|program| is_program(program)) {
            return Ok(NodeBinaries { kubelet, scheduler, proxy });
        }
        let folder = Go::from_environment()?.build(&Tool::NODE, &mut say)?;
        let [kubelet, scheduler, proxy] = Tool::NODE.map(|tool| folder.join(tool.name()));
        Ok(NodeBinaries { kubelet, scheduler, proxy })
    }
}

/// What is there without building anything.
#[derive(Debug, PartialEq, Eq)]
struct Installed {
    etcd: PathBuf,
    kube_apiserver: PathBuf,
    kube_controller_manager: PathBuf,
    /// Beside kube-apiserver.
    kubectl: Option<PathBuf>,
}

impl Installed {
    fn find(assets: Option<&OsStr>, path: &OsStr) -> Option<Installed> {
        let assets = assets.and_then(|folder| Installed::find_in(&[folder.into()]));
        assets.or_else(|| Installed::find_in(&env::split_paths(path).collect::<Vec<_>>()))
    }

    fn find_in(folders: &[PathBuf]) -> Option<Installed> {
        let first = |name: &str| folders.iter().map(|folder| folder.join(name)).find(|program| is_program(program));
        let kube_apiserver = first("kube-apiserver")?;
        Some(Installed {
            etcd: first("etcd")?,
            kube_controller_manager: first("kube-controller-manager")?,
            kubectl: Some(kube_apiserver.with_file_name("kubectl")).filter(|program| is_program(program)),
            kube_apiserver,
        })
    }
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    /// A temporary folder with programs of these names.
    fn folder(programs: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for program in programs {
            let path = folder.path().join(program);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    fn find(assets: Option<&tempfile::TempDir>, path: &[&tempfile::TempDir]) -> Option<Installed> {
        let path = env::join_paths(path.iter().map(|folder| folder.path())).unwrap();
        Installed::find(assets.map(|folder| folder.path().as_os_str()), &path)
    }

    const PLANE: [&str; 3] = ["etcd", "kube-apiserver", "kube-controller-manager"];
    const PLANE_AND_KUBECTL: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"];

    #[test]
    fn the_folder_of_the_variable_goes_before_the_path() {
        let (assets, path) = (folder(&PLANE_AND_KUBECTL), folder(&PLANE_AND_KUBECTL));
        let installed = find(Some(&assets), &[&path]).unwrap();
        assert_eq!(installed.etcd, assets.path().join("etcd"));
        assert_eq!(installed.kubectl, Some(assets.path().join("kubectl")));
    }

    #[test]
    fn a_folder_without_the_controller_manager_is_not_used() {
        let (assets, path) = (folder(&["etcd", "kube-apiserver", "kubectl"]), folder(&PLANE));
        assert_eq!(find(Some(&assets), &[&path]).unwrap().etcd, path.path().join("etcd"));
        assert_eq!(find(Some(&assets), &[]), None);
    }

    #[test]
    fn a_kubectl_of_another_folder_is_not_taken() {
        let (other, path) = (folder(&["kubectl"]), folder(&PLANE));
        assert_eq!(find(None, &[&other, &path]).unwrap().kubectl, None);
    }

    #[test]
    fn a_file_that_cannot_be_run_is_no_program() {
        let path = folder(&PLANE);
        fs::set_permissions(path.path().join("etcd"), Permissions::from_mode(0o644)).unwrap();
        assert_eq!(find(None, &[&path]), None);
    }

    #[test]
    fn a_tool_that_is_not_known_is_named() {
        assert!(tool("proctool").unwrap_err().to_string().contains("proctool"));
    }

    #[test]
    fn the_search_path_names_each_folder_once() {
        let mut binaries = Binaries::all_in(Path::new("/plane"));
        assert_eq!(binaries.search_path(), "/plane");
        binaries.kubectl = "/cache/kubectl".into();
        assert_eq!(binaries.search_path(), "/cache:/plane");
    }
}
