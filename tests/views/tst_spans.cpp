// Correctness spans as characters and as tokens, edits, patterns. SPD_ANSWERS (a folder of an engine's
// answers): every span is compared with the engine's.

#include <QTest>
#include <cstdio>

#include "tests/views/calibration_examples.h"
#include "views/calibration/spans/span_edit.h"

using namespace spd;
using namespace spd::test;
using nlohmann::ordered_json;
using protocol::CharRange;
using protocol::ExampleList;
using protocol::ExampleRow;

namespace {

std::vector<CharRange> spans(const QString& pattern, SpanPattern::Which which, const std::string& text) {
    return spansByPattern({.pattern = pattern, .which = which}, text);
}

}  // namespace

class tst_Spans : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void charactersAreTokens() {
        const ExampleRow row = ExampleRow::fromJson(exampleJson("a"));
        const std::vector<CharRange> ranges = completionRanges(row);
        QCOMPARE(ranges.size(), row.ids.size());
        QVERIFY(ranges[0].begin == ranges[0].end && ranges[1].begin == ranges[1].end);
        QVERIFY((ranges[2] == CharRange{0, 1}) && (ranges.back() == CharRange{6, 7}));
        QCOMPARE(targetsOf(ranges, {{5, 7}}), (std::vector<int64_t>{7, 8}));
        QCOMPARE(targetsOf(ranges, row.spans), row.targets);
        QVERIFY(runsOf({3, 4, 5, 9}) == (std::vector<TokenSpan>{{3, 6}, {9, 10}}));
    }

    void piecesOfACharacterBelongToIt() {
        ordered_json json = exampleJson("a", "x");
        json["completion"] = "é!";  // its bytes are two tokens
        json["ids"] = {1, 7, 8, 9, 10};
        json["texts"] = {"<s>", "Q:", "", "é", "!"};
        json["targets"] = {2, 3};
        const ExampleRow row = ExampleRow::fromJson(json);
        QCOMPARE(targetsOf(completionRanges(row), {{0, 1}}), (std::vector<int64_t>{2, 3}));
        json["texts"][3] = "e";  // a tokenizer that strips accents: no places
        QVERIFY(completionRanges(ExampleRow::fromJson(json)).empty());
    }

    void spansAreEdited() {
        const ExampleRow row = ExampleRow::fromJson(exampleJson("a"));
        const std::vector<CharRange> ranges = completionRanges(row);
        const SpanChoice now{.chars = row.spans, .targets = row.targets};
        const SpanChoice set = choose(row, ranges, now, 3, 4, false);
        QVERIFY(set.chars == (std::vector<CharRange>{{1, 3}}) && set.targets == (std::vector<int64_t>{3, 4}));
        const SpanChoice added = choose(row, ranges, now, 3, 4, true);
        QVERIFY(added.chars == (std::vector<CharRange>{{1, 3}, {6, 7}}));
        QVERIFY(choose(row, ranges, now, 0, 1, false) == now);  // the prompt
        QVERIFY((choose(row, ranges, now, 0, 2, false).targets == std::vector<int64_t>{2}));
        const SpanChoice removed = remove(row, ranges, added, 4, 8);
        QVERIFY(removed.chars == (std::vector<CharRange>{{1, 2}}));
        QVERIFY(normalized({{5, 5}, {3, 4}, {1, 3}}) == (std::vector<CharRange>{{1, 4}}));
        ExampleRow tokens = row;
        tokens.has_text = false;
        QVERIFY((choose(tokens, {}, now, 0, 2, true).targets == std::vector<int64_t>{1, 2, 8}));
        QVERIFY((remove(tokens, {}, now, 8, 8).targets.empty()));
    }

    void patternsFindSpans() {
        using Which = SpanPattern::Which;
        const std::string text = "é 12\n#### 48\n#### 5";
        QVERIFY(spans(QStringLiteral("#### (\\d+)$"), Which::last, text) ==
                (std::vector<CharRange>{{18, 19}}));
        QVERIFY(spans(QStringLiteral("#### (\\d+)$"), Which::first, text) ==
                (std::vector<CharRange>{{10, 12}}));
        QVERIFY(spans(QStringLiteral("\\d+"), Which::all, text) ==
                (std::vector<CharRange>{{2, 4}, {10, 12}, {18, 19}}));
        QVERIFY(spans(QStringLiteral("z*"), Which::all, text).empty());
        QVERIFY(spans(QStringLiteral("b"), Which::last,
                      "\xf0\x9f\x98\x80"
                      "b") == (std::vector<CharRange>{{1, 2}}));
        QVERIFY(!SpanPattern{.pattern = QStringLiteral("(")}.problem().isEmpty());
        QVERIFY(!SpanPattern{}.problem().isEmpty());
    }

    /// Every span that the engine marked, found again by the window's own rule.
    void spansAreThoseOfTheEngine() {
        int compared = 0;
        for (const char* task : {"math", "code", "qa"}) {
            const ordered_json json = readAnswer(QStringLiteral("examples_") + QLatin1String(task));
            if (json.is_null())
                QSKIP("SPD_ANSWERS is not set");
            for (const ExampleRow& row : ExampleList::fromJson(json).examples) {
                if (row.ids.empty())
                    continue;
                ++compared;
                QCOMPARE(targetsOf(completionRanges(row), row.spans), row.targets);
            }
        }
        std::printf("measured: %d spans are those of the engine\n", compared);
        QVERIFY(compared > 100);
    }
};

QTEST_MAIN(tst_Spans)
#include "tst_spans.moc"
