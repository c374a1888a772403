#include <QtTest>

#include "core/text/bpe/pre_tokenizer.h"
#include "tests/support/small_tokenizer.h"

using namespace spd;
using Kind = PreTokenizer::Kind;

namespace {

std::string pieces(const std::vector<Kind>& steps, const std::string& text) {
    PreTokenizer pre_tokenizer;
    for (const Kind step : steps)
        pre_tokenizer.add(step);
    std::string joined;
    pre_tokenizer.split(text, {0, text.size()}, [&](TextRange range) {
        joined += (joined.empty() ? "" : "|") + text.substr(range.begin, range.end - range.begin);
    });
    return joined;
}

}  // namespace

// Expected pieces were taken from the regular expressions by hand; tests/oracle/test_tokenizer.py compares
// thousands of texts and every code point with the tokenizers library.
class TestTokenizerPatterns : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void recognisesKnownPatterns() {
        QCOMPARE(recognisePattern(test::qwen2_regex), std::optional(SplitPattern::qwen2));
        QCOMPARE(recognisePattern(test::llama3_regex), std::optional(SplitPattern::llama3));
        QVERIFY(!recognisePattern(std::string(test::qwen2_regex) + "+"));
        QVERIFY(!recognisePattern(""));
    }

    void qwen2_data() {
        QTest::addColumn<std::string>("text");
        QTest::addColumn<std::string>("expected");
        QTest::newRow("words") << std::string("Hello world, it's ok")
                               << std::string("Hello| world|,| it|'s| ok");
        QTest::newRow("digits") << std::string("a 123b") << std::string("a| |1|2|3|b");
        QTest::newRow("contractions")
            << std::string("I'LL we'Re 'tis x'ſ") << std::string("I|'LL| we|'Re| '|tis| x|'ſ");
        QTest::newRow("no contraction") << std::string("a'x 'r") << std::string("a|'x| '|r");
        QTest::newRow("blanks") << std::string("a   b  ") << std::string("a|  | b|  ");
        QTest::newRow("lines") << std::string("a \n\n b\r\n\r\n\tc")
                               << std::string("a| \n\n| b|\r\n\r\n|\tc");
        QTest::newRow("punctuation takes line ends")
            << std::string("x;\n\n  }\r\n") << std::string("x|;\n\n| | }\r\n");
        QTest::newRow("letters after a sign") << std::string("$abc ##d") << std::string("$abc| ##|d");
        QTest::newRow("ideographic space")
            << std::string("中\u3000文\u3000 1") << std::string("中|\u3000文|\u3000| |1");
        QTest::newRow("marks") << std::string("e\u0301a") << std::string("e|\u0301a");
        QTest::newRow("other numbers") << std::string("½Ⅷ²") << std::string("½|Ⅷ|²");
    }
    void qwen2() {
        QFETCH(std::string, text);
        QFETCH(std::string, expected);
        QCOMPARE(pieces({Kind::qwen2}, text), expected);
    }

    void llama3TakesThreeDigits() {
        QCOMPARE(pieces({Kind::llama3}, "12345 6"), std::string("123|45| |6"));
        QCOMPARE(pieces({Kind::llama3}, "²34½5"), std::string("²34|½5"));
    }

    void gpt2_data() {
        QTest::addColumn<std::string>("text");
        QTest::addColumn<std::string>("expected");
        QTest::newRow("words") << std::string("It's 12 o'clock") << std::string("It|'s| 12| o|'|clock");
        QTest::newRow("case counts") << std::string("IT'S") << std::string("IT|'|S");
        QTest::newRow("lines") << std::string("a\n\n b\n") << std::string("a|\n\n| b|\n");
        QTest::newRow("signs") << std::string("x ==  y!\n") << std::string("x| ==| | y|!|\n");
    }
    void gpt2() {
        QFETCH(std::string, text);
        QFETCH(std::string, expected);
        QCOMPARE(pieces({Kind::gpt2}, text), expected);
    }

    void digitsSplitBeforeThePattern() {
        QCOMPARE(pieces({Kind::digits_alone, Kind::gpt2}, "a 48\u0664 b"), std::string("a| |4|8|\u0664| b"));
        QCOMPARE(pieces({Kind::digits_together, Kind::gpt2}, "a 48b"), std::string("a| |48|b"));
        // What follows is not seen: blanks before a digit stand at the end of their piece.
        QCOMPARE(pieces({Kind::gpt2}, "a  4"), std::string("a| | 4"));
        QCOMPARE(pieces({Kind::digits_alone, Kind::gpt2}, "a  4"), std::string("a|  |4"));
    }
};

QTEST_GUILESS_MAIN(TestTokenizerPatterns)
#include "tst_tokenizer_patterns.moc"
