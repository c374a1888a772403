#pragma once

#include <QString>
#include <cstdint>
#include <optional>

namespace spd {

// How numbers are written in the window. Units stand in headers or labels; a value that is not there or not
// finite is written as a dash. All of it is independent of the system's locale: what is copied can be read
// by other programs once the thin spaces are gone.

/// Three significant digits ("0.0123", "1.02", "12 345", "1.2e-07").
QString formatNumber(double value, int digits = 3);
/// Whole, with thin spaces between thousands: "7 473".
QString formatCount(int64_t value);
/// 0.9987 as "99.9 %".
QString formatPercent(double share);
/// "38.2 [34.1, 42.5]"
QString formatInterval(double value, double low, double high);
/// "850 ms", "9.4 s", "3 m 12 s", "2 h 05 m", "3 d 4 h".
QString formatDuration(double seconds);
/// "21 s left"; "time left unknown" without a value.
QString formatTimeLeft(std::optional<double> seconds);
/// "2.10 GiB"; below 0.01 GiB "3.2 MiB", below 0.1 MiB "840 bytes".
QString formatBytes(double bytes);
/// "0.9 ex/s"; empty for 0, which means unknown. @param unit  what is counted: "ex", "tok"
QString formatRate(double per_second, const QString& unit);
/// Local time of milliseconds since 1970 in UTC: "2026-07-14 09:31"; a dash for 0.
QString formatTime(int64_t milliseconds);

/// U+2009 between thousands: narrower than a digit, not a digit's neighbour for a reader.
inline constexpr char16_t kThinSpace = u'\u2009';
/// What stands for a value that is not there.
inline const QString kNoValue = QStringLiteral("\u2013");

}  // namespace spd
