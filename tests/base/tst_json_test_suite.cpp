// The strict JSON reader against all 340 files of JSONTestSuite (tests/fixtures/json_test_suite/README.md).

#include <QTest>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "core/base/files.h"
#include "core/base/strict_json.h"
#include "tests/support/refusal.h"

namespace fs = std::filesystem;
using namespace spd;
using namespace spd::test;

namespace {

const fs::path kSuite = fs::path(SPD_SOURCE_DIR) / "tests/fixtures/json_test_suite";

/// Name, with its folder, to content.
std::map<std::string, std::string> suiteFiles() {
    std::map<std::string, std::string> files;
    for (const char* folder : {"test_parsing", "test_transform"})
        for (const fs::directory_entry& entry : fs::directory_iterator(kSuite / folder))
            files[std::string(folder) + "/" + entry.path().filename().native()] =
                readFile(entry.path(), 1 << 20);
    std::string objects;
    for (int i = 0; i < 50'000; ++i)
        objects += "[{\"\":";
    files["test_parsing/n_structure_100000_opening_arrays.json"] = std::string(100'000, '[');
    files["test_parsing/n_structure_open_array_object.json"] = objects + "\n";
    return files;
}

struct Verdict {
    std::string word;  ///< "accepted" or "refused"
    std::string text;  ///< the value in ASCII, or the rule that was broken (in a decision, a part of it)
};

bool isAsDecided(const Verdict& got, const Verdict& decision) {
    return got.word == decision.word &&
           (got.word == "accepted" ? got.text == decision.text
                                   : got.text.find(decision.text) != std::string::npos);
}

/// Lines FILE, tab, word, tab, text.
std::map<std::string, Verdict> recordedDecisions() {
    std::map<std::string, Verdict> decisions;
    std::ifstream lines(kSuite / "decisions.tsv");
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::string file;
        Verdict verdict;
        std::getline(fields, file, '\t');
        std::getline(fields, verdict.word, '\t');
        std::getline(fields, verdict.text);
        decisions[file] = verdict;
    }
    return decisions;
}

double slowest = 0;  // seconds

Verdict verdictOn(const std::string& file, const std::string& content) {
    std::string value;
    const auto refusal = refusalOf([&] { value = parseStrictJson(content, file, {}).dump(-1, ' ', true); });
    if (!refusal)
        return {"accepted", value};
    slowest = std::max(slowest, refusal->seconds);
    const std::string start = file + ": byte ";
    if (refusal->kind != ErrorKind::file_format || !refusal->isOneLine() ||
        !refusal->message.starts_with(start))
        return {"refused in another way", refusal->message};
    return {"refused", refusal->message.substr(refusal->message.find(": ", start.size()) + 2)};
}

}  // namespace

class TestJsonTestSuite : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void isWhole() {
        std::map<std::string, int> counts;
        for (const auto& [file, content] : suiteFiles())
            ++counts[file.substr(0, std::string("test_parsing/y_").size())];
        QCOMPARE(counts["test_parsing/y_"], 95);
        QCOMPARE(counts["test_parsing/n_"], 188);
        QCOMPARE(counts["test_parsing/i_"], 35);
        counts.erase("test_parsing/y_");
        counts.erase("test_parsing/n_");
        counts.erase("test_parsing/i_");
        int transforms = 0;
        for (const auto& [start, count] : counts)
            transforms += count;
        QCOMPARE(transforms, 22);
    }

    void givesTheExpectedVerdictOnEachFile() {
        const std::map<std::string, Verdict> decisions = recordedDecisions();
        std::map<std::string, int> counts;
        size_t decided = 0;
        int wrong = 0;
        for (const auto& [file, content] : suiteFiles()) {
            const Verdict got = verdictOn(file, content);
            const auto decision = decisions.find(file);
            const bool is_open = !file.starts_with("test_parsing/y_") && !file.starts_with("test_parsing/n_");
            bool as_expected = got.word == (file.starts_with("test_parsing/y_") ? "accepted" : "refused");
            if (decision != decisions.end()) {
                as_expected = isAsDecided(got, decision->second);
                ++decided;
            }
            if (!as_expected || (is_open && decision == decisions.end())) {
                ++wrong;
                qWarning("%s\t%s\t%s", file.c_str(), got.word.c_str(), got.text.c_str());
            }
            ++counts[got.word];
        }
        std::printf(
            "measured: JSONTestSuite: %d files accepted, %d refused, %zu by a recorded decision; "
            "slowest refusal %.1f ms\n",
            counts["accepted"], counts["refused"], decided, 1000 * slowest);
        QCOMPARE(wrong, 0);
        QCOMPARE(decided, decisions.size());
        QCOMPARE(decided, size_t{2 + 35 + 22});
        QVERIFY(slowest < most_seconds);
    }

    /// The two that kill readers that recurse: refused at the limit, not at the end.
    void refusesAHundredThousandBracketsEarly() {
        const auto files = suiteFiles();
        for (const char* name : {"n_structure_100000_opening_arrays", "n_structure_open_array_object"}) {
            const std::string& content = files.at("test_parsing/" + std::string(name) + ".json");
            QVERIFY(content.size() >= 100'000);
            QCOMPARE(verdictOn(name, content).text, std::string("nested deeper than 64"));
        }
    }

    /// Without its two files with a key twice, "must be accepted" is all of the 95.
    void refusesKeysThatAppearTwice() {
        const std::map<std::string, Verdict> decisions = recordedDecisions();
        for (const char* name : {"y_object_duplicated_key", "y_object_duplicated_key_and_value"}) {
            const Verdict& verdict = decisions.at("test_parsing/" + std::string(name) + ".json");
            QCOMPARE(verdict.word, std::string("refused"));
            QCOMPARE(verdict.text, std::string("duplicate key \"a\""));
        }
    }
};

QTEST_GUILESS_MAIN(TestJsonTestSuite)
#include "tst_json_test_suite.moc"
