#include <QtTest>
#include <cstdio>
#include <iterator>
#include <map>
#include <random>

#include "core/text/tokenizer.h"
#include "tests/support/refusal.h"
#include "tests/support/small_tokenizer.h"

using namespace spd;
using Json = nlohmann::ordered_json;

namespace {

constexpr int inputs = 12'000;

/// A sound tokenizer that uses every section of the file.
Json seedTokenizer(std::mt19937& random) {
    Json json = test::smallTokenizer({"ab", "hello", "Ġthe", "aaaa"});
    const auto id = static_cast<int>(json["model"]["vocab"].size());
    json["added_tokens"] = {test::addedToken(id, "<s>"), test::addedToken(id + 1, "caf\u0065\u0301", false)};
    json["added_tokens"][1]["normalized"] = true;
    json["normalizer"] = {{"type", "Sequence"}, {"normalizers", Json::array({{{"type", "NFC"}}})}};
    if (random() % 2 == 0)
        json["pre_tokenizer"] =
            test::splitThenByteLevel(random() % 2 == 0 ? test::qwen2_regex : test::llama3_regex);
    json["post_processor"] = Json::parse(R"({"type": "TemplateProcessing", "pair": [],
        "single": [{"SpecialToken": {"id": "B", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "special_tokens": {"B": {"id": "B", "ids": [65], "tokens": ["A"]}}})");
    json["model"]["unk_token"] = "ab";
    return json;
}

/// Every value of the tree but the entries of the vocabulary, of which a few are enough.
void collect(Json& value, std::vector<Json*>& nodes) {
    std::vector<Json*> open = {&value};
    while (!open.empty()) {
        Json* node = open.back();
        open.pop_back();
        nodes.push_back(node);
        size_t taken = 0;
        for (Json& child : *node)
            if (node->is_structured() && taken++ < 24)
                open.push_back(&child);
    }
}

/// A value of the kinds that break readers: borders of integers, wrong types, long and odd strings, deep
/// nesting.
Json oddValue(std::mt19937& random) {
    const std::vector<Json> values = {nullptr,
                                      true,
                                      false,
                                      0,
                                      -1,
                                      1,
                                      255,
                                      256,
                                      300,
                                      2097151,
                                      2097152,
                                      2147483648u,
                                      4294967296u,
                                      -9223372036854775807,
                                      18446744073709551615u,
                                      0.5,
                                      1e308,
                                      "",
                                      "a",
                                      "ab",
                                      "a b",
                                      " ",
                                      "\u0000",
                                      "NFC",
                                      "Sequence",
                                      "ByteLevel",
                                      "Split",
                                      "Digits",
                                      "\u00e9",
                                      "e\u0301",
                                      "\U0010ffff",
                                      std::string(5000, 'x'),
                                      Json::array(),
                                      Json::object(),
                                      Json::array({"a", "b"}),
                                      Json::array({1, 2, 3}),
                                      Json{{"type", "Sequence"}},
                                      Json{{"type", "NFC"}}};
    return values[random() % values.size()];
}

void mutateTree(Json& json, std::mt19937& random) {
    std::vector<Json*> nodes;
    collect(json, nodes);
    Json& node = *nodes[random() % nodes.size()];
    const Json other = *nodes[random() % nodes.size()];
    switch (random() % 5) {
        case 0:
            node = oddValue(random);
            break;
        case 1:  // a part of the file in another place
            if (other.dump().size() < 20'000)
                node = other;
            break;
        case 2:
            if (node.is_structured() && !node.empty())
                node.erase(std::next(node.begin(), static_cast<std::ptrdiff_t>(random() % node.size())));
            break;
        case 3:
            if (node.is_array())
                node.push_back(node.empty() || random() % 2 == 0 ? oddValue(random)
                                                                 : Json(node[random() % node.size()]));
            else if (node.is_object())
                node[random() % 2 == 0 ? "type" : "中"] = oddValue(random);
            break;
        default:
            for (auto i = random() % 40; i > 0; --i) {
                const char* members = random() % 2 == 0 ? "normalizers" : "pretokenizers";
                node = {{"type", "Sequence"}, {members, Json::array({node})}};
            }
    }
}

/// Bytes changed, dropped, doubled or put in another place.
void mutateText(std::string& text, std::mt19937& random) {
    const auto at = [&random, &text] { return text.empty() ? size_t{0} : random() % text.size(); };
    for (auto i = random() % 4 + 1; i > 0 && !text.empty(); --i) {
        const size_t size = random() % 30 + 1;
        switch (random() % 4) {
            case 0:
                text[at()] = static_cast<char>(random() % 256);
                break;
            case 1:
                text.erase(at(), size);
                break;
            case 2:
                text.insert(at(), text.substr(at(), size));
                break;
            default:
                text.resize(at());
        }
    }
}

std::string mutated(std::mt19937& random) {
    Json json = seedTokenizer(random);
    const bool tree = random() % 4 != 0;
    for (auto i = random() % 3 + 1; tree && i > 0; --i)
        mutateTree(json, random);
    std::string text = json.dump(-1, ' ', random() % 2 == 0, Json::error_handler_t::replace);
    if (!tree)
        mutateText(text, random);
    return text;
}

const std::string probe =
    "hello the ab aaaaaaa\u00e9e\u0301<s>cafe\u0301 \r\n 123 '\u017f \xff\xe2\x82 \U0001f600\u1100\u1161";

/// What is read must work: encode and decode without a fault, ids that exist, ranges inside the text.
void use(const Tokenizer& tokenizer) {
    const Encoding encoding = tokenizer.encodeWithRanges(probe);
    QCOMPARE(encoding.ids.size(), encoding.ranges.size());
    for (const int32_t id : encoding.ids)
        QVERIFY(tokenizer.hasToken(id));
    for (const TokenRange& range : encoding.ranges)
        QVERIFY(0 <= range.begin && range.begin <= range.end &&
                range.end <= static_cast<int64_t>(probe.size()));
    std::string streamed;
    StreamingDecoder decoder(tokenizer, false);
    for (const int32_t id : encoding.ids)
        streamed += decoder.add(id);
    streamed += decoder.finish();
    QCOMPARE(streamed, tokenizer.decode(encoding.ids, false));
    QVERIFY(!tokenizer.description().empty());
}

}  // namespace

class TestTokenizerMutation : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void mutatedFilesAreReadOrRefused() {
        int read = 0;
        double slowest = 0;
        size_t longest = 0;
        std::map<std::string, int> rules;  // refusals by their last words
        for (int i = 0; i < inputs; ++i) {
            std::mt19937 random(static_cast<uint32_t>(i));
            const std::string text = mutated(random);
            longest = std::max(longest, text.size());
            const double start = test::processorSeconds();
            const auto refusal = test::refusalOf([&] {
                const Tokenizer tokenizer = Tokenizer::parse(text, "tokenizer.json");
                ++read;
                use(tokenizer);
            });
            const double seconds = test::processorSeconds() - start;
            slowest = std::max(slowest, seconds);
            QVERIFY2(seconds < test::most_seconds, std::to_string(i).c_str());
            if (!refusal)
                continue;
            const QByteArray message =
                QByteArray::number(i) + ": " + QByteArray::fromStdString(refusal->message);
            QVERIFY2(refusal->isOneLine() && refusal->message.size() < 800, message);
            QVERIFY2(refusal->kind == ErrorKind::file_format || refusal->kind == ErrorKind::unsupported_model,
                     message);
            ++rules[refusal->message.substr(refusal->message.rfind(": ") + 2)];
        }
        std::printf(
            "measured: %d mutated tokenizer files (up to %zu bytes): %d read and used, the others refused in "
            "%zu "
            "ways, slowest %.3f s\n",
            inputs, longest, read, rules.size(), slowest);
        QVERIFY(read > inputs / 20 && read < inputs);
        QVERIFY(rules.size() > 50);
    }
};

QTEST_GUILESS_MAIN(TestTokenizerMutation)
#include "tst_tokenizer_mutation.moc"
