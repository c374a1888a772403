#include "views/shared/numbers.h"

#include <QDateTime>
#include <QLocale>
#include <algorithm>
#include <cmath>

namespace spd {

namespace {

/// Digits of a number without sign, thin spaces between thousands from 1 000 on.
QString grouped(const QString& whole) {
    QString result = whole;
    for (qsizetype at = whole.size() - 3; at > 0; at -= 3)
        result.insert(at, QChar(kThinSpace));
    return result;
}

/// "12345.60" or "-12345.60" with its whole part grouped.
QString groupedDecimal(const QString& text) {
    const bool negative = text.startsWith(u'-');
    const QString plain = negative ? text.mid(1) : text;
    const qsizetype point = plain.indexOf(u'.');
    const QString whole = point < 0 ? plain : plain.left(point);
    const QString rest = point < 0 ? QString() : plain.mid(point);
    return (negative ? QStringLiteral("-") : QString()) + grouped(whole) + rest;
}

QString twoUnits(int64_t large, const QString& large_unit, int64_t small, const QString& small_unit,
                 int width) {
    return QStringLiteral("%1 %2 %3 %4")
        .arg(formatCount(large), large_unit)
        .arg(small, width, 10, QChar(u'0'))
        .arg(small_unit);
}

}  // namespace

QString formatNumber(double value, int digits) {
    if (!std::isfinite(value))
        return kNoValue;
    if (value == 0)
        return QStringLiteral("0");
    const double size = std::abs(value);
    if (size < 1e-4 || size >= 1e9)
        return QString::number(value, 'e', digits - 1);
    // Decimals from the rounded value: 9.996 is 10.0, not 10.00.
    const double rounded = QString::number(size, 'e', digits - 1).toDouble();
    const int exponent = static_cast<int>(std::floor(std::log10(rounded)));
    return groupedDecimal(QString::number(value, 'f', std::max(0, digits - 1 - exponent)));
}

QString formatCount(int64_t value) {
    return groupedDecimal(QString::number(value));
}

QString formatPercent(double share) {
    return std::isfinite(share) ? QStringLiteral("%1 %").arg(100 * share, 0, 'f', 1) : kNoValue;
}

QString formatInterval(double value, double low, double high) {
    return QStringLiteral("%1 [%2, %3]").arg(formatNumber(value), formatNumber(low), formatNumber(high));
}

QString formatDuration(double seconds) {
    if (!std::isfinite(seconds) || seconds < 0)
        return kNoValue;
    if (seconds < 0.9995)
        return QStringLiteral("%1 ms").arg(std::llround(seconds * 1000));
    if (seconds < 9.95)
        return QStringLiteral("%1 s").arg(seconds, 0, 'f', 1);
    const int64_t whole = std::llround(seconds);
    if (whole < 60)
        return QStringLiteral("%1 s").arg(whole);
    if (whole < 3600)
        return twoUnits(whole / 60, QStringLiteral("m"), whole % 60, QStringLiteral("s"), 2);
    if (whole < 86400)
        return twoUnits(whole / 3600, QStringLiteral("h"), whole / 60 % 60, QStringLiteral("m"), 2);
    return twoUnits(whole / 86400, QStringLiteral("d"), whole / 3600 % 24, QStringLiteral("h"), 1);
}

QString formatTimeLeft(std::optional<double> seconds) {
    if (!seconds || !std::isfinite(*seconds))
        return QStringLiteral("time left unknown");
    return QStringLiteral("%1 left").arg(formatDuration(std::max(1.0, std::round(*seconds))));
}

QString formatBytes(double bytes) {
    if (!std::isfinite(bytes) || bytes < 0)
        return kNoValue;
    constexpr double kMiB = 1024.0 * 1024.0;
    constexpr double kGiB = 1024.0 * kMiB;
    if (bytes >= 0.01 * kGiB)
        return QStringLiteral("%1 GiB").arg(formatNumber(bytes / kGiB));
    if (bytes >= 0.1 * kMiB)
        return QStringLiteral("%1 MiB").arg(formatNumber(bytes / kMiB, 2));
    return QStringLiteral("%1 bytes").arg(formatCount(std::llround(bytes)));
}

QString formatRate(double per_second, const QString& unit) {
    if (!std::isfinite(per_second) || per_second <= 0)
        return {};
    return QStringLiteral("%1 %2/s").arg(formatNumber(per_second, 2), unit);
}

QString formatTime(int64_t milliseconds) {
    if (milliseconds == 0)
        return kNoValue;
    return QDateTime::fromMSecsSinceEpoch(milliseconds).toString(QStringLiteral("yyyy-MM-dd HH:mm"));
}

}  // namespace spd
