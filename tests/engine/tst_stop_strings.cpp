// Stop strings against the rule taken literally: after every byte, does the text end with one?

#include <QTest>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "core/generate/generation_settings.h"
#include "core/generate/stop_strings.h"
#include "tests/support/refusal.h"
#include "tests/support/small_tokenizer.h"

using namespace spd;
using namespace spd::test;

namespace {

struct Cut {
    std::string text;
    bool stopped = false;
    bool operator==(const Cut&) const = default;
};

Cut cutLiterally(const std::string& text, const std::vector<std::string>& stops) {
    for (size_t end = 1; end <= text.size(); ++end) {
        size_t longest = 0;
        for (const std::string& stop : stops)
            if (std::string_view(text).substr(0, end).ends_with(stop))
                longest = std::max(longest, stop.size());
        if (longest > 0)
            return {text.substr(0, end - longest), true};
    }
    return {text, false};
}

/// @param pieces  where the text is cut: each piece but the last has a random length from 0 to `longest`.
Cut scan(const std::string& text, const std::vector<std::string>& stops, size_t longest,
         std::mt19937& generator) {
    StopStringScanner scanner(stops);
    bool stopped = false;
    for (size_t begin = 0; begin < text.size() && !stopped;) {
        const size_t length = std::uniform_int_distribution<size_t>(0, longest)(generator);
        stopped = scanner.add(std::string_view(text).substr(begin, length));
        begin += length;
    }
    return {scanner.text(), stopped};
}

std::string randomText(size_t length, std::mt19937& generator) {
    std::string text;
    while (text.size() < length)
        text += "ab\n"[std::uniform_int_distribution<int>(0, 2)(generator)];
    return text;
}

/// Bytes, `words` and the special token <|end|>.
Tokenizer tokenizerWith(const std::vector<std::string>& words) {
    auto json = smallTokenizer(words);
    const auto next_id = static_cast<int>(json["model"]["vocab"].size());
    json["added_tokens"].push_back(addedToken(next_id, "<|end|>"));
    return Tokenizer::parse(json.dump(), "tokenizer.json");
}

/// Feeds the ids one by one; how many were taken and the text.
std::pair<size_t, Cut> run(const Tokenizer& tokenizer, const std::vector<int32_t>& ids,
                           const std::vector<std::string>& stops) {
    StopStringMatcher matcher(stops, tokenizer);
    for (size_t i = 0; i < ids.size(); ++i)
        if (matcher.add(ids[i]))
            return {i + 1, {matcher.text(), true}};
    return {ids.size(), {"", false}};
}

}  // namespace

class TestStopStrings : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void agreesWithTheRuleTakenLiterally() {
        constexpr int kCases = 30'000;
        std::mt19937 generator(5);
        int stopped = 0;
        for (int i = 0; i < kCases; ++i) {
            const std::string text = randomText(generator() % 60, generator);
            std::vector<std::string> stops;
            for (size_t count = 1 + generator() % 4; count > 0; --count)
                stops.push_back(randomText(1 + generator() % 7, generator));
            const Cut expected = cutLiterally(text, stops);
            for (const size_t longest : {size_t{1}, size_t{4}, size_t{100}})
                QVERIFY2(scan(text, stops, longest, generator) == expected, text.c_str());
            stopped += expected.stopped;
        }
        std::printf("measured: %d random texts in 3 kinds of pieces, %d with a stop string\n", kCases,
                    stopped);
        QVERIFY(stopped > kCases / 4);
    }

    void takesTheLongestOfThoseThatEndFirst() {
        std::mt19937 generator(6);
        QCOMPARE(scan("xabcd", {"abc", "bc", "b", "cd"}, 100, generator).text, std::string("xa"));
        QCOMPARE(scan("xabcd", {"bc", "abc", "cd"}, 100, generator).text, std::string("x"));
    }

    void ignoresWhatComesAfter() {
        StopStringScanner scanner({"\n\n"});
        QVERIFY(!scanner.add("one\n"));
        QVERIFY(scanner.add("\ntwo"));
        QVERIFY(scanner.add("three"));
        QCOMPARE(scanner.text(), std::string("one"));
    }

    void keepsTheTokensThatMadeTheStopString() {
        const Tokenizer tokenizer = tokenizerWith({"Que", "stion"});
        const std::vector<int32_t> ids = tokenizer.encode("4 \xf0\x9f\x98\x80Question: Question: 5");
        QVERIFY(ids.size() < 25);  // the words are tokens of their own
        const auto [count, cut] = run(tokenizer, ids, {"\nAnswer", "Question:"});
        QVERIFY(cut.stopped);
        QCOMPARE(cut.text, std::string("4 \xf0\x9f\x98\x80"));
        const std::vector<int32_t> kept(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count));
        QCOMPARE(tokenizer.decode(kept, true), std::string("4 \xf0\x9f\x98\x80Question:"));
    }

    void stopsInsideACharacterThatCameInPieces() {
        const Tokenizer tokenizer = tokenizerWith({});
        const std::vector<int32_t> ids = tokenizer.encode(
            "a\xe2\x82\xac"
            "b\xc3\xa9"
            "c");
        const auto [count, cut] = run(tokenizer, ids, {"b\xc3\xa9"});
        QCOMPARE(cut.text, std::string("a\xe2\x82\xac"));
        QCOMPARE(count, size_t{7});
    }

    void stopsAtASpecialToken() {
        const Tokenizer tokenizer = tokenizerWith({});
        const int32_t special = tokenizer.idOf("<|end|>");
        QVERIFY(tokenizer.isSpecial(special));
        const auto [count, cut] = run(tokenizer, {'a', 'b', special, 'c'}, {"zz", "<|end|>"});
        QCOMPARE(count, size_t{3});
        QVERIFY((cut == Cut{"ab", true}));
        QVERIFY(!run(tokenizer, {'a', special, 'b'}, {"zz"}).second.stopped);
        // Half a character before it stays, as in decode().
        const std::vector<int32_t> half = {'a', 0xE2, 0x82, special};
        QCOMPARE(run(tokenizer, half, {"<|end|>"}).second.text, tokenizer.decode(half, true));
    }

    void scansOnlyTheTail() {
        StopStringScanner scanner({"Question:", "\n\n\n"});
        const double start = processorSeconds();
        for (int i = 0; i < 1'000'000; ++i)
            QVERIFY(!scanner.add(i % 2 == 0 ? "Quest\n" : "ion "));
        const double seconds = processorSeconds() - start;
        std::printf("measured: 1,000,000 pieces without a stop string: %.0f ms of processor time\n",
                    seconds * 1e3);
        QVERIFY(seconds < most_seconds);  // searched anew from the front it would take an hour
    }

    void refusesWhatCannotBe() {
        QVERIFY(refusalOf([] { StopStringScanner({"a", ""}); }));
        const auto refusal = [](auto change) {
            GenerationSettings settings;
            settings.validate();
            change(settings);
            return refusalOf([&] { settings.validate(); }).value_or(Refusal{}).message;
        };
        QVERIFY(refusal([](auto& s) { s.stop = {"a", ""}; }).starts_with("stop: "));
        QVERIFY(refusal([](auto& s) { s.max_new_tokens = 0; }).starts_with("max_new_tokens: "));
        QVERIFY(refusal([](auto& s) { s.batch = 0; }).starts_with("batch: "));
        QVERIFY(refusal([](auto& s) { s.sampling.top_p = 2; }).starts_with("top_p: "));
    }
};

QTEST_GUILESS_MAIN(TestStopStrings)
#include "tst_stop_strings.moc"
