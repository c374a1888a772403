// The strict JSON reader and the JSON Lines reader against three tables written from RFC 8259's grammar.

#include <QTemporaryDir>
#include <QTest>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <set>

#include "core/base/error.h"
#include "core/base/strict_json.h"
#include "core/data/json_lines.h"
#include "tests/base/json_conformance/cases.h"

using namespace spd;
using Clock = std::chrono::steady_clock;

namespace {

double slowest = 0;  // ms

/// dump() of the value; empty when refused by a message of the agreed form.
std::string verdict(const std::string& text) {
    const auto start = Clock::now();
    std::string value;
    try {
        value = parseStrictJson(text, "case", {}).dump();
    } catch (const Error& error) {
        const std::string message = error.what();
        if (error.kind() != ErrorKind::file_format || !message.starts_with("case: byte ") ||
            message.find('\n') != std::string::npos)
            return "refused in another way: " + message;
    }
    slowest = std::max(slowest, std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    return value;
}

std::string describe(const JsonCase& json_case, const std::string& got) {
    return printable(json_case.name + ": " + (got.empty() ? "refused" : "became " + got));
}

int countDifferences(const std::vector<JsonCase>& cases) {
    int differences = 0;
    for (const JsonCase& json_case : cases) {
        const std::string got = verdict(json_case.text);
        if (got != json_case.value) {
            ++differences;
            qWarning("%s", describe(json_case, got).c_str());
        }
    }
    return differences;
}

std::set<std::string> distinctTexts(const std::vector<JsonCase>& cases) {
    std::set<std::string> texts;
    for (const JsonCase& json_case : cases)
        texts.insert(json_case.text);
    return texts;
}

}  // namespace

class TestJsonConformance : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void whatMustBeAcceptedIs() {
        const auto cases = mustAcceptCases();
        const size_t count = distinctTexts(cases).size();
        std::printf("measured: %zu texts that must be accepted, %d not\n", count, countDifferences(cases));
        QVERIFY(count >= 95);
        QCOMPARE(countDifferences(cases), 0);
    }

    void whatMustBeRefusedIs() {
        const auto cases = mustRefuseCases();
        const size_t count = distinctTexts(cases).size();
        slowest = 0;
        const int differences = countDifferences(cases);
        std::printf("measured: %zu texts that must be refused, %d not; slowest %.1f ms\n", count, differences,
                    slowest);
        QVERIFY(count >= 188);
        QVERIFY(slowest < 1000);
        QCOMPARE(countDifferences(cases), 0);
    }

    void whatIsLeftOpenIsDecidedAsRecorded() {
        const auto cases = definedHereCases();
        const size_t count = distinctTexts(cases).size();
        std::printf("measured: %zu texts left to the reader, %d not as decided\n", count,
                    countDifferences(cases));
        QVERIFY(count >= 35);
        QCOMPARE(countDifferences(cases), 0);
    }

    /// Each text as a member of a row, between good rows: exactly the bad ones are refused, by line.
    void rowsOfJsonLinesGetTheSameVerdict() {
        const QTemporaryDir folder;
        const std::string path = folder.filePath("rows.jsonl").toStdString();
        std::ofstream file(path, std::ios::binary);
        std::set<int64_t> bad_lines;
        int64_t lines = 0;
        for (const auto& cases : {mustAcceptCases(), mustRefuseCases(), definedHereCases()})
            for (const JsonCase& json_case : cases) {
                const bool is_line = json_case.text.find_first_of("\r\n") == std::string::npos;
                // A row may be larger and begins with its brace.
                if (!is_line || json_case.text.starts_with("\xEF\xBB\xBF") ||
                    json_case.text.size() > 500'000 ||
                    json_case.text == std::string(64, '[') + std::string(64, ']'))
                    continue;
                file << "{\"v\":" << json_case.text << "}\n{}\n";
                if (json_case.value.empty())
                    bad_lines.insert(lines + 1);
                lines += 2;
            }
        file.close();
        std::set<int64_t> good;
        try {
            readJsonLines(path, [&](int64_t line, const nlohmann::ordered_json&) { good.insert(line + 1); });
            QFAIL("bad rows were accepted");
        } catch (const Error& error) {
            QCOMPARE(error.details().size(), bad_lines.size());
            auto expected = bad_lines.begin();
            for (const std::string& detail : error.details())
                QVERIFY2(detail.starts_with(path + ": line " + std::to_string(*expected++) + ": "),
                         detail.c_str());
        }
        QCOMPARE(static_cast<int64_t>(good.size() + bad_lines.size()), lines);
        std::printf("measured: %zu rows refused among %zu good ones, each by its line\n", bad_lines.size(),
                    good.size());
    }
};

QTEST_GUILESS_MAIN(TestJsonConformance)
#include "tst_json_conformance.moc"
