// The JSON parser against a recogniser written from RFC 8259's grammar: on the conformance tables, on every
// prefix and every single byte of a text, and on random mutations.

#include <QtTest>
#include <algorithm>
#include <array>
#include <cstring>
#include <iostream>
#include <map>
#include <random>

#include "core/base/strict_json.h"
#include "tests/base/json_conformance/cases.h"
#include "tests/support/json_grammar.h"
#include "tests/support/refusal.h"

using namespace spd;
using namespace spd::test;

class TestJsonGrammar : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void knowsTheTablesToo();
    void refusesEveryPrefix();
    void refusesEveryControlCharacterAndFalseEscape();
    void needsNoDepthLimit();
    void agreesOnMutations();
};

namespace {

const std::string kDocument =
    R"( {"id": "a\u00e9\"\\\n\ud83d\ude00", "n": [0, -1.5e+3, 2E-7, true, false, null], "o": {"": {}, "x": [[]]}} )";

/// How texts that are to be refused are, and the slowest of them.
class Refusals {
public:
    /// False, and printed, when the text is accepted or refused without a position inside of it.
    bool expect(const std::string& text, const JsonLimits& limits = {}) {
        ++count;
        const auto refusal = refusalOf([&] { parseStrictJson(text, "f", limits); });
        if (refusal && isSound(*refusal, text.size())) {
            slowest = std::max(slowest, refusal->seconds);
            return true;
        }
        std::cout << printable(text, 400) << ": " << (refusal ? refusal->message : "accepted") << "\n";
        return false;
    }
    int count = 0;
    double slowest = 0;

private:
    static bool isSound(const Refusal& refusal, size_t size) {
        const std::string start = "f: byte ";
        if (refusal.kind != ErrorKind::file_format || !refusal.isOneLine() ||
            !refusal.message.starts_with(start))
            return false;
        const long long position = std::atoll(refusal.message.c_str() + start.size());
        return position >= 0 && position <= static_cast<long long>(size) + 1;
    }
};

}  // namespace

void TestJsonGrammar::knowsTheTablesToo() {
    int texts = 0;
    for (const JsonCase& json : mustAcceptCases()) {
        QVERIFY2(isJsonText(json.text), json.name.c_str());
        ++texts;
    }
    for (const JsonCase& json : mustRefuseCases()) {
        QVERIFY2(!isJsonText(json.text), json.name.c_str());
        ++texts;
    }
    std::cout << "measured: " << texts << " verdicts of the tables confirmed by the grammar\n";
}

void TestJsonGrammar::refusesEveryPrefix() {
    Refusals refusals;
    for (size_t size = 0; size + 1 < kDocument.size(); ++size)
        QVERIFY(refusals.expect(kDocument.substr(0, size)));
    QVERIFY(!refusalOf([&] { parseStrictJson(kDocument, "f", {}); }));
    std::cout << "measured: " << refusals.count << " prefixes refused\n";
}

void TestJsonGrammar::refusesEveryControlCharacterAndFalseEscape() {
    Refusals refusals;
    for (int c = 0; c < 0x100; ++c) {
        const std::string byte(1, static_cast<char>(c));
        if (c < 0x20 || c >= 0x80)
            QVERIFY(refusals.expect("[\"" + byte + "\"]"));
        if (c == 0 || std::strchr("\"\\/bfnrtu", c) == nullptr)
            QVERIFY(refusals.expect("[\"\\" + byte + "\"]"));
    }
    std::cout << "measured: " << refusals.count << " single bytes refused inside strings\n";
}

/// The depth limit must not be all that stands between a deep text and the stack.
void TestJsonGrammar::needsNoDepthLimit() {
    const JsonLimits limits = {.max_bytes = size_t{1} << 20, .max_depth = 1'000'000};
    const std::string opening(100'000, '[');
    const std::string closing(100'000, ']');
    Refusals refusals;
    QVERIFY(refusals.expect(opening, limits));
    QVERIFY(refusals.expect(opening + closing.substr(1), limits));
    QVERIFY(refusals.expect(opening + closing + "]", limits));
    std::string objects;
    for (int i = 0; i < 50'000; ++i)
        objects += "[{\"\":";
    QVERIFY(refusals.expect(objects, limits));
    QVERIFY(!refusalOf([&] { parseStrictJson(opening + closing, "f", limits); }));
    std::cout << "measured: " << refusals.count << " deep texts refused, slowest " << refusals.slowest
              << " s\n";
    QVERIFY(refusals.slowest < most_seconds);
}

namespace {

/// Changes a text at one to four places, mostly to bytes that mean something in JSON.
class Mutator {
public:
    std::string mutate(std::string text) {
        for (size_t i = below(4) + 1; i > 0; --i) {
            const size_t at = below(text.size() + 1);
            const size_t count = std::min(below(8), text.size() - at);
            switch (below(5)) {
                case 0:
                    text.erase(at, count);
                    break;
                case 1:
                    text.insert(at, piece());
                    break;
                case 2:
                    text.replace(at, std::min<size_t>(1, text.size() - at), piece());
                    break;
                case 3:
                    text.insert(below(text.size() + 1), text.substr(at, count));
                    break;
                default:
                    text.resize(at < text.size() / 2 ? text.size() : at);
                    break;
            }
        }
        return text;
    }
    size_t below(size_t limit) { return std::uniform_int_distribution<size_t>(0, limit - 1)(random_); }

private:
    std::string piece() {
        static const std::array<std::string, 41> pieces = {"{",
                                                           "}",
                                                           "[",
                                                           "]",
                                                           "\"",
                                                           ":",
                                                           ",",
                                                           "\\",
                                                           "/",
                                                           "u",
                                                           "0",
                                                           "1",
                                                           "9",
                                                           "-",
                                                           "+",
                                                           ".",
                                                           "e",
                                                           "E",
                                                           "true",
                                                           "null",
                                                           " ",
                                                           "\t",
                                                           "\n",
                                                           "\r",
                                                           "\f",
                                                           std::string(1, '\0'),
                                                           "\x1F",
                                                           "\x7F",
                                                           "\x80",
                                                           "\xC3\xA9",
                                                           "\xC0",
                                                           "\xED\xA0\x80",
                                                           "\xEF\xBB\xBF",
                                                           "\xF0\x9F\x98\x80",
                                                           "\\u0041",
                                                           "\\ud800",
                                                           "\\n",
                                                           "[[",
                                                           "]]",
                                                           "1e5",
                                                           "\"\":"};
        return pieces[below(pieces.size())];
    }
    std::mt19937_64 random_{20'260'601};
};

/// The rule of ours beyond the grammar that a refusal names; "" for another one.
std::string ownRule(const Refusal& refusal) {
    for (const char* rule : {"duplicate key", "surrogate", "number", "nested deeper"})
        if (refusal.says(rule))
            return rule;
    return "";
}

}  // namespace

/// What the grammar has not, the parser refuses; what it has, the parser reads or refuses by a rule of ours.
void TestJsonGrammar::agreesOnMutations() {
    constexpr int count = 60'000;
    const std::vector<JsonCase> seeds = mustAcceptCases();
    Mutator mutator;
    std::map<std::string, int> outcomes;
    Refusals refusals;
    for (int i = 0; i < count; ++i) {
        const std::string& seed = i % 2 == 0 ? kDocument : seeds[mutator.below(seeds.size())].text;
        const std::string text = mutator.mutate(seed.substr(0, 2000));
        if (!isJsonText(text)) {
            QVERIFY(refusals.expect(text));
            ++outcomes["not in the grammar"];
            continue;
        }
        const auto refusal = refusalOf([&] { parseStrictJson(text, "f", {}); });
        const std::string rule = refusal ? ownRule(*refusal) : "accepted";
        QVERIFY2(!rule.empty(), printable(text, 400).c_str());
        ++outcomes[rule];
    }
    std::cout << "measured: " << count << " mutated JSON texts:";
    for (const auto& [outcome, times] : outcomes)
        std::cout << " " << outcome << " " << times << ";";
    std::cout << " slowest refusal " << refusals.slowest << " s\n";
    QVERIFY(outcomes["accepted"] > count / 100 && outcomes["not in the grammar"] > count / 10);
}

QTEST_GUILESS_MAIN(TestJsonGrammar)
#include "tst_json_grammar.moc"
