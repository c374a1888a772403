// What a corpus looks like, and what the filters of SSD's implementations leave out of it.

#include <QTest>
#include <numeric>

#include "core/base/error.h"
#include "core/data/curation/corpus_filter.h"
#include "core/data/curation/corpus_statistics.h"
#include "tests/support/corpus_job.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using namespace spd::test;
using namespace std::string_literals;

namespace {

using Ids = std::vector<int32_t>;

/// `block` over and over, `length` ids in all.
Ids repeated(const Ids& block, size_t length) {
    Ids ids;
    while (ids.size() < length)
        ids.push_back(block[ids.size() % block.size()]);
    return ids;
}

Ids joined(Ids first, const Ids& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

CorpusRecord recordOf(const std::string& completion, Ids ids, const char* reason, int64_t prompt_tokens) {
    return {int64_t{0}, "p", completion, std::move(ids), reason, prompt_tokens};
}

std::string keptOf(const std::vector<std::string>& completions, CorpusFilter filter) {
    std::string kept;
    for (const bool keeps : filterCorpus(completions, filter).keeps)
        kept += keeps ? '1' : '0';
    return kept;
}

}  // namespace

class TestCorpusStatistics : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void countsAndLengths() {
        CorpusStatistics statistics;
        statistics.add(recordOf("a\nb", {1, 2, 3, 9}, "stop", 5));
        statistics.add(recordOf("one line", {1}, "length", 7));
        statistics.add(recordOf(" \n\xC2\xA0", {}, "stop", 6));
        statistics.add(recordOf("a\nb", {1, 2}, "stop", 6));
        statistics.add(recordOf("", {9}, "stop", 6));
        statistics.add(recordOf("\nx\n", repeated({5}, 40), "length", 6));
        QCOMPARE(
            statistics.toJson().dump(),
            R"({"completions":6,"completion_tokens":{"min":0,"median":1.5,"mean":8.0,"max":40,"total":48},)"
            R"("prompt_tokens":{"min":5,"median":6.0,"mean":6.0,"max":7,"total":36},)"
            R"("finish_reasons":{"stop":4,"length":2},"empty":2,"single_line":2,"repetition_loops":1,)"
            R"("duplicates":1})"s);
        QVERIFY(statistics.describe().find("median 1.5, mean 8.0, most 40") != std::string::npos);
        statistics.add(recordOf("z", {1, 2, 3}, "stop", 6));
        QVERIFY(statistics.toJson()["completion_tokens"]["median"] == 2.0);
    }

    void noCompletions() {
        QVERIFY(!CorpusStatistics().toJson().contains("completion_tokens"));
        QCOMPARE(CorpusStatistics().describe(), "no completions"s);
    }

    void ofAFile() {
        const TemporaryFolder folder;
        const CorpusJob job(25);
        job.run(folder / "x.jsonl", 5);
        int64_t total = 0;
        for (size_t i = 0; i < 25; ++i)
            total += static_cast<int64_t>(job.record(i).completion_ids.size());
        const auto json = statisticsOf(folder / "x.jsonl").toJson();
        QVERIFY(json["completions"] == 25 && json["completion_tokens"]["total"] == total);
    }

    void loops_data() {
        QTest::addColumn<QList<int>>("ids");
        QTest::addColumn<bool>("loops");
        const auto row = [](const char* name, const Ids& ids, bool loops) {
            QTest::newRow(name) << QList<int>(ids.begin(), ids.end()) << loops;
        };
        Ids counting(300);
        std::iota(counting.begin(), counting.end(), 0);
        row("nothing", {}, false);
        row("31 times one", repeated({7}, 31), false);
        row("32 times one", repeated({7}, 32), true);
        row("counting", counting, false);
        row("a loop in the middle", joined(repeated({7}, 100), {1}), false);
        row("a loop at the end", joined(counting, repeated({7, 8}, 32)), true);
        row("four blocks of ten", joined({1, 2}, repeated({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 40)), true);
        row("less than four blocks of ten", joined({5}, repeated({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 38)), false);
        Ids block(counting.begin(), counting.begin() + 128);
        row("four blocks of 128", repeated(block, 512), true);
        block.push_back(999);
        row("four blocks of 129", repeated(block, 516), false);
    }
    void loops() {
        QFETCH(QList<int>, ids);
        QFETCH(bool, loops);
        QCOMPARE(endsInLoop(Ids(ids.begin(), ids.end())), loops);
    }

    /// The EOS behind a loop does not hide it.
    void loopBeforeTheEos() {
        CorpusStatistics statistics;
        statistics.add(recordOf("x", joined(repeated({7}, 40), {2}), "stop", 1));
        statistics.add(recordOf("y", joined(repeated({7}, 40), {2}), "length", 1));
        QVERIFY(statistics.toJson()["repetition_loops"] == 1);
    }

    void filters() {
        const std::string nine =
            "\xC3\xA9"
            "23456789";  // nine characters, ten bytes
        const std::vector<std::string> completions = {
            "",   " \n ",     "one line",           "two\nlines",        "\n one line \n",
            nine, nine + "0", std::string(80, 'x'), std::string(81, 'x')};
        QCOMPARE(keptOf(completions, CorpusFilter::none), "111111111"s);
        QCOMPARE(keptOf(completions, CorpusFilter::ssd), "000100000"s);
        QCOMPARE(keptOf(completions, CorpusFilter::trl), "000110111"s);
        QCOMPARE(keptOf(completions, CorpusFilter::mlx), "000100001"s);
        const FilteredCorpus counted = filterCorpus(completions, CorpusFilter::ssd);
        QVERIFY(counted.empty == 2 && counted.single_line == 6 && counted.shortest == 0);
        QCOMPARE(counted.dropped(), int64_t{8});
    }

    /// Of 20 that are left the one at index 2 is the least that is kept, with all of its length.
    void shortestTenth() {
        std::vector<std::string> completions = {"", "stub"};
        for (int i = 0; i < 20; ++i)
            completions.push_back("\n" + std::string(static_cast<size_t>(30 - i), 'x') + "\ny");
        completions[21] = completions[20];  // 12, 12 and 13 are the shortest lengths of text now
        QCOMPARE(keptOf(completions, CorpusFilter::apple), "00" + std::string(18, '1') + "00");
        QCOMPARE(filterCorpus(completions, CorpusFilter::apple).shortest, int64_t{2});
        completions[19] = completions[20];
        QCOMPARE(keptOf(completions, CorpusFilter::apple), "00" + std::string(20, '1'));
        QCOMPARE(keptOf({"", "x"}, CorpusFilter::apple), "00"s);
    }

    void names() {
        for (const char* word : {"none", "ssd", "apple", "trl", "mlx"})
            QCOMPARE(std::string(name(parseCorpusFilter(word))), std::string(word));
        QVERIFY_EXCEPTION_THROWN(parseCorpusFilter("SSD"), Error);
    }
};

QTEST_GUILESS_MAIN(TestCorpusStatistics)
#include "tst_corpus_statistics.moc"
