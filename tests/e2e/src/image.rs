//! The two images: the operator's, as it is shipped, and one with what the test itself runs in pods.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::shell::{Done, Failure, cannot, fail, run, run_aloud};

/// The operator's image.
pub(crate) const OPERATOR: (&str, &str) = ("localhost/asa-operator", "e2e");

/// The image with busybox, curl and the stand-in for Apple. Its command waits.
pub(crate) const TOOLS: &str = "localhost/asa-e2e-tools:1";

/// The most bytes that the operator's image may have.
const LARGEST: u64 = 12_000_000;

/// Builds the operator's image as `make image` does, and saves it. What the builder stores stays in `dir`.
pub(crate) fn operator(repository: &Path, dir: &Path) -> Done<PathBuf> {
    let storage = dir.join("storage.conf");
    let configuration = format!(
        "[storage]\ndriver = \"vfs\"\nrunroot = \"{0}/storage-run\"\ngraphroot = \"{0}/storage\"\n",
        dir.display()
    );
    fs::write(&storage, configuration).map_err(cannot("write storage.conf"))?;
    let archive = dir.join("operator.tar");
    let mut build = Command::new(repository.join("tools/image.sh"));
    build.arg(format!("{}:{}", OPERATOR.0, OPERATOR.1)).arg(&archive).env("CONTAINERS_STORAGE_CONF", storage);
    // podman and buildah keep what they know of registries there, whatever the configuration says.
    let cache = Path::new("/var/lib/containers");
    let is_new = !cache.exists();
    run_aloud(&mut build)?;
    if is_new && cache.exists() {
        fs::remove_dir_all(cache).map_err(cannot("remove the cache of the image's builder"))?;
    }
    Ok(archive)
}

/// Bytes of all that is in an archive of `docker save`, which are not to be more than [`LARGEST`].
pub(crate) fn size(archive: &Path) -> Done<u64> {
    let size = fs::metadata(archive).map_err(cannot("look at the image"))?.len();
    if size > LARGEST { fail(format!("the image has {size} bytes, {LARGEST} are allowed")) } else { Ok(size) }
}

/// Makes the image of the tools out of programs of this machine, each with the libraries that it loads.
///
/// One layer and two documents: that is less than any builder would need.
pub(crate) fn tools(dir: &Path, fake_apple: &Path) -> Done<PathBuf> {
    let (root, image) = (dir.join("root"), dir.join("image"));
    for folder in [root.join("bin"), root.join("tmp"), root.join("etc"), image.clone()] {
        fs::create_dir_all(folder).map_err(cannot("create folders of an image"))?;
    }
    for (program, name) in
        [(find("busybox")?, "bin/busybox"), (find("curl")?, "bin/curl"), (fake_apple.to_owned(), "bin/fake-apple")]
    {
        fs::copy(&program, root.join(name)).map_err(cannot(format!("copy {}", program.display())))?;
        for library in libraries(&program) {
            let copy = root.join(library.trim_start_matches('/'));
            let folder = copy.parent().ok_or_else(|| Failure(format!("{library} has no folder")))?;
            fs::create_dir_all(folder).map_err(cannot("create a folder of libraries"))?;
            fs::copy(&library, &copy).map_err(cannot(format!("copy {library}")))?;
        }
    }
    for applet in ["sh", "sleep", "cat", "cut"] {
        symlink("busybox", root.join("bin").join(applet)).map_err(cannot("link an applet of busybox"))?;
    }
    fs::write(root.join("etc/nsswitch.conf"), "hosts: files dns\n").map_err(cannot("write nsswitch.conf"))?;
    archive(&root, &image, &dir.join("tools.tar"))
}

/// Packs a folder as an image with one layer.
fn archive(root: &Path, image: &Path, archive: &Path) -> Done<PathBuf> {
    let layer = image.join("layer.tar");
    run(Command::new("tar").args(["--owner=0", "--group=0", "-C"]).arg(root).arg("-cf").arg(&layer).arg("."))?;
    let digest = run(Command::new("sha256sum").arg(&layer))?;
    let digest = digest.split_whitespace().next().unwrap_or_default();
    let config = json!({
        "architecture": "amd64", "os": "linux",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/busybox", "sleep", "2147483647"]},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{digest}")]},
    });
    let manifest = json!([{"Config": "config.json", "RepoTags": [TOOLS], "Layers": ["layer.tar"]}]);
    for (name, document) in [("config.json", config), ("manifest.json", manifest)] {
        fs::write(image.join(name), document.to_string()).map_err(cannot("write an image"))?;
    }
    run(Command::new("tar").arg("-C").arg(image).arg("-cf").arg(archive).arg("."))?;
    Ok(archive.to_owned())
}

fn find(program: &str) -> Done<PathBuf> {
    let folders = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"].map(Path::new);
    let found = folders.into_iter().map(|folder| folder.join(program)).find(|path| path.exists());
    found.map_or_else(|| fail(format!("{program} is missing: apt-get install busybox-static curl")), Ok)
}

/// What the loader would load, the loader among it; nothing for a static program, which ldd refuses.
fn libraries(program: &Path) -> BTreeSet<String> {
    let told = run(Command::new("ldd").arg(program)).unwrap_or_default();
    told.split_whitespace().filter(|word| word.starts_with('/')).map(str::to_owned).collect()
}
