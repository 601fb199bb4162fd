//! Times as text.

use time::OffsetDateTime;

/// A time in the format of Entra's error responses: `2026-11-24 22:00:00Z`.
///
/// `seconds` counts from the Unix epoch.
pub(crate) fn timestamp(seconds: u64) -> String {
    let time = date_time(seconds);
    format!("{} {:02}:{:02}:{:02}Z", time.date(), time.hour(), time.minute(), time.second())
}

/// The year of a time in seconds since the Unix epoch.
pub(crate) fn year(seconds: u64) -> i32 {
    date_time(seconds).year()
}

/// A time that is too large is shown as the epoch. Only a broken clock produces such a time.
fn date_time(seconds: u64) -> OffsetDateTime {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::timestamp;

    #[test]
    fn timestamps_follow_the_calendar() {
        assert_eq!(timestamp(0), "1970-01-01 00:00:00Z");
        assert_eq!(timestamp(951_782_400), "2000-02-29 00:00:00Z");
        assert_eq!(timestamp(1_709_251_199), "2024-02-29 23:59:59Z");
        assert_eq!(timestamp(1_795_557_600), "2026-11-24 22:00:00Z");
        assert_eq!(timestamp(4_107_542_400), "2100-03-01 00:00:00Z");
    }

    #[test]
    fn any_clock_value_has_a_timestamp() {
        assert!(timestamp(u64::MAX).ends_with('Z'));
    }
}
