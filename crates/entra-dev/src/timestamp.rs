/// A time as Entra's error answers write it: `2026-11-24 22:00:00Z`.
///
/// `seconds` counts from the Unix epoch.
pub(crate) fn timestamp(seconds: u64) -> String {
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}Z")
}

/// The year of a time in seconds from the Unix epoch.
pub(crate) fn year(seconds: u64) -> i32 {
    i32::try_from(date(seconds / 86_400).0).unwrap_or(i32::MAX)
}

/// The Gregorian date of a day counted from 1970-01-01.
///
/// Years are counted from March, so that the leap day is the last one of a year; 719,468 days lie
/// between 0000-03-01 and the epoch, and 400 years always have 146,097 days.
fn date(days_since_epoch: u64) -> (u64, u64, u64) {
    let days = days_since_epoch + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
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
    fn no_clock_is_too_far_off() {
        assert!(timestamp(u64::MAX).ends_with('Z'));
    }
}
