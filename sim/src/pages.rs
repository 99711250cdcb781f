//! Large pages of memory for large runs.
//!
//! A thousand nodes hold more than a gigabyte and jump about in it: with pages of 4 KiB a seventh of the processor time goes into looking pages up. glibc
//! asks for large ones where a tunable says so, but reads it before `main`, so the program starts itself once more with it set. What a run
//! gives does not depend on it.

/// The tunable (glibc 2.35 and later; others read over it), and what asks for large pages.
pub const TUNABLE: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1");

/// From so many nodes on it is worth the start.
const MANY: u16 = 200;

/// Starts this program again with large pages, where a run is large and the environment says nothing else. Returns where there is nothing to do, or where
/// it cannot be done: then the run only takes longer.
pub fn large(nodes: u16) {
    if nodes >= MANY && std::env::var_os(TUNABLE.0).is_none() {
        again();
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn again() {
    use std::os::unix::process::CommandExt;
    let mut arguments = std::env::args_os();
    if let (Ok(program), Some(name)) = (std::env::current_exe(), arguments.next()) {
        let mut command = std::process::Command::new(program);
        command.arg0(name).args(arguments).env(TUNABLE.0, TUNABLE.1);
        let _ = command.exec();
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn again() {}
