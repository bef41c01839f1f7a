//! What the operating system says of this process: `/proc/self` on Linux, its time alone elsewhere.
//!
//! A scrape asks for all of it, so it takes what costs the kernel least: sizes of folders and a short
//! line of figures, not `stat` and `status`, which it writes anew for each who reads them.

use std::fs::{self, File, Metadata};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::{LazyLock, OnceLock};

use rustix::param::page_size;
use rustix::time::{ClockId, DynamicClockId, clock_gettime_dynamic};

use crate::metrics::ProcessStats;

/// Ticks of `/proc/*/stat` per second: fixed for programs, whatever the kernel's own rate is.
const TICKS_PER_S: u64 = 100;

/// More than the line of figures has.
const BYTES_MAX: usize = 256;

const OPEN_FILES: &str = "/proc/self/fd";

/// Kept open and looked at anew each time: to open one costs as much as to read it.
static MEMORY: LazyLock<Option<File>> = LazyLock::new(|| File::open("/proc/self/statm").ok());
static THREADS: LazyLock<Option<File>> = LazyLock::new(|| File::open("/proc/self/task").ok());
static FILES: LazyLock<Option<File>> = LazyLock::new(|| File::open(OPEN_FILES).ok());

/// What hardly ever changes.
struct Fixed {
    started_at_ms: Option<u64>,
    max_fds: Option<u64>,
}

/// Reads the process values now. What cannot be read is absent.
pub fn stats() -> ProcessStats {
    static FIXED: OnceLock<Fixed> = OnceLock::new();
    let fixed = FIXED.get_or_init(|| {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        Fixed {
            started_at_ms: started_at_ms(&read("/proc/self/stat"), &read("/proc/stat")),
            max_fds: max_fds(&read("/proc/self/limits")),
        }
    });
    let mut bytes = [0; BYTES_MAX];
    let [virtual_bytes, resident_bytes] = memory_bytes(text_of(MEMORY.as_ref(), &mut bytes));
    ProcessStats {
        cpu_ms: cpu_ms(),
        open_fds: open_fds(),
        max_fds: fixed.max_fds,
        resident_bytes,
        virtual_bytes,
        started_at_ms: fixed.started_at_ms,
        threads: attributes(THREADS.as_ref()).map(|folder| threads(folder.nlink())),
    }
}

/// What a file says now, in one call of the system; empty where it cannot be read.
fn text_of<'a>(file: Option<&File>, bytes: &'a mut [u8; BYTES_MAX]) -> &'a str {
    let n_bytes = file.and_then(|file| file.read_at(bytes, 0).ok()).unwrap_or_default();
    std::str::from_utf8(&bytes[..n_bytes]).unwrap_or_default()
}

fn attributes(file: Option<&File>) -> Option<Metadata> {
    file?.metadata().ok()
}

/// User and system time of all threads, those that ended too.
fn cpu_ms() -> Option<u64> {
    let time = clock_gettime_dynamic(DynamicClockId::Known(ClockId::ProcessCPUTime)).ok()?;
    let (s, ns) = (u64::try_from(time.tv_sec).ok()?, u64::try_from(time.tv_nsec).ok()?);
    Some(s * 1000 + ns / 1_000_000)
}

/// How many files are open. Linux gives that as the size of the folder since 6.2; before, the size was
/// 0, and they are counted.
fn open_fds() -> Option<u64> {
    let said = attributes(FILES.as_ref())?.len();
    if said > 0 {
        return Some(said);
    }
    // The one that reads the folder is open for that only.
    fs::read_dir(OPEN_FILES).ok().map(|entries| (entries.count() as u64).saturating_sub(1))
}

/// Each thread is a folder, and a folder has a link from each folder in it, beside its own two.
const fn threads(n_links: u64) -> u64 {
    n_links.saturating_sub(2)
}

/// All memory and what is resident of it. `statm` counts pages.
fn memory_bytes(statm: &str) -> [Option<u64>; 2] {
    let n_pages = statm.split_whitespace().map_while(|figure| figure.parse::<u64>().ok());
    let mut bytes = n_pages.map(|n_pages| n_pages * page_size() as u64);
    [bytes.next(), bytes.next()]
}

/// Field `number` of a `stat` line, counted as in its manual page. The second one, the name of the
/// program, may hold blanks and parentheses, so counting starts behind it.
fn field(stat: &str, number: usize) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(number - 3)?.parse().ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_blanks_and_parentheses_is_skipped() {
        let stat = "7 (a) (b c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 12345 1 2";
        assert_eq!(
            started_at_ms(stat, "cpu 1 2\nbtime 1760000000\nprocesses 3\n"),
            Some(1_760_000_123_450)
        );
    }

    #[test]
    fn sizes_are_counted_in_pages_and_a_limit_is_read_by_its_key() {
        let sizes = [Some(250 * page_size() as u64), Some(100 * page_size() as u64)];
        assert_eq!(memory_bytes("250 100 70 4 0 30 0\n"), sizes);
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax open files  1024  4096  files\n";
        assert_eq!(max_fds(limits), Some(1_024));
        assert_eq!(max_fds("Max open files  unlimited  unlimited  files\n"), None);
    }

    #[test]
    fn what_cannot_be_read_is_absent() {
        assert_eq!(memory_bytes(""), [None; 2]);
        assert_eq!(started_at_ms("1 (x) S", ""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_values_on_linux() {
        let stats = stats();
        assert!(stats.resident_bytes > Some(100_000), "{stats:?}");
        assert!(stats.virtual_bytes > stats.resident_bytes, "{stats:?}");
        assert!(stats.cpu_ms.is_some() && stats.started_at_ms.is_some(), "{stats:?}");
        assert!(stats.open_fds >= Some(3), "{stats:?}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn threads_are_counted() {
        // Other tests begin and end theirs meanwhile.
        let said = || fs::read_dir("/proc/self/task").expect("Linux has it").count() as u64;
        let agrees = |()| said() == stats().threads.expect("Linux has them");
        assert!(std::iter::repeat_n((), 1000).any(agrees), "{} {:?}", said(), stats());
    }
}
