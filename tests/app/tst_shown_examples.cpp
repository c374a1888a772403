// What spd calibrate --show prints.

#include <QTest>

#include "app/cli/shown_examples.h"
#include "tests/support/small_tokenizer.h"

using namespace spd;
using namespace spd::cli;
using namespace spd::test;
using namespace std::string_literals;

namespace {

constexpr ExampleLimits kLimits = {.positions = 1000, .vocabulary = 1000};

const Tokenizer& bytes() {
    static const Tokenizer tokenizer = Tokenizer::parse(smallTokenizer().dump(), "tokenizer.json");
    return tokenizer;
}

CalibrationExample exampleOf(const std::string& prompt, const std::string& completion, TextRange span) {
    return makeCalibrationExample("a/1"s, prompt, completion, {{span}}, bytes(), kLimits);
}

}  // namespace

class TestShownExamples : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void brackets() {
        QCOMPARE(shownExample(1, exampleOf("q\n", "x 48.", {2, 4}), bytes(), SpanMarks::brackets),
                 "-- 1. \"a/1\": 7 tokens, 2 in the span\nq\nx \xE2\x9F\xA6"
                 "4\xE2\x9F\xA7\xE2\x9F\xA6"
                 "8\xE2\x9F\xA7.\n"s);
    }

    /// Neighbours differ, and a mark never reaches beyond its token.
    void colours() {
        QCOMPARE(shownExample(2, exampleOf("q", "123", {0, 3}), bytes(), SpanMarks::colours),
                 "-- 2. \"a/1\": 4 tokens, 3 in the span\nq\x1b[30;42m1\x1b[0m\x1b[30;46m2\x1b[0m"
                 "\x1b[30;42m3\x1b[0m\n"s);
    }

    /// é is two tokens here: the character is shown once, marked.
    void charactersOfSeveralTokens() {
        QCOMPARE(shownExample(1, exampleOf("q", "\xC3\xA9z", {0, 2}), bytes(), SpanMarks::brackets),
                 "-- 1. \"a/1\": 4 tokens, 2 in the span\nq\xE2\x9F\xA6\xC3\xA9\xE2\x9F\xA7z\n"s);
    }

    /// What a foreign text could do to a terminal is shown instead.
    void controlCharacters() {
        const std::string shown =
            shownExample(1, exampleOf("\x1b[2J\r", "\x07y\n\n", {0, 1}), bytes(), SpanMarks::brackets);
        QCOMPARE(
            shown,
            "-- 1. \"a/1\": 9 tokens, 1 in the span\n\\x1b[2J\\x0d\xE2\x9F\xA6\\x07\xE2\x9F\xA7y\n\n\n"s);
    }

    void json() {
        QCOMPARE(exampleJson(exampleOf("q", "12", {1, 2}), bytes()).dump(),
                 R"({"id":"a/1","tokens":3,"prompt_tokens":1,"text":"q12",)"
                 R"("targets":[{"position":2,"id":50,"text":"2"}]})"s);
        CalibrationExample ids = exampleOf("q", "12", {1, 2});
        ids.prompt_tokens = CalibrationExample::kUnknown;
        QVERIFY(exampleJson(ids, bytes())["prompt_tokens"].is_null());
    }
};

QTEST_GUILESS_MAIN(TestShownExamples)
#include "tst_shown_examples.moc"
