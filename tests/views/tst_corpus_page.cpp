// A corpus that grows: the same remarks as spd generate's statistics, a table of 100,000 rows, what the page
// allows.

#include <QAbstractItemModelTester>
#include <QElapsedTimer>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTableView>
#include <QTest>
#include <cstdio>

#include "core/base/error.h"
#include "views/corpus/corpus_model.h"
#include "views/corpus/corpus_page.h"
#include "views/corpus/generation_fields.h"

using namespace spd;
using nlohmann::ordered_json;

namespace {

ordered_json recordOf(int number, const std::string& completion, const std::vector<int>& ids,
                      const char* reason) {
    const ordered_json made = {{"id", number},
                               {"prompt", "Question: " + std::to_string(number)},
                               {"completion", completion},
                               {"completion_ids", ids},
                               {"finish_reason", reason},
                               {"prompt_tokens", 12},
                               {"completion_tokens", ids.size()}};
    return ordered_json::parse(made.dump());  // as it comes from an engine
}

std::vector<ordered_json> oddRecords() {
    std::vector<int> loop;
    for (int i = 0; i < 60; ++i)
        loop.push_back(i % 3);
    return {recordOf(0, "two\nlines", {1, 2, 3, 0}, "stop"), recordOf(1, "one line", {1, 2}, "length"),
            recordOf(2, " \n", {5, 0}, "stop"), recordOf(3, "two\nlines", {1, 2, 3, 0}, "stop"),
            recordOf(4, "again\nagain", loop, "length")};
}

QPushButton* buttonOf(QWidget& page, const QString& text) {
    for (auto* button : page.findChildren<QPushButton*>())
        if (button->text() == text)
            return button;
    return nullptr;
}

}  // namespace

class tst_CorpusPage : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void remarksAreThoseOfTheStatistics() {
        CorpusModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.append(oddRecords());
        QStringList remarks;
        int64_t empty = 0, single = 0, loops = 0, duplicates = 0;
        for (const CorpusRow& row : model.content().rows()) {
            remarks << row.remarks();
            empty += row.empty, single += row.single_line, loops += row.loop, duplicates += row.duplicate;
        }
        QCOMPARE(remarks, (QStringList{QString(), QStringLiteral("one line"), QStringLiteral("empty"),
                                       QStringLiteral("duplicate"), QStringLiteral("loop")}));
        const ordered_json statistics = model.content().statistics().toJson();
        QVERIFY(statistics["empty"] == empty && statistics["single_line"] == single);
        QVERIFY(statistics["repetition_loops"] == loops && statistics["duplicates"] == duplicates);
    }

    void whatIsNoRecordIsRefused() {
        CorpusModel model;
        std::vector<ordered_json> records = oddRecords();
        records[3].erase("finish_reason");
        QVERIFY_THROWS_EXCEPTION(Error, model.append(records));
        QCOMPARE(model.rowCount(), 3);
    }

    void binsHoldEveryCompletion() {
        std::vector<CorpusRow> rows;
        for (const int64_t tokens : {0, 1, 7, 8, 500, 512}) {
            rows.emplace_back();
            rows.back().tokens = tokens;
        }
        for (const int bins : {1, 5, 24, 1000}) {
            const Histogram histogram = lengthHistogram(rows, bins);
            double sum = 0;
            for (const double count : histogram.count)
                sum += count;
            QCOMPARE(sum, 6.0);
            QCOMPARE(histogram.from.size(), histogram.count.size() + 1);
            QVERIFY(histogram.from.front() == 0 && histogram.from.back() > 512);
        }
        QCOMPARE(lengthHistogram({}, 10).count, std::vector<double>{0});
    }

    void aMethodBringsItsDefaults() {
        CorpusPage page;
        QVERIFY(page.settings()["temperature"] == 1.0 && page.settings()["method"] == "spd");
        page.setSettings({{"method", "ssd"}, {"max_new_tokens", 99}});
        QVERIFY(page.settings()["temperature"] == 1.6 && page.settings()["top_k"] == 20);
        QVERIFY(page.settings()["top_p"] == 0.8 && page.settings()["max_new_tokens"] == 99);
        QCOMPARE(page.differences().size(), 1);
        for (const char* method : kCorpusMethods)
            for (const Field& field : generationFields(method))
                QVERIFY2(problemOf(field, field.default_value).isEmpty(), field.key.c_str());
    }

    void thePageReadsWhileItGrows() {
        CorpusPage page;
        page.setReady(true, QStringLiteral("layers 14, 29"));
        protocol::Job job;
        job.id = "job-000002";
        job.kind = "generate";
        job.state = protocol::JobState::running;
        job.resumable = true;
        page.setJob(job);
        QVERIFY(page.addRecords(oddRecords()).isEmpty());
        QCOMPARE(page.shownRecords(), int64_t{5});
        auto* table = page.findChild<QTableView*>();
        table->selectRow(4);
        QVERIFY(page.findChild<QPlainTextEdit*>()->toPlainText().contains(QStringLiteral("again\nagain")));
        QVERIFY(!buttonOf(page, QStringLiteral("Generate"))->isEnabled());
        QSignalSpy stop(&page, &CorpusPage::stopWanted), resume(&page, &CorpusPage::resumeWanted);
        buttonOf(page, QStringLiteral("Pause"))->click();
        job.state = protocol::JobState::cancelled;
        page.setJob(job);
        QCOMPARE(page.shownRecords(), int64_t{5});  // the same job: what is shown stays
        buttonOf(page, QStringLiteral("Resume"))->click();
        QVERIFY(stop.count() == 1 && resume.count() == 1);
        job.id = "job-000003";
        page.setJob(job);
        QCOMPARE(page.shownRecords(), int64_t{0});
    }

    void aHundredThousandRowsStayQuick() {
        CorpusPage page;
        page.resize(860, 560);
        page.setReady(true, {});
        page.show();
        QVERIFY(QTest::qWaitForWindowExposed(&page));
        std::vector<ordered_json> records;
        for (int i = 0; i < 100'000; ++i)
            records.push_back(
                recordOf(i, "line one of " + std::to_string(i) + "\nline two", {1, 2, 3, i, 0}, "stop"));
        page.addRecords(records);
        QCoreApplication::processEvents();
        double worst = 0;
        for (int i = 0; i < 20; ++i) {
            QElapsedTimer timer;
            timer.start();
            page.addRecords({recordOf(100'000 + i, "more\nof it", {7, 8, i}, "length")});
            QCoreApplication::processEvents();
            worst = std::max(worst, static_cast<double>(timer.nsecsElapsed()) * 1e-6);
        }
        std::printf("measured: a completion behind 100,000 others, table and charts: %.1f ms at most\n",
                    worst);
        QVERIFY(worst < 100);
    }
};

QTEST_MAIN(tst_CorpusPage)
#include "tst_corpus_page.moc"
