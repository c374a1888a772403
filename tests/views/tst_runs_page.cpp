// Runs as they are answered, what differs between them, their curves; what the page asks for and allows.

#include <QAbstractItemModelTester>
#include <QPushButton>
#include <QSignalSpy>
#include <QTableView>
#include <QTest>
#include <cmath>

#include "views/runs/runs_models.h"
#include "views/runs/runs_page.h"
#include "views/shared/plot/plot.h"

using namespace spd;
using nlohmann::ordered_json;

namespace {

ordered_json runJson(const char* id, const char* name, int64_t start) {
    return {{"id", id},          {"experiment", "workbench"},
            {"name", name},      {"method", "spd"},
            {"seed", 42},        {"status", "FINISHED"},
            {"start_ms", start}, {"seconds", 75.0},
            {"folder", "/w/r"},  {"error", ""},
            {"note", "n"},       {"tags", {{"best", ""}, {"k", "v"}}}};
}

ordered_json answer() {
    return {
        {"runs", {runJson("a1", "first", 1'700'000'000'000), runJson("b2", "second", 1'700'000'100'000), 3}}};
}

QPushButton* buttonOf(QWidget& page, const QString& text) {
    for (auto* button : page.findChildren<QPushButton*>())
        if (button->text() == text)
            return button;
    return nullptr;
}

}  // namespace

class tst_RunsPage : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void rowsAreRead() {
        const std::vector<RunRow> rows = runRows(answer());
        QCOMPARE(rows.size(), size_t{2});  // what is no run is left out
        QCOMPARE(rows[0].tags, QStringLiteral("best, k=v"));
        QVERIFY(rows[0].seed == 42 && !rows[0].deleted && rows[0].seconds == 75);
        for (const ordered_json& odd :
             {ordered_json(), ordered_json(3), ordered_json::object(), ordered_json{{"runs", 3}}})
            QVERIFY(runRows(odd).empty());
        RunsModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.setRows(rows);
        QCOMPARE(model.data(model.index(1, RunsModel::name), Qt::DisplayRole).toString(),
                 QStringLiteral("second"));
        QVERIFY(model.data(model.index(1, RunsModel::started), Qt::UserRole).toLongLong() ==
                1'700'000'100'000);
    }

    void differencesHaveACellForEachRun() {
        const RunDifferences read =
            runDifferences({{"runs", {{{"name", "x"}}, {{"name", "y"}}}},
                            {"differences",
                             {{{"kind", "param"}, {"key", "lr"}, {"values", {"1e-5", nullptr}}},
                              {{"kind", "metric"}, {"key", "loss"}, {"values", {1.25, 2}}},
                              {{"kind", "tag"}, {"key", "t"}, {"values", {"only one"}}}}}});
        DifferencesModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.setDifferences(read);
        QCOMPARE(model.rowCount(), 3);
        QCOMPARE(model.columnCount(), 3);
        QCOMPARE(model.data(model.index(0, 2), Qt::DisplayRole).toString(), QStringLiteral("\u2013"));
        QCOMPARE(model.data(model.index(1, 1), Qt::DisplayRole).toString(), QStringLiteral("1.25"));
        QCOMPARE(model.data(model.index(2, 2), Qt::ToolTipRole).toString(), QString());
    }

    void curvesAreReadWithTheirGaps() {
        const ordered_json metrics = {
            {"runs",
             {{{"run", "a1"},
               {"keys", {"train/loss", "lr"}},
               {"curves", {{"train/loss", {{1, 2.5}, {2, "nan"}, {3}, 4}}}}},
              {{"run", "b2"}, {"keys", {"lr"}}, {"curves", ordered_json::object()}}}}};
        QCOMPARE(curveKeys(metrics), (QStringList{QStringLiteral("lr"), QStringLiteral("train/loss")}));
        const std::vector<RunCurve> curves = runCurves(metrics, QStringLiteral("train/loss"));
        QCOMPARE(curves.size(), size_t{1});
        QVERIFY(curves[0].x.size() == 2 && curves[0].y[0] == 2.5 && std::isnan(curves[0].y[1]));
        QVERIFY(runCurves(metrics, QStringLiteral("other")).empty() && runCurves(nullptr, {}).empty());
    }

    void theSelectionIsAskedAbout() {
        RunsPage page;
        QSignalSpy compare(&page, &RunsPage::comparisonWanted), curves(&page, &RunsPage::curvesWanted);
        QSignalSpy remove(&page, &RunsPage::deleteWanted), restore(&page, &RunsPage::restoreWanted);
        page.setRuns(runRows(answer()));
        QTableView* table = nullptr;
        for (auto* view : page.findChildren<QTableView*>())
            table = view->accessibleName() == QStringLiteral("Runs") ? view : table;
        QCOMPARE(table->model()->index(0, 0).data().toString(),
                 QStringLiteral("second"));  // the newest first
        table->selectRow(0);
        QCOMPARE(page.selectedRuns(), QStringList{QStringLiteral("b2")});
        QVERIFY(compare.isEmpty() && curves.count() == 1);
        buttonOf(page, QStringLiteral("Put away"))->click();
        QCOMPARE(remove.front().front().toString(), QStringLiteral("b2"));
        table->selectAll();
        QCOMPARE(compare.count(), 1);
        const QStringList both = page.selectedRuns();
        QCOMPARE(both.size(), 2);
        page.setDifferences({QStringLiteral("a1")},
                            {{QStringLiteral("x")}, {}});  // an answer that comes too late
        QCOMPARE(page.findChild<DifferencesModel*>()->columnCount(), 0);
        page.setCurves(both, QStringLiteral("train/loss"),
                       {{"runs",
                         {{{"run", "a1"},
                           {"keys", {"train/loss"}},
                           {"curves", {{"train/loss", {{1, 2.5}, {2, 2}}}}}}}}});
        QCOMPARE(page.findChild<Plot*>()->curves().size(), size_t{1});
        QCOMPARE(page.findChild<Plot*>()->curves()[0].name, QStringLiteral("first"));
        page.setRuns(runRows(answer()));
        QCOMPARE(page.selectedRuns().size(), 2);  // what was selected stays
        std::vector<RunRow> away = runRows(answer());
        for (RunRow& row : away)
            row.deleted = true;
        page.setRuns(away);
        table->clearSelection();
        table->selectRow(1);
        buttonOf(page, QStringLiteral("Bring back"))->click();
        QCOMPARE(restore.count(), 1);
    }
};

QTEST_MAIN(tst_RunsPage)
#include "tst_runs_page.moc"
