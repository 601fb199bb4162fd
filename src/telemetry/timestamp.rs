//! The time at the beginning of a log line.

use std::{
    cell::RefCell,
    fmt::{self, Write},
    time::{SystemTime, UNIX_EPOCH},
};

use time::OffsetDateTime;
use tracing_subscriber::fmt::{format::Writer, time::FormatTime};

/// The time like tracing's default, in UTC with microseconds. The default calculates the date for
/// each line; this one does so once a second, which saves a fifth of the time of a line.
pub(super) struct Timestamp;

impl FormatTime for Timestamp {
    #[expect(clippy::disallowed_methods, reason = "log lines have the time of the system")]
    fn format_time(&self, line: &mut Writer<'_>) -> fmt::Result {
        write(SystemTime::now(), line)
    }
}

thread_local! {
    /// The second of the last line of this thread: its number since 1970, and its text.
    static SECOND: RefCell<(u64, String)> = const { RefCell::new((u64::MAX, String::new())) };
}

fn write(time: SystemTime, line: &mut impl Write) -> fmt::Result {
    let since_1970 = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let second = since_1970.as_secs();
    SECOND.with_borrow_mut(|(number, text)| {
        if *number != second {
            text.clear();
            write_second(second, text)?;
            *number = second;
        }
        line.write_str(text)
    })?;
    write!(line, ".{:06}Z", since_1970.subsec_micros())
}

fn write_second(second: u64, text: &mut String) -> fmt::Result {
    let time = i64::try_from(second).map_err(|_| fmt::Error)?;
    let time = OffsetDateTime::from_unix_timestamp(time).map_err(|_| fmt::Error)?;
    let (year, month, day) = time.to_calendar_date();
    let (hour, minute, second) = time.to_hms();
    let month = u8::from(month);
    write!(text, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_time_has_the_second_and_the_microseconds() {
        for (micros, expected) in [
            (1_700_000_000_000_000, "2023-11-14T22:13:20.000000Z"),
            (1_700_000_000_000_042, "2023-11-14T22:13:20.000042Z"),
            (1_700_000_000_999_999, "2023-11-14T22:13:20.999999Z"),
            (1_700_000_001_000_000, "2023-11-14T22:13:21.000000Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (0, "1970-01-01T00:00:00.000000Z"),
        ] {
            let mut text = String::new();
            write(UNIX_EPOCH + Duration::from_micros(micros), &mut text).unwrap();
            assert_eq!(text, expected);
        }
    }
}
