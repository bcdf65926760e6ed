//! With `sleep` in place of a control plane.

use std::thread;
use std::time::Duration;

use super::*;

fn sandbox(keep: bool) -> Sandbox {
    Sandbox::new(keep).unwrap()
}

fn spawn(sandbox: &mut Sandbox, part: Part, script: &str) {
    sandbox.spawn(part, Path::new("/bin/sh"), &["-c".to_owned(), script.to_owned()]).unwrap();
}

/// Waits for what another process brings about.
fn eventually(mut what: impl FnMut() -> bool) {
    for _ in 0..500 {
        if what() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("not within 5 s");
}

/// As if this process had been killed: the pipe's end is all that the reaper can see of that.
fn abandon(sandbox: Sandbox) -> (PathBuf, Vec<Child>) {
    let mut sandbox = std::mem::ManuallyDrop::new(sandbox);
    drop(sandbox.reaper.stdin.take());
    (sandbox.dir.clone(), sandbox.running.drain(..).map(|(_, child)| child).collect())
}

#[test]
fn the_reaper_kills_what_runs_and_removes_the_directory() {
    let mut sandbox = sandbox(false);
    spawn(&mut sandbox, Part::Etcd, "sleep 1000 & wait");
    spawn(&mut sandbox, Part::ApiServer, "exec sleep 1000");
    let (dir, children) = abandon(sandbox);
    for mut child in children {
        assert!(!child.wait().unwrap().success());
    }
    eventually(|| !dir.exists());
}

#[test]
fn a_child_of_the_last_moment_is_known_to_the_reaper() {
    // Repeated, as it is about a race: the pipe ends before the child has become the program.
    for _ in 0..20 {
        let mut sandbox = sandbox(false);
        spawn(&mut sandbox, Part::Etcd, "exec sleep 1000");
        let (_, children) = abandon(sandbox);
        for mut child in children {
            assert!(!child.wait().unwrap().success());
        }
    }
}

#[test]
fn a_killed_part_is_forgotten_and_the_others_are_not() {
    let mut sandbox = sandbox(false);
    spawn(&mut sandbox, Part::Etcd, "exec sleep 1000");
    spawn(&mut sandbox, Part::ApiServer, "exec sleep 1000");
    sandbox.kill(Part::Etcd);
    assert!(!sandbox.is_running(Part::Etcd) && sandbox.is_running(Part::ApiServer));
    let (dir, mut children) = abandon(sandbox);
    assert!(!children.pop().unwrap().wait().unwrap().success());
    eventually(|| !dir.exists());
}

#[test]
fn the_directory_can_be_kept() {
    let mut sandbox = sandbox(true);
    spawn(&mut sandbox, Part::Etcd, "echo last words; exec sleep 1000");
    let (dir, log) = (sandbox.dir().to_owned(), sandbox.log(Part::Etcd));
    eventually(|| fs::read_to_string(&log).is_ok_and(|log| log == "last words\n"));
    drop(sandbox);
    assert!(log.exists());
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn only_this_user_can_enter_the_directory_and_dropping_removes_it() {
    let sandbox = sandbox(false);
    let dir = sandbox.dir().to_owned();
    assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
    drop(sandbox);
    assert!(!dir.exists());
}

#[test]
fn a_part_that_ends_by_itself_is_reported_with_its_last_words() {
    let mut sandbox = sandbox(false);
    spawn(&mut sandbox, Part::Etcd, "echo no space left; exit 3");
    let mut error = None;
    eventually(|| {
        error = sandbox.check().err();
        error.is_some()
    });
    let message = error.unwrap().to_string();
    assert_eq!(message, "etcd ended by itself (exit status: 3); the end of its log:\nno space left");
    assert!(matches!(sandbox.freeze(Part::Etcd), Err(Error::Ended { .. })));
}

#[test]
fn a_program_that_is_not_there_is_reported() {
    let mut sandbox = sandbox(false);
    sandbox.spawn(Part::Etcd, Path::new("/no/such/etcd"), &[]).unwrap();
    let mut error = None;
    eventually(|| {
        error = sandbox.check().err();
        error.is_some()
    });
    assert!(error.unwrap().to_string().contains("/no/such/etcd: not found"));
}
