//! Programs in Python that the tests use, of pinned versions.

use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A virtual environment with the packages that `requirements` pins, made once per set of pins and kept in the user's
/// cache.
pub(crate) fn environment(name: &str, requirements: &Path) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    std::fs::read(requirements).unwrap().hash(&mut hasher);
    let cache = cache().join("asa-operator");
    std::fs::create_dir_all(&cache).unwrap();
    let name = format!("{name}-{:016x}", hasher.finish());
    let environment = cache.join(&name);
    // Several test runs may come here at once; the lock ends with the file.
    let lock = File::create(cache.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    let complete = environment.join("complete");
    if !complete.exists() {
        // Past the test harness's capture, so that nobody thinks it hangs.
        let _ = writeln!(std::io::stderr(), "installing {name} into {} (once)", environment.display());
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment));
        run(Command::new(environment.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(requirements));
        File::create(complete).unwrap();
    }
    environment
}

fn cache() -> PathBuf {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home).unwrap_or_else(std::env::temp_dir)
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
