//! Times in words.

use time::OffsetDateTime;

/// A time relative to another one, and as a date: `12 minutes ago (2026-11-27 13:10:05 UTC)`.
pub(super) fn in_words(seconds: u64, now: u64) -> String {
    let relative = match seconds.checked_sub(now) {
        Some(0) => "now".to_owned(),
        Some(ahead) => format!("in {}", duration(ahead)),
        None => format!("{} ago", duration(now - seconds)),
    };
    match date(seconds) {
        Some(date) => format!("{relative} ({date})"),
        None => relative,
    }
}

/// A duration in the largest unit that leaves no large remainder.
pub(super) fn duration(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        172_800..63_072_000 => (seconds / 86_400, "day"),
        _ => (seconds / 31_536_000, "year"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// `None` after the year 9999.
fn date(seconds: u64) -> Option<String> {
    let date = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
    let (year, month, day) = date.to_calendar_date();
    let (hour, minute, second) = date.to_hms();
    let month = u8::from(month);
    Some(format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_relative_and_a_date() {
        let now = 1_800_000_000;
        for (seconds, words) in [
            (now, "now (2027-01-15 08:00:00 UTC)"),
            (now + 1, "in 1 second (2027-01-15 08:00:01 UTC)"),
            (now + 119, "in 119 seconds (2027-01-15 08:01:59 UTC)"),
            (now + 3_600, "in 60 minutes (2027-01-15 09:00:00 UTC)"),
            (now - 7_200, "2 hours ago (2027-01-15 06:00:00 UTC)"),
            (now - 172_800, "2 days ago (2027-01-13 08:00:00 UTC)"),
            (0, "57 years ago (1970-01-01 00:00:00 UTC)"),
            (1 << 53, "in 285616357 years"),
        ] {
            assert_eq!(in_words(seconds, now), words);
        }
    }
}
