#include <QAbstractItemModelTester>
#include <QElapsedTimer>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <cstdio>
#include <limits>

#include "views/shared/plot/curve_table.h"
#include "views/shared/plot/decimation.h"
#include "views/shared/plot/plot.h"

using spd::Curve;

class tst_Plot : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void decimationKeepsEveryPeak();
    void decimationLeavesFewPointsAlone();
    void decimationKeepsGaps();
    void decimationKeepsNeighboursOfTheBorder();
    void tableOfOneAxis();
    void tableOfSeveralAxes();
    void files();
    void millionPoints();
    void appends();
};

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::pair<std::vector<double>, std::vector<double>> wave(size_t count) {
    std::pair<std::vector<double>, std::vector<double>> points;
    for (size_t i = 0; i < count; ++i) {
        points.first.push_back(static_cast<double>(i));
        points.second.push_back(std::sin(static_cast<double>(i) * 0.01));
    }
    return points;
}

std::vector<Curve> twoCurves(bool same_x) {
    std::vector<Curve> curves(2);
    curves[0].name = QStringLiteral("23 K");
    curves[0].x = {1, 2, 3};
    curves[0].y = {0.5, 0.25, kNaN};
    curves[1].name = QStringLiteral("a, \"b\"");
    curves[1].x = same_x ? curves[0].x : std::vector<double>{5};
    curves[1].y = same_x ? std::vector<double>{1, 2, 3} : std::vector<double>{7};
    return curves;
}

}  // namespace

void tst_Plot::decimationKeepsEveryPeak() {
    auto [x, y] = wave(100'000);
    y[54'321] = 40;
    y[77'777] = -40;
    const auto points = spd::decimate(x, y, 0, 100'000, 500);
    QVERIFY(points.size() <= 4 * 500 + 8);
    double low = 0, high = 0;
    for (size_t i = 0; i < points.size(); ++i) {
        low = std::min(low, points[i].y);
        high = std::max(high, points[i].y);
        QVERIFY(i == 0 || points[i - 1].x < points[i].x);
    }
    QCOMPARE(low, -40);
    QCOMPARE(high, 40);
    QCOMPARE(points.front().x, 0);
    QCOMPARE(points.back().x, 99'999);
}

void tst_Plot::decimationLeavesFewPointsAlone() {
    const auto [x, y] = wave(1000);
    QCOMPARE(spd::decimate(x, y, 0, 1000, 500).size(), size_t{1000});
    QVERIFY(spd::decimate({}, {}, 0, 1, 500).empty());
    QCOMPARE(spd::decimate(x, y, 5, 5, 500).size(), size_t{3});
}

void tst_Plot::decimationKeepsGaps() {
    auto [x, y] = wave(100'000);
    for (size_t i = 40'000; i < 60'000; ++i)
        y[i] = kNaN;
    const auto points = spd::decimate(x, y, 0, 100'000, 100);
    size_t gaps = 0;
    for (const spd::PlotPoint& point : points)
        gaps += std::isfinite(point.y) ? size_t{0} : size_t{1};
    QCOMPARE(gaps, size_t{1});
}

void tst_Plot::decimationKeepsNeighboursOfTheBorder() {
    const auto [x, y] = wave(100);
    const auto points = spd::decimate(x, y, 10.5, 20.5, 500);
    QCOMPARE(points.front().x, 10);
    QCOMPARE(points.back().x, 21);
}

void tst_Plot::tableOfOneAxis() {
    const auto curves = twoCurves(true);
    spd::CurveTable table;
    QAbstractItemModelTester tester(&table, QAbstractItemModelTester::FailureReportingMode::QtTest);
    table.setCurves(&curves, QStringLiteral("index"), QStringLiteral("value"));
    QCOMPARE(table.columnCount(), 3);
    QCOMPARE(table.rowCount(), 3);
    QCOMPARE(table.csv(), QByteArray("index,23 K,\"a, \"\"b\"\"\"\n1,0.5,1\n2,0.25,2\n3,nan,3\n"));
}

void tst_Plot::tableOfSeveralAxes() {
    const auto curves = twoCurves(false);
    spd::CurveTable table;
    QAbstractItemModelTester tester(&table, QAbstractItemModelTester::FailureReportingMode::QtTest);
    table.setCurves(&curves, QStringLiteral("step"), QStringLiteral("loss"));
    QCOMPARE(table.csv(),
             QByteArray("curve,step,loss\n23 K,1,0.5\n23 K,2,0.25\n23 K,3,nan\n\"a, \"\"b\"\"\",5,7\n"));
}

void tst_Plot::files() {
    QTemporaryDir folder;
    spd::Plot plot(QStringLiteral("Loss"));
    plot.resize(640, 400);
    plot.setAxes(QStringLiteral("step"), QStringLiteral("loss"));
    plot.setCurves(twoCurves(true));
    plot.setMark(2, QStringLiteral("r 2"));
    plot.show();
    QTest::qWait(50);
    const std::pair<const char*, QByteArray> kinds[] = {
        {"svg", "<?xml"}, {"pdf", "%PDF"}, {"png", "\x89PNG"}, {"csv", "step,"}};
    for (const auto& [ending, start] : kinds) {
        const QString path = folder.filePath(QStringLiteral("plot.") + QString::fromLatin1(ending));
        QCOMPARE(plot.saveAs(path), QString());
        QFile file(path);
        QVERIFY(file.open(QIODevice::ReadOnly));
        QVERIFY2(file.read(16).startsWith(start), ending);
    }
    QVERIFY(!plot.saveAs(folder.filePath(QStringLiteral("plot.gif"))).isEmpty());
    QVERIFY(!plot.saveAs(QStringLiteral("/no/such/folder/plot.svg")).isEmpty());
    QVERIFY(!plot.saveAs(QStringLiteral("/no/such/folder/plot.csv")).isEmpty());
}

void tst_Plot::millionPoints() {
    spd::Plot plot(QStringLiteral("Loss"));
    plot.resize(1000, 600);
    plot.show();
    std::vector<Curve> curves(1);
    std::tie(curves[0].x, curves[0].y) = wave(1'000'000);
    plot.setCurves(std::move(curves));
    QTest::qWait(50);
    QElapsedTimer timer;
    double milliseconds = 1e9;  // the quickest: other programs of the machine only add
    for (int i = 0; i < 20; ++i) {
        timer.start();
        plot.setRange(i, 900'000 + i);
        QCoreApplication::processEvents();
        milliseconds = std::min(milliseconds, static_cast<double>(timer.nsecsElapsed()) / 1e6);
    }
    std::printf("measured: a frame of a million points: %.1f ms\n", milliseconds);
    QVERIFY(milliseconds < 100);
}

void tst_Plot::appends() {
    spd::Plot plot(QStringLiteral("Loss"));
    plot.setCurves(twoCurves(true));
    plot.append(0, {4, 5}, {0.1, 0.05});
    QCOMPARE(plot.curves()[0].x.size(), size_t{5});
    QCOMPARE(plot.curves()[0].y.back(), 0.05);
}

QTEST_MAIN(tst_Plot)
#include "tst_plot.moc"
