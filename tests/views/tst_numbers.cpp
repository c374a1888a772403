#include <QTest>
#include <cmath>
#include <limits>

#include "views/shared/numbers.h"

// A "_" stands for the thin space in what is expected.
class tst_Numbers : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void numbers_data();
    void numbers();
    void durations_data();
    void durations();
    void sizes_data();
    void sizes();
    void others();
};

namespace {

QString expected(const char* text) {
    return QString::fromUtf8(text).replace(u'_', QChar(spd::kThinSpace));
}

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

void tst_Numbers::numbers_data() {
    QTest::addColumn<double>("value");
    QTest::addColumn<QString>("text");
    const struct {
        double value;
        const char* text;
    } rows[] = {{0, "0"},
                {1, "1.00"},
                {1.0239, "1.02"},
                {9.996, "10.0"},
                {99.96, "100"},
                {0.0123, "0.0123"},
                {0.99994, "1.00"},
                {123456, "123_456"},
                {-1234, "-1_234"},
                {999.6, "1_000"},
                {1e-7, "1.00e-07"},
                {-0.5, "-0.500"},
                {3.2e12, "3.20e+12"},
                {kNaN, "–"},
                {-std::numeric_limits<double>::infinity(), "–"}};
    for (const auto& row : rows)
        QTest::addRow("%g", row.value) << row.value << expected(row.text);
}

void tst_Numbers::numbers() {
    QFETCH(double, value);
    QFETCH(QString, text);
    QCOMPARE(spd::formatNumber(value), text);
}

void tst_Numbers::durations_data() {
    QTest::addColumn<double>("seconds");
    QTest::addColumn<QString>("text");
    const struct {
        double seconds;
        const char* text;
    } rows[] = {{0.85, "850 ms"},    {0.9996, "1.0 s"}, {9.44, "9.4 s"},      {9.96, "10 s"},
                {59.6, "1 m 00 s"},  {192, "3 m 12 s"}, {3599.6, "1 h 00 m"}, {7500, "2 h 05 m"},
                {273600, "3 d 4 h"}, {-1, "–"},         {kNaN, "–"}};
    for (const auto& row : rows)
        QTest::addRow("%g", row.seconds) << row.seconds << expected(row.text);
}

void tst_Numbers::durations() {
    QFETCH(double, seconds);
    QFETCH(QString, text);
    QCOMPARE(spd::formatDuration(seconds), text);
}

void tst_Numbers::sizes_data() {
    QTest::addColumn<double>("bytes");
    QTest::addColumn<QString>("text");
    QTest::addRow("GiB") << 2.1 * 1073741824 << "2.10 GiB";
    QTest::addRow("small GiB") << 0.27 * 1073741824 << "0.270 GiB";
    QTest::addRow("MiB") << 3.2 * 1048576 << "3.2 MiB";
    QTest::addRow("bytes") << 8400.0 << expected("8_400 bytes");
    QTest::addRow("none") << 0.0 << "0 bytes";
    QTest::addRow("unknown") << -1.0 << expected("–");
}

void tst_Numbers::sizes() {
    QFETCH(double, bytes);
    QFETCH(QString, text);
    QCOMPARE(spd::formatBytes(bytes), text);
}

void tst_Numbers::others() {
    QCOMPARE(spd::formatInterval(38.2, 34.1, 42.5), QStringLiteral("38.2 [34.1, 42.5]"));
    QCOMPARE(spd::formatCount(7473), expected("7_473"));
    QCOMPARE(spd::formatCount(-12), QStringLiteral("-12"));
    QCOMPARE(spd::formatPercent(0.9987), QStringLiteral("99.9 %"));
    QCOMPARE(spd::formatTimeLeft(21.2), QStringLiteral("21 s left"));
    QCOMPARE(spd::formatTimeLeft({}), QStringLiteral("time left unknown"));
    QCOMPARE(spd::formatRate(0, QStringLiteral("ex")), QString());
    QCOMPARE(spd::formatRate(0.9, QStringLiteral("ex")), QStringLiteral("0.90 ex/s"));
    QCOMPARE(spd::formatTime(0), spd::kNoValue);
}

QTEST_MAIN(tst_Numbers)
#include "tst_numbers.moc"
