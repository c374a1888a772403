#include "tests/support/hostile_tokenizers.h"

#include "tests/support/small_tokenizer.h"

namespace spd::test {
namespace {

using Json = nlohmann::ordered_json;
using Change = std::function<void(Json&)>;

/// A sound tokenizer with the words ab and Ġhello, changed in one place.
std::function<std::string()> changed(Change change) {
    return [change = std::move(change)] {
        Json json = smallTokenizer({"ab", "Ġhello"});
        change(json);
        return json.dump();
    };
}

/// The text of a sound one with `from` replaced: for what a Json cannot hold (duplicate keys, huge numbers).
std::function<std::string()> replaced(std::string from, std::string to) {
    return [from = std::move(from), to = std::move(to)] {
        std::string text = smallTokenizer({"ab", "Ġhello"}).dump();
        text.replace(text.find(from), from.size(), to);
        return text;
    };
}

Json nested(const char* members, Json inner, int depth) {
    for (int i = 0; i < depth; ++i)
        inner = {{"type", "Sequence"}, {members, Json::array({std::move(inner)})}};
    return inner;
}

Change added(std::vector<Json> tokens) {
    return [tokens = std::move(tokens)](Json& json) { json["added_tokens"] = tokens; };
}

Json templateOf(Json single, Json special_tokens) {
    return {{"type", "TemplateProcessing"},
            {"single", std::move(single)},
            {"pair", Json::array()},
            {"special_tokens", std::move(special_tokens)}};
}

const Json text_piece = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
const Json bos_piece = {{"SpecialToken", {{"id", "B"}, {"type_id", 0}}}};

void addSizes(std::vector<HostileTokenizer>& list) {
    list.push_back({"T1 larger than 64 MiB", [] { return std::string((size_t{64} << 20) + 1, ' '); },
                    "byte 67108864", "larger than 67108864 bytes"});
    list.push_back(
        {"T1 nested deeper than 64",
         replaced("\"padding\":null", "\"padding\":" + std::string(70, '[') + std::string(70, ']')), "byte ",
         "nested deeper than 64"});
    list.push_back({"T1 nested a million deep", [] { return std::string(1'000'000, '['); }, "byte 65",
                    "nested deeper than 64"});
    list.push_back({"T1 duplicate key", replaced("\"padding\":null", "\"version\":\"1.0\""), "byte ",
                    "duplicate key \"version\""});
    list.push_back({"T1 duplicate token", replaced("\"!\":33", "\"\\u0022\":33"), "byte ", "duplicate key"});
    list.push_back({"T1 not an object", [] { return std::string("[1, 2]"); }, "", "must be an object"});
    list.push_back({"T1 empty", [] { return std::string(); }, "byte ", ""});
    list.push_back(
        {"T10 hundreds of thousands of values",
         [] {
             return "[" + std::string(40'000'000, '0').replace(1, 39'999'999, std::string(39'999'999, ',')) +
                    "]";
         },
         "byte ", ""});
    list.push_back({"T10 more tokens than there are ids",
                    [] {
                        Json json = smallTokenizer();
                        std::string text = json.dump();
                        std::string many;
                        for (int i = 0; i < 2'200'000; ++i)
                            many += "\"" + std::to_string(i) + "z\":" + std::to_string(i + 300) + ",";
                        return text.replace(text.find("\"!\":33"), 0, many);
                    },
                    "model.vocab.", "a token id must be an integer from 0 to 2097151"});
}

void addIds(std::vector<HostileTokenizer>& list) {
    const std::string rule = "a token id must be an integer from 0 to 2097151";
    for (const char* id : {"-1", "2097152", "4294967329", "18446744073709551649", "33.0", "1e1", "\"33\"",
                           "null", "true", "[]"})
        list.push_back({std::string("T2 id ") + id, replaced("\"!\":33", std::string("\"!\":") + id),
                        "model.vocab.!", rule});
    list.push_back(
        {"T2 duplicate id", replaced("\"!\":33", "\"!\":34"), "model.vocab", "have the same id 34"});
    list.push_back({"T2 vocabulary is a list",
                    changed([](Json& json) { json["model"]["vocab"] = Json::array(); }), "model.vocab",
                    "must be an object"});
    list.push_back({"T2 no vocabulary", changed([](Json& json) { json["model"].erase("vocab"); }), "model",
                    "\"vocab\" is missing"});
    list.push_back({"T2 added id past the end", changed(added({addedToken(2097152, "<x>")})),
                    "added_tokens[0].id", rule});
    list.push_back({"T2 added id leaves a gap", changed(added({addedToken(400, "<x>")})), "added_tokens[0]",
                    "the next free one is 262"});
}

void addMerges(std::vector<HostileTokenizer>& list) {
    const auto merge = [&list](const char* name, Json value, std::string rule) {
        list.push_back({std::string("T3 ") + name,
                        changed([value](Json& json) { json["model"]["merges"][1] = value; }),
                        "model.merges[1]", std::move(rule)});
    };
    merge("unknown part", {"ab", "中"}, "\"中\" is not in the vocabulary");
    merge("unknown product", {"a", "c"}, "its product \"ac\" is not in the vocabulary");
    merge("duplicate", {"a", "b"}, "the same merge as model.merges[0]");
    merge("empty part", {"", "b"}, "empty part");
    merge("longer than every token", {"Ġhello", "Ġhello"},
          "its product \"ĠhelloĠhello\" is not in the vocabulary");
    merge("three parts", {"a", "b", "c"}, "an array of two tokens");
    merge("a number", 7, "an array of two tokens");
    merge("numbers", {1, 2}, "must be a string");
    merge("spellings mixed", "a b", "an array of two tokens");
    for (const char* text : {"ab", "a b c", "a  b"})
        list.push_back({std::string("T3 text ") + text,
                        changed([text](Json& json) { json["model"]["merges"] = {text}; }), "model.merges[0]",
                        "two tokens with one space"});
    list.push_back({"T3 text with an empty part",
                    changed([](Json& json) { json["model"]["merges"] = {" b"}; }), "model.merges[0]",
                    "empty part"});
    list.push_back({"T3 merges are an object",
                    changed([](Json& json) { json["model"]["merges"] = Json::object(); }), "model.merges",
                    "must be an array"});
}

void addAddedTokens(std::vector<HostileTokenizer>& list) {
    list.push_back(
        {"T4 empty", changed(added({addedToken(262, "")})), "added_tokens[0]", "must not be empty"});
    list.push_back({"T4 over 1 KiB", changed(added({addedToken(262, std::string(1025, 'x'))})),
                    "added_tokens[0]", "more than 1024"});
    list.push_back({"T4 another id than the vocabulary's", changed(added({addedToken(262, "ab")})),
                    "added_tokens[0]", "the vocabulary says 256"});
    list.push_back({"T4 id of another token", changed([](Json& json) {
                        json["model"]["vocab"]["zz"] = 263;  // so that the next free id, a count, is taken
                        json["added_tokens"] = {addedToken(263, "<x>")};
                    }),
                    "added_tokens[0]", "which \"zz\" has in the vocabulary"});
    list.push_back({"T4 twice", changed(added({addedToken(262, "<x>"), addedToken(263, "<x>")})),
                    "added_tokens[1]", "the same token as added_tokens[0]"});
    list.push_back({"T4 same after normalisation", changed([](Json& json) {
                        json["normalizer"] = {{"type", "NFC"}};
                        json["added_tokens"] = {addedToken(262, "d\u0307"), addedToken(263, "\u1e0b")};
                        for (Json& token : json["added_tokens"])
                            token["normalized"] = true;
                    }),
                    "added_tokens[1]", "the same token as added_tokens[0]"});
    list.push_back({"T4 flag missing", changed([](Json& json) {
                        json["added_tokens"] = {addedToken(262, "<x>")};
                        json["added_tokens"][0].erase("lstrip");
                    }),
                    "added_tokens[0]", "\"lstrip\" is missing"});
    list.push_back({"T4 too many bytes", changed([](Json& json) {
                        std::vector<Json> tokens;
                        for (int i = 0; i < 1100; ++i)
                            tokens.push_back(addedToken(262 + i, std::to_string(i) + std::string(1000, 'x')));
                        json["added_tokens"] = tokens;
                    }),
                    "added_tokens[", "more than 1048576 bytes of added tokens"});
}

void addSteps(std::vector<HostileTokenizer>& list) {
    const auto section = [&list](const char* name, const char* key, Json value, std::string rule) {
        list.push_back(
            {name, changed([key, value](Json& json) { json[key] = value; }), key, std::move(rule)});
    };
    section("T5 normalizer", "normalizer", {{"type", "Lowercase"}}, "unknown normalizer \"Lowercase\"");
    section("T5 pre-tokenizer", "pre_tokenizer", {{"type", "Whitespace"}},
            "unknown pre-tokenizer \"Whitespace\"");
    section("T5 pre-tokenizer without bytes", "pre_tokenizer",
            {{"type", "Digits"}, {"individual_digits", true}}, "not byte-level");
    section("T5 no pre-tokenizer", "pre_tokenizer", nullptr, "not byte-level");
    section("T5 step after ByteLevel", "pre_tokenizer",
            {{"type", "Sequence"}, {"pretokenizers", {byteLevel(true), byteLevel(true)}}},
            "\"ByteLevel\" after ByteLevel");
    section("T5 prefix space", "pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", true}},
            "add_prefix_space");
    section("T5 decoder", "decoder", {{"type", "WordPiece"}}, "unknown decoder \"WordPiece\"");
    section("T5 no decoder", "decoder", nullptr, "must be ByteLevel");
    section("T5 post-processor", "post_processor", {{"type", "BertProcessing"}},
            "unknown post-processor \"BertProcessing\"");
    section("T5 type is a number", "post_processor", {{"type", 3}}, "must be a string");
    section("T5 no type", "normalizer", Json::object(), "\"type\" is missing");
    section("T5 format version", "version", "2.0", "format version \"2.0\"");
    list.push_back({"T5 model", changed([](Json& json) { json["model"]["type"] = "Unigram"; }), "model.type",
                    "unknown model type \"Unigram\""});
    list.push_back({"T5 dropout", changed([](Json& json) { json["model"]["dropout"] = 0.1; }),
                    "model.dropout", "random"});
    list.push_back({"T5 suffix", changed([](Json& json) { json["model"]["end_of_word_suffix"] = "</w>"; }),
                    "model.end_of_word_suffix", ""});
    section("T6 pattern", "pre_tokenizer", splitThenByteLevel("(a+)+$"), "unknown pattern (a+)+$");
    section("T6 near miss", "pre_tokenizer", splitThenByteLevel(std::string(qwen2_regex) + "|x"),
            "unknown pattern");
    Json split = splitThenByteLevel(qwen2_regex);
    split["pretokenizers"][0]["pattern"] = {{"String", "x"}};
    section("T6 string pattern", "pre_tokenizer", split, "only \"Regex\" is known");
    split = splitThenByteLevel(qwen2_regex);
    split["pretokenizers"][0]["behavior"] = "Removed";
    section("T6 behavior", "pre_tokenizer", split, "Split with behavior \"Removed\"");
    section("T7 pre-tokenizer", "pre_tokenizer", nested("pretokenizers", byteLevel(true), 17),
            "nested deeper than 16");
    section("T7 normalizer", "normalizer", nested("normalizers", {{"type", "NFC"}}, 17),
            "nested deeper than 16");
    section("T7 decoder", "decoder", nested("decoders", byteLevel(true), 20), "nested deeper than 16");
    Json digits = {{"type", "Sequence"}, {"pretokenizers", Json::array()}};
    for (int i = 0; i < 20; ++i)
        digits["pretokenizers"].push_back({{"type", "Digits"}, {"individual_digits", true}});
    section("T7 too many steps", "pre_tokenizer", digits, "more than 16 steps");
}

void addTemplates(std::vector<HostileTokenizer>& list) {
    const auto processor = [&list](const char* name, Json value, std::string rule) {
        list.push_back({name, changed([value](Json& json) { json["post_processor"] = value; }),
                        "post_processor", std::move(rule)});
    };
    const auto ids = [](Json values, Json tokens) -> Json {
        return {{"B", {{"id", "B"}, {"ids", std::move(values)}, {"tokens", std::move(tokens)}}}};
    };
    processor("T8 unknown id", templateOf({bos_piece, text_piece}, ids({999}, {"B"})),
              "no token has the id 999");
    processor("T8 negative id", templateOf({bos_piece, text_piece}, ids({-5}, {"B"})), "a token id must be");
    processor("T8 unknown name", templateOf({bos_piece, text_piece}, Json::object()),
              "\"B\" is not among special_tokens");
    processor("T8 lengths differ", templateOf({bos_piece, text_piece}, ids({1, 2}, {"B"})), "not as many as");
    processor("T8 no text", templateOf(Json::array({bos_piece}), ids({1}, {"B"})),
              "must have the Sequence A once");
    processor("T8 text twice", templateOf({text_piece, text_piece}, Json::object()),
              "must have the Sequence A once");
    processor("T8 second text", templateOf(Json::array({{{"Sequence", {{"id", "B"}}}}}), Json::object()),
              "neither a SpecialToken nor the Sequence A");
    processor("T8 thousands of pieces",
              templateOf(Json(std::vector<Json>(10'000, bos_piece)), ids({1}, {"B"})), "more than 64 pieces");
    processor("T8 thousands of ids",
              templateOf({bos_piece, text_piece},
                         ids(std::vector<int>(10'000, 1), std::vector<std::string>(10'000, "B"))),
              "more than 64 ids");
    const Json one = templateOf(Json::array({text_piece}), Json::object());
    processor("T8 two templates", {{"type", "Sequence"}, {"processors", {one, one}}},
              "a second TemplateProcessing");
}

}  // namespace

std::vector<HostileTokenizer> hostileTokenizers() {
    std::vector<HostileTokenizer> list;
    addSizes(list);
    addIds(list);
    addMerges(list);
    addAddedTokens(list);
    addSteps(list);
    addTemplates(list);
    list.push_back({"T9 alphabet without a letter",
                    changed([](Json& json) { json["model"]["vocab"].erase("q"); }), "model.vocab",
                    "no token for byte 0x71"});
    list.push_back({"T9 alphabet without line end",
                    changed([](Json& json) { json["model"]["vocab"].erase("Ċ"); }), "model.vocab",
                    "no token for byte 0x0A"});
    list.push_back({"T9 empty vocabulary", changed([](Json& json) {
                        json["model"]["vocab"] = Json::object();
                        json["model"]["merges"] = Json::array();
                    }),
                    "model.vocab", "no token for byte 0x20"});
    list.push_back({"T9 unknown token absent",
                    changed([](Json& json) { json["model"]["unk_token"] = "<unk>"; }), "model.unk_token",
                    "\"<unk>\" is not in the vocabulary"});
    return list;
}

}  // namespace spd::test
