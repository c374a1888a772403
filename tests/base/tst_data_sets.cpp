// Data sets by name and by path, their CSV and their order. The expected values were computed in Python with
// its csv and json modules and a Philox of its own.

#include <QTest>
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>

#include "core/base/sha256.h"
#include "core/data/permutation.h"
#include "core/data/sets/csv.h"
#include "core/data/sets/data_set.h"
#include "core/data/sets/normalized_text.h"
#include "core/data/sets/resource_folder.h"
#include "tests/support/refusal.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using namespace spd::test;
using namespace std::string_literals;
namespace fs = std::filesystem;

namespace {

using Table = std::vector<std::vector<std::string>>;

std::string idOf(const DataRow& row) {
    return std::get<std::string>(row.id);
}

}  // namespace

class TestDataSets : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void permutations() {
        using Order = std::vector<int64_t>;
        QCOMPARE(permutation(10, 42, 1), (Order{5, 9, 0, 6, 8, 7, 4, 3, 1, 2}));
        QCOMPARE(permutation(10, 42, 2), (Order{0, 2, 9, 6, 7, 3, 8, 5, 4, 1}));
        QCOMPARE(permutation(10, 43, 1), (Order{6, 3, 2, 1, 7, 0, 5, 9, 4, 8}));
        QCOMPARE(permutation(3, (uint64_t{1} << 63) + 5, 1), (Order{0, 1, 2}));
        QVERIFY(permutation(0, 42, 1).empty());
        QCOMPARE(permutation(1, 42, 1), Order{0});
        std::string all;
        for (const int64_t i : permutation(7473, 42, 1))
            all += (all.empty() ? "" : ",") + std::to_string(i);
        QCOMPARE(sha256Hex(all), "2843c7ba811294bf020ad17a865ea35fb627f6b9d14e6479ff0172a3e71a2af1"s);
    }

    /// Each of the 24 orders of 4 things 1,000 times in 24,000, within five standard deviations.
    void permutationsAreUniform() {
        std::map<std::vector<int64_t>, int> count;
        for (uint64_t seed = 0; seed < 24'000; ++seed)
            ++count[permutation(4, seed, 1)];
        QCOMPARE(count.size(), size_t{24});
        for (const auto& [order, times] : count)
            QVERIFY2(std::abs(times - 1000) < 155, std::to_string(times).c_str());
    }

    void csvRows_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<int>("rows");
        QTest::addColumn<QByteArray>("joined");  // fields by |, rows by /
        const auto row = [](const char* text, int rows, const char* joined) {
            QTest::newRow(text) << QByteArray(text) << rows << QByteArray(joined);
        };
        row("", 0, "");
        row("a,b", 1, "a|b/");
        row("a,b\n", 1, "a|b/");
        row("a,b\r\nc,d", 2, "a|b/c|d/");
        row("a\rb", 2, "a/b/");
        row("a,\n,b\n", 2, "a|/|b/");
        row("\"a,b\",c\n", 1, "a,b|c/");
        row("\"a\r\nb\",c\r\n", 1, "a\r\nb|c/");
        row("\"a\"\"b\",\"\"\n", 1, "a\"b|/");
        row("a \"quoted\" word,b\n", 1, "a \"quoted\" word|b/");
        row(" \"a\",b", 1, " \"a\"|b/");
        row("\n\na\n\n", 1, "a/");
        row("\"\"", 1, "/");
        row("a,", 1, "a|/");
        row("\xC3\xA9,\"\xE2\x80\x9C\"", 1, "\xC3\xA9|\xE2\x80\x9C/");
    }
    void csvRows() {
        QFETCH(QByteArray, text);
        QFETCH(int, rows);
        QFETCH(QByteArray, joined);
        const Table table = parseCsv(text.toStdString(), "f.csv");
        QCOMPARE(table.size(), static_cast<size_t>(rows));
        std::string all;
        for (const auto& cells : table) {
            for (size_t i = 0; i < cells.size(); ++i)
                all += (i > 0 ? "|" : "") + cells[i];
            all += '/';
        }
        QCOMPARE(all, joined.toStdString());
    }

    void refusedCsv() {
        const auto message = [](const std::string& text) {
            const auto refusal = refusalOf([&] { parseCsv(text, "f.csv"); });
            return refusal && refusal->kind == ErrorKind::file_format ? refusal->message : "accepted";
        };
        QCOMPARE(message("a\n\"b"), "f.csv: line 2: a quote that is never closed"s);
        QCOMPARE(message("a\n\"b\" ,c\n"), "f.csv: line 2: text after a closing quote"s);
        QCOMPARE(message("a\xFF"), "f.csv: byte 1: no UTF-8 text"s);
        QCOMPARE(message("a\0b"s), "f.csv: byte 1: no UTF-8 text"s);
    }

    void shippedSets_data() {
        QTest::addColumn<QByteArray>("name");
        QTest::addColumn<int>("rows");
        QTest::addColumn<QByteArray>("first");
        QTest::addColumn<QByteArray>("last");
        const auto row = [](const char* name, int rows, const char* first, const char* last) {
            QTest::newRow(name) << QByteArray(name) << rows << QByteArray(first) << QByteArray(last);
        };
        row("gsm8k/train", 7473, "gsm8k/train/0", "gsm8k/train/7472");
        row("gsm8k/test", 1319, "gsm8k/test/0", "gsm8k/test/1318");
        row("svamp/all", 1000, "svamp/all/0", "svamp/all/999");
        row("mbpp/train", 464, "mbpp/validation/511", "mbpp/train/974");
        row("mbpp/test", 500, "mbpp/test/11", "mbpp/test/510");
        row("mbpp/sanitized-test", 257, "mbpp/test/11", "mbpp/test/479");
        row("mmlu/dev", 285, "mmlu/dev/0", "mmlu/dev/284");
        row("mmlu/val", 1531, "mmlu/val/0", "mmlu/val/1530");
        row("mmlu/test", 14042, "mmlu/test/0", "mmlu/test/14041");
        row("mmlu/auxiliary_train", 1218, "mmlu/auxiliary_train/0", "mmlu/auxiliary_train/1217");
        row("mmlu/train", 2000, "mmlu/val/0", "mmlu/auxiliary_train/1217");
        row("bbh/web_of_lies", 250, "bbh/web_of_lies/0", "bbh/web_of_lies/249");
        row("bbh/snarks", 178, "bbh/snarks/0", "bbh/snarks/177");
    }
    void shippedSets() {
        QFETCH(QByteArray, name);
        QFETCH(int, rows);
        QFETCH(QByteArray, first);
        QFETCH(QByteArray, last);
        const DataSet set = openDataSet(name.toStdString());
        QCOMPARE(set.rows.size(), static_cast<size_t>(rows));
        QCOMPARE(idOf(set.rows.front()), first.toStdString());
        QCOMPARE(idOf(set.rows.back()), last.toStdString());
        QCOMPARE(set.sha256.size(), size_t{64});
        std::set<std::string> ids;
        for (const DataRow& row : set.rows)
            QVERIFY(row.own_id && ids.insert(idOf(row)).second);
        const std::vector<std::string> names = shippedDataSets();
        QVERIFY(std::binary_search(names.begin(), names.end(), name.toStdString()));
    }

    /// 2,717 of the 2,749 rows are neither in dev nor in test nor there twice.
    void trainingRowsOfMmlu() {
        std::string ids;
        for (const DataRow& row : openDataSet("mmlu/train").rows)
            ids += (ids.empty() ? "" : "\n") + idOf(row);
        QCOMPARE(sha256Hex(ids), "6056a70d5fc3e059833e1ac5aa9f9d456c329d24e70a628d51dda145eb596a0c"s);
    }

    void fieldsOfShippedRows() {
        const auto mmlu = openDataSet("mmlu/test").rows.back().fields;
        QCOMPARE(
            mmlu.dump(),
            R"({"question":" The numen of Augustus referred to which of the following characteristics?",)"
            R"("choices":["Divine power","Sexual virility","Military acumen","Philosophical intellect"],)"
            R"("answer":"A","subject":"world_religions"})"s);
        const auto svamp = openDataSet("svamp/all").rows.front().fields;
        const std::string body = svamp["Body"];
        QCOMPARE(svamp["question"].get<std::string>(),
                 body + (body.ends_with('.') ? " " : ". ") + svamp["Question"].get<std::string>());
        QCOMPARE(svamp["answer"].get<std::string>(),
                 std::to_string(static_cast<int64_t>(svamp["Answer"].get<double>())));
        const auto program = openDataSet("mbpp/sanitized-test").rows.front().fields;
        QVERIFY(program.contains("text") && !program.contains("prompt") && program["task_id"] == 11);
    }

    void anyJsonLinesFile() {
        const TemporaryFolder folder;
        const fs::path path = folder.put("own.jsonl", "{\"id\":\"a\",\"x\":1}\n\n{\"x\":2}\n");
        const DataSet set = openDataSet(path.native());
        QCOMPARE(set.rows.size(), size_t{2});
        QVERIFY(set.rows[0].id == PromptId("a"s) && set.rows[0].own_id);
        QVERIFY(set.rows[1].id == PromptId(int64_t{2}) && !set.rows[1].own_id && set.rows[1].line == 2);
        QCOMPARE(set.sha256, sha256Hex(contentOf(path)));
        const auto twice =
            refusalOf([&] { openDataSet(folder.put("t.jsonl", "{\"id\":1}\n{\"id\":1}\n").native()); });
        QVERIFY(twice && twice->kind == ErrorKind::file_format && twice->says("already that of line 1"));
    }

    void unknownNames() {
        for (const char* name : {"gsm8k", "gsm8k/dev", "bbh/nothing", "bbh/../gsm8k/train", ""}) {
            const auto refusal = refusalOf([&] { openDataSet(name); });
            QVERIFY(refusal && refusal->kind == ErrorKind::not_found && refusal->isOneLine());
            QVERIFY2(refusal->says("gsm8k/train, mbpp/"), refusal->message.c_str());
        }
    }

    void normalizedBlanks() {
        QCOMPARE(normalizeBlanks("  a\t\r\n b\xC2\xA0\xE3\x80\x80"
                                 "c  "),
                 "a b c"s);
        QCOMPARE(normalizeBlanks(" \n"), ""s);
        QCOMPARE(std::string(trimBlanks("\xC2\xA0 a  b\n\xE3\x80\x80")), "a  b"s);
        QVERIFY(trimBlanks("\xC2\xA0").empty() && trimBlanks("").empty());
        QCOMPARE(normalizeBlanks("\xC3\xA9"), "\xC3\xA9"s);
    }

    void foldersOfResources() {
        QCOMPARE(resourceFolder(), fs::path(SPD_SOURCE_DIR) / "resources");
        const TemporaryFolder folder;
        ::setenv("SPD_RESOURCES", folder.path().c_str(), 1);
        const auto refusal = refusalOf([] { resourceFolder(); });
        folder.put("prompts.toml", "");
        fs::create_directories(folder / "datasets/gsm8k");
        std::ofstream(folder / "datasets/gsm8k/test.jsonl") << "{\"question\":\"q\"}\n[]\n";
        const fs::path found = resourceFolder();
        const auto damaged = refusalOf([] { openDataSet("gsm8k/test"); });
        const auto missing = refusalOf([] { openDataSet("gsm8k/train"); });
        ::unsetenv("SPD_RESOURCES");
        QVERIFY(refusal && refusal->kind == ErrorKind::not_found && refusal->says(folder.path().native()));
        QCOMPARE(found, folder.path());
        QVERIFY(damaged && damaged->kind == ErrorKind::file_format);
        QCOMPARE(damaged->message, "gsm8k/test.jsonl: line 2: an object is wanted"s);
        QVERIFY(missing && missing->kind == ErrorKind::not_found);
    }
};

QTEST_GUILESS_MAIN(TestDataSets)
#include "tst_data_sets.moc"
