#include <QtTest>
#include <array>
#include <atomic>
#include <cstdio>
#include <random>
#include <thread>

#include "core/base/error.h"
#include "core/text/tokenizer.h"
#include "tests/support/small_tokenizer.h"

using namespace spd;
using Json = nlohmann::ordered_json;
using Ids = std::vector<int32_t>;

namespace {

Tokenizer make(const Json& json) {
    return Tokenizer::parse(json.dump(), "tokenizer.json");
}

Ids bytesOf(std::string_view text) {
    Ids ids;
    for (const char byte : text)
        ids.push_back(static_cast<unsigned char>(byte));
    return ids;
}

/// "0-2 2-5": the ranges of an encoding.
std::string ranges(const Encoding& encoding) {
    std::string text;
    for (const TokenRange& range : encoding.ranges)
        text += (text.empty() ? "" : " ") + std::to_string(range.begin) + "-" + std::to_string(range.end);
    return text;
}

/// Byte pair encoding as it is defined: apply the pair of lowest rank, leftmost first, until none is left.
Ids mergedByDefinition(const Json& json, const std::string& text) {
    const Json& vocabulary = json["model"]["vocab"];
    std::vector<std::array<int32_t, 3>> merges;  // left, right, product
    for (const Json& merge : json["model"]["merges"]) {
        const auto left = merge[0].get<std::string>();
        const auto right = merge[1].get<std::string>();
        merges.push_back({vocabulary[left], vocabulary[right], vocabulary[left + right]});
    }
    Ids ids = bytesOf(text);
    for (size_t rank = 0; rank < merges.size(); ++rank)
        for (size_t i = 0; i + 1 < ids.size(); ++i)
            if (ids[i] == merges[rank][0] && ids[i + 1] == merges[rank][1]) {
                ids[i] = merges[rank][2];
                ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(i) + 1);
                rank = static_cast<size_t>(-1);  // the new token may be part of an earlier merge
                break;
            }
    return ids;
}

Json nfcTokenizer() {
    Json json = test::smallTokenizer();
    json["normalizer"] = {{"type", "NFC"}};
    return json;
}

}  // namespace

class TestTokenizer : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void mergesByRankThenFromTheLeft() {
        // ids: ab 256, bc 257, abab 258 after "aba" 258 is not a word here: words are merged from their
        // front.
        const Tokenizer tokenizer = make(test::smallTokenizer({"bc", "ab", "aa"}));
        QCOMPARE(tokenizer.encode("abc"), (Ids{'a', 256}));
        QCOMPARE(tokenizer.encode("abab"), (Ids{257, 257}));
        QCOMPARE(tokenizer.encode("aaa"), (Ids{258, 'a'}));
        QCOMPARE(tokenizer.encode(""), Ids{});
    }

    void bothSpellingsOfMerges() {
        Json json = test::smallTokenizer({"hello", "Ġworld"});
        const Tokenizer pairs = make(json);
        for (Json& merge : json["model"]["merges"])
            merge = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
        json["model"]["merges"].insert(json["model"]["merges"].begin(), "#version: 0.2");
        const Tokenizer texts = make(json);
        QCOMPARE(texts.encode("hello world"), (Ids{259, 264}));
        QCOMPARE(pairs.encode("hello world"), texts.encode("hello world"));
    }

    void shortAndLongPiecesMergeAsDefined() {
        // A heap takes over past 64 bytes.
        const Json json = test::smallTokenizer({"ab", "abab", "ba", "bab", "aab", "ababba", "bb", "bbbb"});
        const Tokenizer tokenizer = make(json);
        std::mt19937 random(1);
        int longest = 0;
        for (int i = 0; i < 3000; ++i) {
            std::string text(random() % 200 + 1, 'a');
            for (char& letter : text)
                letter = random() % 3 == 0 ? 'b' : 'a';
            QCOMPARE(tokenizer.encode(text), mergedByDefinition(json, text));
            longest = std::max(longest, static_cast<int>(text.size()));
        }
        std::printf("measured: 3000 pieces of up to %d bytes merged as the definition says\n", longest);
    }

    void ignoreMergesTakesWholeTokens() {
        Json json = test::smallTokenizer({"ab"});
        json["model"]["vocab"]["abc"] = 257;  // no merges make it
        QCOMPARE(make(json).encode("abc"), (Ids{256, 'c'}));
        json["model"]["ignore_merges"] = true;
        QCOMPARE(make(json).encode("abc"), (Ids{257}));
        QCOMPARE(make(json).encode("abcabc"), (Ids{256, 'c', 256, 'c'}));
    }

    void addedTokensSplitFirst() {
        Json json = test::smallTokenizer({"us"});
        json["added_tokens"] = {test::addedToken(257, "<|user|>"), test::addedToken(258, "<|user|>x", false)};
        const Tokenizer tokenizer = make(json);
        QCOMPARE(tokenizer.encode("a<|user|>us"), (Ids{'a', 257, 256}));
        QCOMPARE(tokenizer.encode("<|user|>x"),
                 (Ids{258}));  // one is a prefix of the other: the longest wins
        QCOMPARE(tokenizer.encode("<|use"), (Ids{'<', '|', 256, 'e'}));
        QCOMPARE(tokenizer.decode({'a', 257, 256, 258}, false), std::string("a<|user|>us<|user|>x"));
        QCOMPARE(tokenizer.decode({'a', 257, 256, 258}, true), std::string("aus<|user|>x"));
        QVERIFY(tokenizer.isSpecial(257) && !tokenizer.isSpecial(258) && !tokenizer.isSpecial('a'));
        QCOMPARE(tokenizer.idOf("<|user|>"), 257);
        QCOMPARE(tokenizer.idOf("us"), 256);
        QCOMPARE(tokenizer.idOf("user"), -1);
    }

    void specialTokensInAConversationsContentAreText() {
        Json json = nfcTokenizer();
        json["added_tokens"] = {test::addedToken(256, "<e>"), test::addedToken(257, "<t>", false),
                                test::addedToken(258, "<\u00e9>")};
        json["added_tokens"][2]["normalized"] = true;
        const Tokenizer tokenizer = make(json);
        const std::string text = "<e>a<e><t><e>";
        const auto encoded = [&](const std::vector<TextRange>& content) {
            return tokenizer.encodeChat(text, content);
        };
        QCOMPARE(encoded({}), (Ids{256, 'a', 256, 257, 256}));
        QCOMPARE(encoded({{3, 10}}), (Ids{256, 'a', '<', 'e', '>', 257, 256}));  // <t> is no special token
        QCOMPARE(encoded({{0, 1}, {5, 6}}), (Ids{'<', 'e', '>', 'a', '<', 'e', '>', 257, 256}));  // in part
        QCOMPARE(encoded({{3, 4}, {7, 10}}), encoded({}));  // beside them
        QCOMPARE(tokenizer.encodeChat("<e\u0301>", {}), (Ids{258}));
        const std::vector<TextRange> all = {{0, 5}};
        QCOMPARE(tokenizer.encodeChat("<e\u0301>", all), bytesOf("<\u00e9>"));
    }

    void addedTokensStripAndStandAlone() {
        Json json = test::smallTokenizer();
        json["added_tokens"] = {test::addedToken(256, "<l>"), test::addedToken(257, "<r>"),
                                test::addedToken(258, "<w>")};
        json["added_tokens"][0]["lstrip"] = true;
        json["added_tokens"][1]["rstrip"] = true;
        json["added_tokens"][2]["single_word"] = true;
        const Tokenizer tokenizer = make(json);
        const Encoding stripped = tokenizer.encodeWithRanges("a \t<l> b<r>\n\u3000 c");
        QCOMPARE(stripped.ids, (Ids{'a', 256, ' ', 'b', 257, 'c'}));
        QCOMPARE(ranges(stripped), std::string("0-1 1-6 6-7 7-8 8-16 16-17"));
        QCOMPARE(tokenizer.encode("-<w>-"), (Ids{'-', 258, '-'}));
        QCOMPARE(tokenizer.encode("é<w>").size(), size_t{5});
        QCOMPARE(tokenizer.encode("<w>_").size(), size_t{4});
    }

    void normalizedTokensMatchTheirComposedForm() {
        Json json = nfcTokenizer();
        json["added_tokens"] = {test::addedToken(256, "caf\u0065\u0301")};
        json["added_tokens"][0]["normalized"] = true;
        const Tokenizer tokenizer = make(json);
        QCOMPARE(tokenizer.encode("caf\u00e9"), (Ids{256}));
        QCOMPARE(tokenizer.encode("cafe\u0301!"), (Ids{256, '!'}));
        json["added_tokens"][0]["normalized"] = false;
        QCOMPARE(make(json).encode("caf\u00e9"), bytesOf("caf\u00e9"));
        QCOMPARE(make(json).encode("cafe\u0301"), (Ids{256}));
    }

    void rangesAreInTheTextAsGiven() {
        const Tokenizer tokenizer = make(nfcTokenizer());
        // A token that is a part of a character came from all of it; a composed one from what was composed.
        QCOMPARE(ranges(tokenizer.encodeWithRanges("aé")), std::string("0-1 1-3 1-3"));
        QCOMPARE(ranges(tokenizer.encodeWithRanges("xe\u0301y")), std::string("0-1 1-4 1-4 4-5"));
        QCOMPARE(tokenizer.encode("xe\u0301y"), bytesOf("xéy"));
        QCOMPARE(ranges(tokenizer.encodeWithRanges("\xff"
                                                   "e\u0301\xe2\x82z")),
                 std::string("0-1 0-1 0-1 1-4 1-4 4-6 4-6 4-6 6-7"));
        QCOMPARE(ranges(tokenizer.encodeWithRanges("\u1100\u1161\u11a8.")), std::string("0-9 0-9 0-9 9-10"));
    }

    void templateAddsAround() {
        Json json = test::smallTokenizer();
        json["added_tokens"] = {test::addedToken(256, "<s>"), test::addedToken(257, "</s>")};
        json["post_processor"] = Json::parse(R"({"type": "Sequence", "processors": [
            {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": true},
            {"type": "TemplateProcessing", "pair": [],
             "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                        {"SpecialToken": {"id": "</s>", "type_id": 0}}],
             "special_tokens": {"<s>": {"id": "<s>", "ids": [256, 256], "tokens": ["<s>", "<s>"]},
                                "</s>": {"id": "</s>", "ids": [257], "tokens": ["</s>"]}}}]})");
        const Tokenizer tokenizer = make(json);
        QCOMPARE(tokenizer.encode("ab"), (Ids{256, 256, 'a', 'b', 257}));
        QCOMPARE(tokenizer.encode("ab", Tokenizer::SpecialTokens::none), (Ids{'a', 'b'}));
        QCOMPARE(ranges(tokenizer.encodeWithRanges("ab")), std::string("0-0 0-0 0-1 1-2 2-2"));
    }

    void bytesWithoutAToken() {
        Json json = test::smallTokenizer({"ab"});
        json["model"]["vocab"].erase("Ą");  // byte 0x04
        QCOMPARE(make(json).encode("a\x04\x04 b"), (Ids{'a', ' ', 'b'}));
        QCOMPARE(make(json).encode("a\x04"), (Ids{'a'}));
        QVERIFY(make(json).description().find("1 bytes without one") != std::string::npos);
        json["model"]["unk_token"] = "ab";
        QCOMPARE(make(json).encode("a\x04\x04"), (Ids{'a', 256, 256}));
        json["model"]["fuse_unk"] = true;
        QCOMPARE(make(json).encode("a\x04\x04"), (Ids{'a', 256}));
        json["model"]["vocab"]["<0xC4>"] = 300;
        json["model"]["vocab"]["<0x84>"] = 301;
        json["model"]["byte_fallback"] = true;
        QCOMPARE(make(json).encode("a\x04"), (Ids{'a', 300, 301}));
    }

    void holesAndSize() {
        Json json = test::smallTokenizer();
        json["model"]["vocab"]["zz"] = 300;
        const Tokenizer tokenizer = make(json);
        QCOMPARE(tokenizer.size(), 301);
        QVERIFY(tokenizer.hasToken(300) && !tokenizer.hasToken(299) && !tokenizer.hasToken(-1) &&
                !tokenizer.hasToken(301));
        QCOMPARE(tokenizer.decode({299, 300, -1, 301, 1 << 30}, false), std::string("zz"));
        QCOMPARE(tokenizer.description(), std::string("byte-level BPE (GPT-2 pre-tokenizer, 257 tokens)"));
        QCOMPARE(tokenizer.sha256().size(), size_t{64});
    }

    void decodeReplacesWhatIsNoText() {
        const Tokenizer tokenizer = make(test::smallTokenizer());
        QCOMPARE(tokenizer.decode({0xE2, 0x82, 'a', 0xFF, 0xF0, 0x9F}, false),
                 std::string("\uFFFDa\uFFFD\uFFFD"));
        QCOMPARE(tokenizer.decode({0xED, 0xA0, 0x80}, false), std::string("\uFFFD\uFFFD\uFFFD"));
    }

    void streamingHoldsBackHalfCharacters() {
        const Tokenizer tokenizer = make(test::smallTokenizer());
        StreamingDecoder decoder(tokenizer, false);
        QCOMPARE(decoder.add(0xF0), std::string());
        QCOMPARE(decoder.add(0x9F), std::string());
        QCOMPARE(decoder.add(0x98), std::string());
        QCOMPARE(decoder.add(0x80), std::string("😀"));
        QCOMPARE(decoder.add(0xE2), std::string());
        QCOMPARE(decoder.add('a'), std::string("\uFFFDa"));
        QCOMPARE(decoder.add(0xC3), std::string());
        QCOMPARE(decoder.finish(), std::string("\uFFFD"));
        QCOMPARE(decoder.finish(), std::string());
    }

    void manyThreadsAgree() {
        const Tokenizer first = make(test::smallTokenizer({"hello", "Ġworld"}));
        const Tokenizer second = make(test::smallTokenizer({"Ġworld"}));
        const Ids first_ids = first.encode("hello world 123");
        const Ids second_ids = second.encode("hello world 123");
        QVERIFY(first_ids != second_ids);
        std::atomic<int> different = 0;
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&] {
                for (int i = 0; i < 500; ++i)
                    different += (first.encode("hello world 123") != first_ids) +
                                 (second.encode("hello world 123") != second_ids);
            });
        for (std::thread& thread : threads)
            thread.join();
        QCOMPARE(different.load(), 0);
    }

    void absentFileIsNotFound() {
        try {
            (void)Tokenizer::open("/nowhere/at/all");
            QFAIL("opened");
        } catch (const Error& error) {
            QCOMPARE(error.exitCode(), 2);
        }
    }
};

QTEST_GUILESS_MAIN(TestTokenizer)
#include "tst_tokenizer.moc"
