//! What the operating system says of this process: `/proc/self` on Linux, nothing elsewhere.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::sync::{LazyLock, OnceLock};

use crate::metrics::ProcessStats;

/// Ticks of `/proc/*/stat` per second: fixed for programs, whatever the kernel's own rate is.
const TICKS_PER_S: u64 = 100;

/// More than the parts of a file that are looked at.
const BYTES_MAX: usize = 4096;

/// Files that are kept open and read anew each time: to open one costs as much as to read it.
static STAT: LazyLock<Option<File>> = LazyLock::new(|| File::open("/proc/self/stat").ok());
static STATUS: LazyLock<Option<File>> = LazyLock::new(|| File::open("/proc/self/status").ok());

/// What hardly ever changes.
struct Fixed {
    started_at_ms: Option<u64>,
    max_fds: Option<u64>,
}

/// Reads the process values now. What cannot be read is absent.
pub fn stats() -> ProcessStats {
    static FIXED: OnceLock<Fixed> = OnceLock::new();
    let (stat, status) = (text_of(STAT.as_ref()), text_of(STATUS.as_ref()));
    let fixed = FIXED.get_or_init(|| {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        Fixed {
            started_at_ms: started_at_ms(&stat, &read("/proc/stat")),
            max_fds: max_fds(&read("/proc/self/limits")),
        }
    });
    ProcessStats {
        cpu_ms: cpu_ms(&stat),
        open_fds: open_fds(),
        max_fds: fixed.max_fds,
        resident_bytes: kilobytes(&status, "VmRSS:").map(|kb| kb * 1024),
        virtual_bytes: kilobytes(&status, "VmSize:").map(|kb| kb * 1024),
        started_at_ms: fixed.started_at_ms,
        threads: kilobytes(&status, "Threads:"),
    }
}

/// What a file says now, in one call of the system; empty where it cannot be read.
fn text_of(file: Option<&File>) -> String {
    let mut bytes = [0; BYTES_MAX];
    let n_bytes = file.and_then(|file| file.read_at(&mut bytes, 0).ok()).unwrap_or_default();
    String::from_utf8_lossy(&bytes[..n_bytes]).into_owned()
}

/// How many files are open. Linux gives that as the size of the folder since 6.2; before, the size was
/// 0, and they are counted.
fn open_fds() -> Option<u64> {
    const FOLDER: &str = "/proc/self/fd";
    let said = fs::metadata(FOLDER).ok()?.len();
    if said > 0 {
        return Some(said);
    }
    // The one that reads the folder is open for that only.
    fs::read_dir(FOLDER).ok().map(|entries| (entries.count() as u64).saturating_sub(1))
}

/// Field `number` of a `stat` line, counted as in its manual page. The second one, the name of the
/// program, may hold blanks and parentheses, so counting starts behind it.
fn field(stat: &str, number: usize) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(number - 3)?.parse().ok()
}

fn cpu_ms(stat: &str) -> Option<u64> {
    let (user, system) = (field(stat, 14)?, field(stat, 15)?);
    Some((user + system) * 1000 / TICKS_PER_S)
}

fn started_at_ms(stat: &str, machine: &str) -> Option<u64> {
    let booted_at_s: u64 =
        machine.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(booted_at_s * 1000 + field(stat, 22)? * 1000 / TICKS_PER_S)
}

fn max_fds(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn kilobytes(status: &str, key: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_blanks_and_parentheses_is_skipped() {
        let stat = "7 (a) (b c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 12345 1 2";
        assert_eq!(cpu_ms(stat), Some(3_000));
        assert_eq!(
            started_at_ms(stat, "cpu 1 2\nbtime 1760000000\nprocesses 3\n"),
            Some(1_760_000_123_450)
        );
    }

    #[test]
    fn sizes_and_limits_are_read_by_their_key() {
        let status = "Name:\tx\nVmSize:\t   79872 kB\nVmRSS:\t    9216 kB\nThreads:\t3\n";
        assert_eq!(kilobytes(status, "VmRSS:"), Some(9_216));
        assert_eq!(kilobytes(status, "Threads:"), Some(3));
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax open files  1024  4096  files\n";
        assert_eq!(max_fds(limits), Some(1_024));
        assert_eq!(max_fds("Max open files  unlimited  unlimited  files\n"), None);
    }

    #[test]
    fn what_cannot_be_read_is_absent() {
        assert_eq!(cpu_ms(""), None);
        assert_eq!(started_at_ms("1 (x) S", ""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_values_on_linux() {
        let stats = stats();
        assert!(stats.resident_bytes > Some(100_000) && stats.threads >= Some(1), "{stats:?}");
        assert!(stats.open_fds >= Some(3) && stats.started_at_ms.is_some(), "{stats:?}");
    }
}
